//! Events of a log: the type and version in the first line, the payload below.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../domain/tests/it/hostile/event_law.rs"]
mod law;

fuzz_target!(|text: &str| {
    let (head, payload) = text.split_once('\n').unwrap_or((text, ""));
    let (event_type, version) = head.rsplit_once(' ').unwrap_or((head, "1"));
    law::check(event_type, version.parse().unwrap_or(1), payload);
});
