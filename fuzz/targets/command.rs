//! Commands of the queue.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../domain/tests/it/hostile/command_law.rs"]
mod law;

fuzz_target!(|text: &str| {
    law::check(text);
});
