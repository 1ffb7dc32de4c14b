//! The domain from outside: schemas and golden files of everything that is stored or sent, and the sagas played
//! against the real decisions. And what nobody of ours stored or sent.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not exempt by themselves")]

mod examples;
mod golden;
mod hostile;
mod sagas;
mod schemas;
