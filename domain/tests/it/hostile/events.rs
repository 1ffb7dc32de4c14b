//! Events that nobody wrote.

use domain::decide::State;
use domain::event::Event;
use hostile_input::{bytes, corpus, json, schema};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::event_law::check;
use crate::examples;

/// The name, version and payload of an event of any type, made after its schema.
fn made_after_its_schema() -> impl Strategy<Value = (&'static str, u32, serde_json::Value)> {
    let one = |kind: &'static domain::event::EventType| {
        let payload = schema::instances(&(kind.schema)().to_value());
        payload.prop_map(move |payload| (kind.name, kind.schema_version, payload))
    };
    Union::new(Event::types().map(one))
}

/// The same with something changed.
fn nearly_an_event() -> impl Strategy<Value = (&'static str, u32, serde_json::Value)> {
    made_after_its_schema().prop_flat_map(|(name, version, payload)| {
        json::altered(payload).prop_map(move |payload| (name, version, payload))
    })
}

fn examples() -> Vec<Vec<u8>> {
    examples::events().iter().map(|event| event.to_json().unwrap().into_bytes()).collect()
}

proptest! {
    #[test]
    fn an_event_made_after_its_schema_is_read_or_named_in_the_error(
        (name, version, payload) in made_after_its_schema(),
    ) {
        check(name, version, &payload.to_string());
    }

    #[test]
    fn an_event_with_something_changed_is_read_or_named_in_the_error(
        (name, version, payload) in nearly_an_event(),
    ) {
        check(name, version, &payload.to_string());
    }

    #[test]
    fn the_text_of_an_event_may_be_damaged_anywhere(
        which in 0..examples::events().len(),
        payload in bytes::altered_one_of(examples()),
    ) {
        let event = &examples::events()[which];
        let payload = String::from_utf8_lossy(&payload);
        check(event.event_type(), event.schema_version(), &payload);
    }

    #[test]
    fn an_event_of_another_type_or_version_is_read_or_named_in_the_error(
        name in prop_oneof![".{0,20}", select(Event::types().map(|kind| kind.name.to_owned()).collect::<Vec<_>>())],
        version in prop_oneof![0..4_u32, any::<u32>()],
        (_, _, payload) in made_after_its_schema(),
    ) {
        check(&name, version, &payload.to_string());
    }

    #[test]
    fn whatever_is_in_a_log_can_be_folded(events in vec(nearly_an_event(), 1..12)) {
        let read = events.iter().filter_map(|(name, version, payload)| check(name, *version, &payload.to_string()));
        let events: Vec<Event> = read.collect();
        for first in &events {
            let state = State::absent(&first.stream());
            drop(events.iter().fold(state, domain::decide::State::evolve));
        }
    }
}

#[test]
fn most_of_what_is_made_after_the_schemas_are_events() {
    let mut runner = TestRunner::deterministic();
    let mut read = std::collections::BTreeSet::new();
    let made = made_after_its_schema();
    for _ in 0..2_000 {
        let (name, version, payload) = made.new_tree(&mut runner).unwrap().current();
        read.extend(check(name, version, &payload.to_string()).map(|event| event.event_type()));
    }
    let never: Vec<_> =
        Event::types().map(|kind| kind.name).filter(|name| !read.contains(name)).collect();
    assert_eq!(never, [""; 0], "a test that no such event passes tests little");
}

#[test]
fn the_corpus_of_the_fuzzer_holds_no_surprise() {
    let corpus = corpus::of("event");
    assert!(!corpus.is_empty());
    for (path, bytes) in corpus {
        let text = String::from_utf8_lossy(&bytes);
        let (head, payload) = text.split_once('\n').unwrap_or((&text, ""));
        let (name, version) = head.rsplit_once(' ').unwrap_or((head, "1"));
        println!("{}", path.display());
        check(name, version.parse().unwrap_or(1), payload);
    }
}
