//! Bodies that no client of ours would send.

use hostile_input::{bytes, corpus, json};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::body_law::{check, read};

fn order() -> Value {
    json!({
        "id": "first", "lines": [{ "sku": "a", "quantity": 1, "delta": -1 }, { "sku": "b", "quantity": 2, "delta": 0 }],
        "address": { "lines": ["1 High Street"] }, "occurred_at": "2010-12-01T08:26:00Z", "express": true,
    })
}

proptest! {
    #[test]
    fn a_body_is_read_or_all_that_is_wrong_is_named(body in prop_oneof![
        bytes::noise_or_altered(vec![order().to_string().into_bytes()]).boxed(),
        json::altered(order()).prop_map(|value| value.to_string().into_bytes()).boxed(),
        json::any_value().prop_map(|value| value.to_string().into_bytes()).boxed(),
    ]) {
        check(&body);
    }

    #[test]
    fn one_part_of_another_type_is_pointed_at(
        (pointer, part) in prop::sample::select(vec![
            "/id", "/lines", "/lines/0", "/lines/0/sku", "/lines/1/quantity", "/lines/1/delta", "/address/lines",
            "/address/lines/0", "/express",
        ]).prop_flat_map(|pointer| (Just(pointer), json::any_value())),
    ) {
        let mut body = order();
        *body.pointer_mut(pointer).unwrap() = part;
        if let Err(problem) = read(body.to_string().as_bytes()) {
            for mistake in problem["errors"].as_array().unwrap() {
                let place = mistake["pointer"].as_str().unwrap();
                prop_assert!(place.starts_with(pointer), "{} for {}: {}", place, pointer, body);
            }
        }
    }

    #[test]
    fn a_member_that_is_given_twice_is_refused(which: usize) {
        let text = json::with_a_member_twice(order().as_object().unwrap(), which).unwrap();
        let problem = read(text.as_bytes()).unwrap_err();
        prop_assert_eq!(&problem["errors"][0]["detail"], "is given twice");
    }
}

/// Bodies of about a mebibyte that cost most to look at.
fn costly() -> Vec<(&'static str, String)> {
    let (most, half) = (1_000_000, 500_000);
    let name = "n".repeat(half);
    let many = |piece: &str, bytes: usize| vec![piece; bytes / (piece.len() + 1)].join(",");
    vec![
        ("arrays in arrays", "[".repeat(most)),
        ("arrays in arrays that end", format!("{}{}", "[".repeat(half), "]".repeat(half))),
        ("objects in objects", "{\"a\":".repeat(most / 5)),
        ("a long text", format!("{{\"id\":1,\"lines\":\"{}\"}}", "x".repeat(most))),
        ("a long name", format!("{{\"{}\":1}}", "x".repeat(most))),
        (
            "a long text of escapes",
            format!("{{\"id\":[],\"express\":\"{}\"}}", "\\u0001".repeat(most / 6)),
        ),
        ("a long number", format!("{{\"id\":{}}}", "9".repeat(most))),
        ("a long fraction", format!("{{\"express\":0.{}}}", "3".repeat(most))),
        ("a large exponent", "{\"id\":1e999999999}".to_owned()),
        ("many items", format!("{{\"id\":1,\"lines\":[{}]}}", many("0", most))),
        ("many members", format!("{{\"id\":1,{}}}", many("\"a\":0", most))),
        ("many wrong lines", format!("{{\"lines\":[{}]}}", many("{\"sku\":1}", most))),
        ("many items below a long name", format!("{{\"{name}\":[{}]}}", many("0", half))),
        ("many members below a long name", format!("{{\"{name}\":{{{}}}}}", many("\"a\":0", half))),
        (
            "many mistakes below a long name",
            format!("{{\"lines\":[{{\"{name}\":{{{}}}}}]}}", many("\"a\":0", half)),
        ),
        ("many blanks", " ".repeat(most)),
        ("many blanks before the end", format!("{}{}", order(), " ".repeat(most)) + "x"),
    ]
}

#[test]
fn what_costs_much_to_look_at_is_answered_at_once_and_in_short() {
    for (what, body) in costly() {
        let begun = std::time::Instant::now();
        assert!(read(body.as_bytes()).is_err(), "{what}");
        // Squares of what is sent take minutes here; so the bound can be wide enough for any machine.
        assert!(begun.elapsed().as_secs() < 20, "{what} took {:?}", begun.elapsed());
    }
}

#[test]
fn an_answer_does_not_send_the_request_back() {
    let long = "x".repeat(900_000);
    for body in [
        json!({ "id": 1, (long.clone()): 1 }),
        json!({ "id": "a", "lines": long, "express": long }),
        json!({ "id": "a", "lines": [{ (long.clone()): 1 }], "express": true }),
    ] {
        let problem = read(body.to_string().as_bytes()).unwrap_err();
        let (pointer, detail) = (&problem["errors"][0]["pointer"], &problem["errors"][0]["detail"]);
        let count = |text: &Value| text.as_str().unwrap().chars().count();
        assert!(count(pointer) <= 501 && count(detail) <= 501, "{problem}");
        assert!(problem.to_string().len() < 4_000, "{}", problem.to_string().len());
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds_no_surprise() {
    let corpus = corpus::of("body");
    assert!(!corpus.is_empty());
    for (path, body) in corpus {
        println!("{}", path.display());
        check(&body);
    }
}
