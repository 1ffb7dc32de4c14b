//! The whole system, from outside: the real binary, real files, real HTTP. Each promise has a test that bears its name.
#![expect(clippy::unwrap_used, reason = "helpers of tests are not exempt by themselves")]

mod access;
mod access_matrix;
mod backup;
mod backup_of_databases;
mod bad_input;
mod broker;
mod compose;
mod crash;
mod damage;
mod database_gone;
mod description;
mod distributed;
mod distributed_day;
mod erasure;
mod hostile_bytes;
mod import;
mod kills;
mod part_of_day;
mod pauses;
mod payment_methods;
mod platform;
mod poison;
mod process;
mod promises;
mod readiness;
mod restore;
mod restored_log;
mod services;
mod shop;
mod takeovers;
mod traces;
mod upstream_down;
mod verify_databases;
mod waits;
