//! Events on their way that are none.

use hostile_input::{bytes, corpus, json};
use proptest::prelude::*;
use serde_json::Value;

use crate::envelope_law::check;

fn seeds() -> Vec<Vec<u8>> {
    corpus::of("envelope").into_iter().map(|(_, message)| message).collect()
}

proptest! {
    #[test]
    fn whatever_is_received_as_an_event_can_be_sent_on(message in bytes::noise_or_altered(seeds())) {
        check(&message);
    }

    #[test]
    fn an_event_with_something_changed_is_none_or_another(
        message in prop::sample::select(seeds()).prop_flat_map(|seed| {
            json::altered(serde_json::from_slice::<Value>(&seed).unwrap())
        }),
    ) {
        check(message.to_string().as_bytes());
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds_events_and_what_is_none() {
    let received = seeds().iter().filter_map(|message| check(message)).count();
    assert!((1..seeds().len()).contains(&received), "{received}");
}
