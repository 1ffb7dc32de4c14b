//! Files of a shop's orders.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../import/mod.rs"]
mod import;
#[path = "../../docket/src/import/tests/import_law.rs"]
mod law;

fuzz_target!(|file: &[u8]| drop(law::check(file)));
