//! All that is wrong with a body, not only the first of it.
//!
//! A parser stops at its first mistake. So a copy of the body is mended there, with something that parses, and read again; what
//! would parse is tried out, because nothing here knows the types. It ends when the copy is read whole, when nothing that
//! is known would do, or when it has become work enough.
//!
//! **Invariant:** a mended copy is looked at and thrown away; nothing of it gets to a handler.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::mistakes;
use crate::objects;
use crate::problem::{Code, Mistake};
use crate::twice;

/// The most mistakes that are named.
pub(crate) const MOST_MISTAKES: usize = 20;
/// The most bytes that are read again for the mistakes of one body.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The most times that a body is read again.
const MOST_READINGS: usize = 300;

/// The mistakes of a body of which the first is known.
pub(crate) fn all<T: DeserializeOwned>(first: Mistake, text: &[u8]) -> Vec<Mistake> {
    let mut found = vec![first];
    let Ok((mut body, given_twice)) = twice::read(text) else { return found };
    for pointer in given_twice {
        note(&mut found, mistakes::given_twice(pointer));
    }
    let stand_ins = stand_ins();
    let mut tried: HashMap<String, usize> = HashMap::new();
    for _ in 0..(MOST_BYTES / text.len().max(1)).min(MOST_READINGS) {
        let Err(mistake) = read::<T>(&body) else { break };
        let nth = tried.entry(mistake.pointer.clone()).or_default();
        let Some(stand_in) = stand_ins.get(*nth) else { break };
        *nth += 1;
        mend(&mut body, &mistake.pointer, stand_in.as_ref());
        note(&mut found, mistake);
    }
    found.truncate(MOST_MISTAKES);
    found
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Mistake> {
    objects::read(body).map_err(|error| {
        let pointer = mistakes::pointer(error.path());
        mistakes::mistake(Code::InvalidBody, &pointer, &error.into_inner().to_string())
    })
}

/// What is tried in the place of a mistake, one after the other; `None` is nothing at all.
fn stand_ins() -> Vec<Option<Value>> {
    let values = [json!(1), json!("000"), json!(true), json!("GBP"), json!({}), json!([])];
    let texts = ["2010-12-01T08:26:00Z", "a@b"].map(Value::from);
    std::iter::once(None).chain(values.into_iter().chain(texts).map(Some)).collect()
}

fn mend(body: &mut Value, pointer: &str, stand_in: Option<&Value>) {
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        *body = stand_in.cloned().unwrap_or_default();
        return;
    };
    match (body.pointer_mut(parent), stand_in) {
        (Some(Value::Object(members)), None) => drop(members.remove(&mistakes::unescaped(last))),
        (Some(Value::Object(members)), Some(value)) => {
            members.insert(mistakes::unescaped(last), value.clone());
        }
        (Some(Value::Array(_)), Some(value)) => {
            if let Some(place) = body.pointer_mut(pointer) {
                *place = value.clone();
            }
        }
        _ => {}
    }
}

/// Adds a mistake, unless it is at, or below, what is known to be wrong: that is no longer what was sent.
fn note(found: &mut Vec<Mistake>, mistake: Mistake) {
    let covers = |known: &Mistake| {
        let below = mistake.pointer.strip_prefix(&known.pointer);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    if found.len() < MOST_MISTAKES && !found.iter().any(covers) {
        found.push(mistake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsing is looked at")]
    struct Order {
        currency: Currency,
        lines: Vec<Line>,
        address: Option<Address>,
        #[serde(default)]
        at: Option<crate::business_time::BusinessTime>,
        draft: Option<bool>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsing is looked at")]
    struct Line {
        sku: String,
        quantity: u32,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsing is looked at")]
    struct Address {
        country: String,
    }

    #[derive(Debug, serde::Deserialize)]
    enum Currency {
        #[serde(rename = "GBP")]
        Pound,
    }

    fn pointers(text: &str) -> Vec<String> {
        let problem = crate::extract::parse_json::<Order>(text.as_bytes()).unwrap_err().to_json();
        let errors = problem["errors"].as_array().unwrap();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_mistake_of_a_body_is_pointed_at_once() {
        let text = r#"{ "currency": "QQQ", "lines": [{ "sku": 1, "quantity": 1 }, { "quantity": -1, "colour": "red" }, 5],
            "address": { "city": "x" }, "at": "yesterday", "draft": "no", "a/b": 1 }"#;
        let mut found = pointers(text);
        found.sort();
        let wrong = [
            "/address/city",
            "/address/country",
            "/at",
            "/a~1b",
            "/currency",
            "/draft",
            "/lines/0/sku",
            "/lines/1/colour",
            "/lines/1/quantity",
            "/lines/1/sku",
            "/lines/2",
        ];
        assert_eq!(found, wrong);
    }

    #[test]
    fn the_first_mistake_of_the_text_stands_first() {
        assert_eq!(
            pointers(r#"{"draft":1,"currency":"GBP","at":1,"lines":[]}"#),
            ["/draft", "/at"]
        );
    }

    #[test]
    fn a_member_that_is_given_twice_is_one_of_them() {
        let text = r#"{"draft":1,"currency":"GBP","lines":[{"sku":"a","sku":"b","quantity":1}]}"#;
        assert_eq!(pointers(text), ["/draft", "/lines/0/sku"]);
        assert_eq!(
            pointers(r#"{"draft":true,"draft":true,"currency":"GBP"}"#),
            ["/draft", "/lines"]
        );
    }

    #[test]
    fn nothing_is_said_of_what_stands_in_the_place_of_a_mistake() {
        assert_eq!(pointers("[]"), [""]);
        assert_eq!(pointers("5"), [""]);
        assert_eq!(pointers(r#"{"currency":"GBP","lines":[],"address":7}"#), ["/address"]);
        assert_eq!(pointers("{"), [""]);
    }

    #[test]
    fn of_very_many_mistakes_the_first_are_named() {
        let lines = vec![r#"{"sku":"a","quantity":0.5}"#; 1000].join(",");
        let found = pointers(&format!(r#"{{"currency":"GBP","lines":[{lines}]}}"#));
        assert_eq!((found.len(), found[19].as_str()), (MOST_MISTAKES, "/lines/19/quantity"));
    }
}
