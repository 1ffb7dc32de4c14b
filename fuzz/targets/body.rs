//! JSON bodies of requests.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../service-kit/tests/it/body_law.rs"]
mod law;

fuzz_target!(|body: &[u8]| law::check(body));
