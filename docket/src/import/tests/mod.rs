//! Tests of the import: the pure half on real days and months, the other half against a small fake platform.

mod bad_files;
mod fake_platform;
mod hostile_files;
mod import_law;
mod over_http;
mod real_days;
mod rules;
