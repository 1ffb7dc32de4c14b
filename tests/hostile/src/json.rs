//! JSON that is not what is expected: at the bounds of every type, or one change away from what is right.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Levels that a reader of JSON takes; one more is refused by it.
const DEEP: usize = 120;

/// A value that seldom stands where something else was expected.
pub fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        select(vec![0, -1, 1, i64::MAX, i64::MIN, 1 << 32, 1_000_000_001]).prop_map(Value::from),
        select(vec![u64::MAX, 1 << 63]).prop_map(Value::from),
        select(vec![1.5, -0.0, 1e300, f64::MIN_POSITIVE]).prop_map(Value::from),
        odd_text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[]]])),
        Just(nested(DEEP)),
    ]
}

/// Arrays in arrays.
pub fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

/// Texts that are seldom meant.
pub fn odd_text() -> impl Strategy<Value = String> {
    let texts = [
        "",
        " ",
        ".",
        "..",
        "/",
        "a/b",
        "\0",
        "a\0b",
        "\u{7}",
        "\u{200b}",
        "\u{202e}",
        "\u{feff}",
        "\u{2028}",
        "\u{fffd}",
        "\u{10ffff}",
        "null",
        "true",
        "1",
        "GBP",
        "XXX",
        "'; --",
        "%00",
        "%2f",
        "${x}",
        "<b>",
        "9999-12-31T23:59:60Z",
        "+262142-12-31T23:59:59Z",
        "-262143-01-01T00:00:00Z",
        "2010-12-01T08:26:00Z",
    ];
    let long = |(piece, times): (&str, usize)| piece.repeat(times);
    prop_oneof![
        6 => select(texts.to_vec()).prop_map(str::to_owned),
        1 => (select(vec!["x", "é", "\u{1f600}", "\"", "\\"]), select(vec![60, 64, 65, 200, 501, 5_000]))
            .prop_map(long),
    ]
}

/// Any value of a few levels.
pub fn any_value() -> impl Strategy<Value = Value> {
    odd().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((".{0,6}", inner), 0..5).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// One change in a value.
#[derive(Debug, Clone)]
enum Change {
    Replace(Index, Value),
    Remove(Index),
    Add(Index, String, Value),
    Twice(Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), odd()).prop_map(|(at, value)| Change::Replace(at, value)),
        2 => any::<Index>().prop_map(Change::Remove),
        1 => (any::<Index>(), "[a-z_]{0,8}", odd())
            .prop_map(|(at, name, value)| Change::Add(at, name, value)),
        1 => any::<Index>().prop_map(Change::Twice),
    ]
}

/// The value after one to three changes: a part replaced, removed, added or repeated.
pub fn altered(original: Value) -> impl Strategy<Value = Value> {
    vec(change(), 1..=3).prop_map(move |changes| {
        let mut value = original.clone();
        for change in changes {
            make(&mut value, change);
        }
        value
    })
}

fn make(value: &mut Value, change: Change) {
    let places = places(value);
    let place = |at: Index| places[at.index(places.len())].clone();
    match change {
        Change::Replace(at, new) => {
            if let Some(there) = value.pointer_mut(&place(at)) {
                *there = new;
            }
        }
        Change::Remove(at) => {
            let pointer = place(at);
            let Some((above, name)) = pointer.rsplit_once('/') else { return };
            match value.pointer_mut(above) {
                Some(Value::Object(members)) => drop(members.remove(&unescaped(name))),
                Some(Value::Array(items)) => {
                    if let Ok(index) = name.parse::<usize>() {
                        items.remove(index);
                    }
                }
                _ => {}
            }
        }
        Change::Add(at, name, new) => match value.pointer_mut(&place(at)) {
            Some(Value::Object(members)) => drop(members.insert(name, new)),
            Some(Value::Array(items)) => items.push(new),
            _ => {}
        },
        Change::Twice(at) => {
            if let Some(Value::Array(items)) = value.pointer_mut(&place(at)) {
                items.extend(items.clone());
            }
        }
    }
}

/// Pointers to the value and everything in it.
fn places(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut below = |name: &str, value: &Value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        found.extend(places(value).into_iter().map(|place| format!("/{name}{place}")));
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| below(&index.to_string(), item));
        }
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name, value)),
        _ => {}
    }
    found
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The text of an object in which one member stands twice, chosen by a number; `None` where there is no member.
pub fn with_a_member_twice(object: &Map<String, Value>, which: usize) -> Option<String> {
    let (name, value) = object.iter().nth(which.checked_rem(object.len())?)?;
    let text = Value::Object(object.clone()).to_string();
    let name = Value::from(name.as_str());
    Some(format!("{{{name}:{value},{}", text.strip_prefix('{')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original() -> Value {
        json!({ "a": [1, { "b/c": null }], "d": {} })
    }

    #[test]
    fn every_place_of_a_value_is_found() {
        let found = places(&original());
        assert_eq!(found, ["", "/a", "/a/0", "/a/1", "/a/1/b~1c", "/d"]);
        assert!(found.iter().all(|place| original().pointer(place).is_some()));
    }

    #[test]
    fn a_member_stands_twice() {
        let object = json!({ "a": 1, "b": 2 });
        let text = with_a_member_twice(object.as_object().unwrap(), 3).unwrap();
        assert_eq!(text, r#"{"b":2,"a":1,"b":2}"#);
    }

    proptest! {
        #[test]
        fn a_change_can_be_made_to_any_value(value in any_value(), change in change()) {
            let mut value = value;
            make(&mut value, change);
        }
    }
}
