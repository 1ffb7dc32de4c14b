//! Cursors that no list gave.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hostile_input::{bytes, corpus, json};
use proptest::prelude::*;

use crate::cursor_law::{Filters, Key, given, taken};

fn key() -> impl Strategy<Value = Key> {
    (any::<i64>(), "[^\0]{0,20}")
}

fn filters() -> impl Strategy<Value = Filters> {
    (proptest::option::of(".{0,8}"), proptest::option::of(any::<u32>()))
}

proptest! {
    #[test]
    fn a_cursor_is_taken_as_it_was_given(filters in filters(), key in key()) {
        let cursor = given("orders", &filters, &key).unwrap();
        prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        prop_assert_eq!(taken("orders", &filters, &cursor), Ok(key));
    }

    #[test]
    fn a_cursor_that_was_altered_is_refused(
        filters in filters(),
        (cursor, altered) in key().prop_flat_map(|key| {
            let cursor = given("orders", &(None, None), &key).unwrap();
            let altered = bytes::altered(cursor.clone());
            (Just(cursor), altered)
        }),
    ) {
        let altered = String::from_utf8_lossy(&altered);
        if altered != cursor {
            prop_assert_eq!(taken("orders", &(None, None), &altered), Err("invalid_cursor"));
        }
        prop_assert_eq!(taken("orders", &filters, &cursor).is_ok(), filters == (None, None));
        prop_assert_eq!(taken("carts", &(None, None), &cursor), Err("invalid_cursor"));
    }

    #[test]
    fn a_cursor_whose_content_was_altered_is_refused(
        key in key(),
        change in any::<prop::sample::Selector>(),
        other in key(),
    ) {
        let cursor = given("orders", &(None, None), &key).unwrap();
        let content: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&cursor).unwrap()).unwrap();
        let seal = &content[0];
        let forged = change.select([
            serde_json::json!([seal, [other.0, other.1]]),
            serde_json::json!([seal, [key.0.wrapping_add(1), key.1]]),
            serde_json::json!([seal, [key.0, key.1, 0]]),
            serde_json::json!([seal, [key.0]]),
            serde_json::json!({ "0": seal, "1": [key.0, key.1] }),
            serde_json::json!([seal, [key.0, key.1], null]),
        ]);
        if forged != content {
            let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
            prop_assert_eq!(taken("orders", &(None, None), &forged), Err("invalid_cursor"));
        }
        let spaced = URL_SAFE_NO_PAD.encode(format!(" {content}"));
        prop_assert_eq!(taken("orders", &(None, None), &spaced), Err("invalid_cursor"));
    }

    #[test]
    fn a_cursor_is_written_in_one_way_only(key in key()) {
        let cursor = given("orders", &(None, None), &key).unwrap();
        let content = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for other in [STANDARD.encode(&content), URL_SAFE.encode(&content), format!("{cursor}=")] {
            prop_assert!(other == cursor || taken("orders", &(None, None), &other).is_err(), "{}", other);
        }
    }

    #[test]
    fn a_text_that_is_no_cursor_is_refused(text in prop_oneof![
        ".{0,60}".boxed(),
        json::any_value().prop_map(|value| value.to_string()).boxed(),
        json::any_value().prop_map(|value| URL_SAFE_NO_PAD.encode(value.to_string())).boxed(),
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).boxed(),
    ]) {
        prop_assert_eq!(taken("orders", &(None, None), &text), Err("invalid_cursor"));
    }

    #[test]
    fn a_key_that_no_store_can_look_for_is_not_taken_whoever_sealed_it(
        number in any::<i64>(), before in ".{0,5}", after in ".{0,5}",
    ) {
        let forged = given("orders", &(None, None), &(number, format!("{before}\0{after}"))).unwrap();
        let page = service_kit::page::PageParams { limit: None, cursor: Some(forged) };
        let parsed = service_kit::page::Paging::<Key>::parse(&page, "orders", &(None::<String>, None::<u32>));
        prop_assert_eq!(parsed.unwrap_err().code(), "invalid_cursor");
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds_no_surprise() {
    let corpus = corpus::of("cursor");
    assert!(!corpus.is_empty());
    for (path, bytes) in corpus {
        println!("{}", path.display());
        drop(taken("orders", &(None, None), &String::from_utf8_lossy(&bytes)));
    }
}
