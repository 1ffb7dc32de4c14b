//! What the outside relies on: schemas and golden files of everything that is stored or sent.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not exempt by themselves")]

mod examples;
mod golden;
mod schemas;
