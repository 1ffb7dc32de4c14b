//! Events on their way over NATS.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../messaging/tests/it/envelope_law.rs"]
mod law;

fuzz_target!(|message: &[u8]| {
    law::check(message);
});
