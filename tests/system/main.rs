//! The whole system, from outside: the real binary, real files, real HTTP. Each promise has a test that bears its name.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not exempt by themselves")]

mod bad_input;
mod compose;
mod crash;
mod damage;
mod distributed;
mod erasure;
mod import;
mod payment_methods;
mod platform;
mod process;
mod promises;
mod restore;
mod services;
mod shop;
mod traces;
