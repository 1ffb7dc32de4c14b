//! The sagas played against the real decisions of the whole domain.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test names what it looks for")]

mod by_hand;
mod chaos;
mod endings;
mod world;
