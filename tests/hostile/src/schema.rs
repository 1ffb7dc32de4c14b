//! Instances of a JSON Schema, as far as our own generated schemas go: input of the right structure for every event and command,
//! also for those that are not written yet.
//!
//! **Invariant:** a keyword that is not known here is a panic, so that no schema is followed by half.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// Keywords that say nothing about what is valid.
const REMARKS: [&str; 6] = ["$schema", "$defs", "title", "description", "default", "deprecated"];
/// The most items of an array.
const MOST_ITEMS: usize = 3;

/// Values that this schema allows; at the bounds of numbers and texts more often than chance would have it.
pub fn instances(schema: &Value) -> BoxedStrategy<Value> {
    of(schema, schema)
}

fn of(schema: &Value, root: &Value) -> BoxedStrategy<Value> {
    let members = match schema {
        Value::Bool(true) => return super::json::any_value().boxed(),
        Value::Object(members) => members,
        other => panic!("{other} is no schema"),
    };
    if let Some(name) = text(members, "$ref") {
        let named = name.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return of(named.unwrap_or_else(|| panic!("{name} is not there")), root);
    }
    if let Some(value) = members.get("const") {
        return Just(value.clone()).boxed();
    }
    if let Some(values) = list(members, "enum") {
        return select(values.clone()).boxed();
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = list(members, choice) {
            let choices: Vec<_> = choices.iter().map(|schema| of(schema, root)).collect();
            return proptest::strategy::Union::new(choices).boxed();
        }
    }
    match members.get("type") {
        Some(Value::String(name)) => of_type(name, members, root),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            let choices: Vec<_> = names.map(|name| of_type(name, members, root)).collect();
            proptest::strategy::Union::new(choices).boxed()
        }
        _ => panic!("a schema without a type: {schema}"),
    }
}

fn of_type(name: &str, schema: &Map<String, Value>, root: &Value) -> BoxedStrategy<Value> {
    match name {
        "null" => Just(Value::Null).boxed(),
        "boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "integer" => integers(schema).boxed(),
        "string" => texts(schema).boxed(),
        "array" => {
            know(schema, &["type", "items"]);
            let items = of(&schema["items"], root);
            vec(items, 0..=MOST_ITEMS).prop_map(Value::from).boxed()
        }
        "object" => objects(schema, root),
        other => panic!("no values of type {other} are known"),
    }
}

fn objects(schema: &Map<String, Value>, root: &Value) -> BoxedStrategy<Value> {
    know(schema, &["type", "properties", "required", "additionalProperties"]);
    let required = list(schema, "required").cloned().unwrap_or_default();
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let members: Vec<_> = properties
        .iter()
        .map(|(name, schema)| {
            let (name, needed) = (name.clone(), required.contains(&name.as_str().into()));
            let there = if needed { Just(true).boxed() } else { any::<bool>().boxed() };
            (there, of(schema, root))
                .prop_map(move |(there, value)| there.then(|| (name.clone(), value)))
        })
        .collect();
    members.prop_map(|members| members.into_iter().flatten().collect()).boxed()
}

fn integers(schema: &Map<String, Value>) -> impl Strategy<Value = Value> + use<> {
    know(schema, &["type", "minimum", "maximum", "format"]);
    let (least, most) = match text(schema, "format") {
        None | Some("int64") => (i64::MIN, i64::MAX),
        Some("uint32") => (0, i64::from(u32::MAX)),
        // What is more than an `i64` is tried as an altered value.
        Some("uint64") => (0, i64::MAX),
        Some(other) => panic!("no integers of format {other} are known"),
    };
    let bound =
        |name: &str, otherwise: i64| schema.get(name).and_then(Value::as_i64).unwrap_or(otherwise);
    let (least, most) = (bound("minimum", least), bound("maximum", most));
    let middling = least.max(0)..=most.min(1_000);
    prop_oneof![3 => middling, 1 => select(vec![least, most]), 1 => least..=most]
        .prop_map(Value::from)
}

fn texts(schema: &Map<String, Value>) -> BoxedStrategy<Value> {
    know(schema, &["type", "minLength", "maxLength", "pattern", "format"]);
    if let Some(pattern) = text(schema, "pattern") {
        assert_eq!(pattern, "^[A-Z]{3}$", "no texts of another pattern are known");
        return select(vec!["GBP", "EUR", "JPY", "XXX"]).prop_map(Value::from).boxed();
    }
    if let Some(format) = text(schema, "format") {
        assert_eq!(format, "date-time", "no texts of another format are known");
        let times =
            vec!["2010-12-01T08:26:00Z", "1970-01-01T00:00:00.000001Z", "9998-12-31T23:59:59Z"];
        return select(times).prop_map(Value::from).boxed();
    }
    let length = |name: &str, otherwise: u64| {
        let given = schema.get(name).and_then(Value::as_u64).unwrap_or(otherwise);
        usize::try_from(given).unwrap_or(usize::MAX)
    };
    let (least, most) = (length("minLength", 0), length("maxLength", 40));
    let letters = |count: usize| "x".repeat(count);
    prop_oneof![
        3 => vec(prop::char::range('!', '~'), least..=most.min(12)).prop_map(String::from_iter),
        1 => vec(prop::char::range('¡', 'ɏ'), least..=most.min(12)).prop_map(String::from_iter),
        1 => select(vec![letters(least), letters(most)]),
    ]
    .prop_map(Value::from)
    .boxed()
}

fn text<'s>(schema: &'s Map<String, Value>, name: &str) -> Option<&'s str> {
    schema.get(name).and_then(Value::as_str)
}

fn list<'s>(schema: &'s Map<String, Value>, name: &str) -> Option<&'s Vec<Value>> {
    schema.get(name).and_then(Value::as_array)
}

fn know(schema: &Map<String, Value>, keywords: &[&str]) {
    for name in schema.keys() {
        let known = keywords.contains(&name.as_str()) || REMARKS.contains(&name.as_str());
        assert!(known, "a schema says `{name}`, which is not followed here");
    }
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_instance_has_what_is_required_and_keeps_to_bounds() {
        let schema = json!({
            "$defs": { "Kind": { "oneOf": [{ "const": "a" }, { "const": "b" }] } },
            "type": "object",
            "properties": {
                "kind": { "$ref": "#/$defs/Kind" },
                "count": { "type": "integer", "minimum": 1, "maximum": 3 },
                "names": { "type": "array", "items": { "type": "string", "minLength": 1, "maxLength": 2 } },
                "more": { "type": ["string", "null"] }
            },
            "required": ["kind", "count", "names"]
        });
        let (mut runner, strategy) = (TestRunner::deterministic(), instances(&schema));
        let mut with_more = 0;
        for _ in 0..200 {
            let value = strategy.new_tree(&mut runner).unwrap().current();
            assert!(["a", "b"].contains(&value["kind"].as_str().unwrap()), "{value}");
            assert!((1..=3).contains(&value["count"].as_i64().unwrap()), "{value}");
            for name in value["names"].as_array().unwrap() {
                assert!((1..=2).contains(&name.as_str().unwrap().chars().count()), "{value}");
            }
            with_more += usize::from(value.get("more").is_some());
        }
        assert!((20..180).contains(&with_more), "{with_more}");
    }

    #[test]
    fn a_keyword_that_is_not_known_is_not_passed_over() {
        let unknown = json!({ "type": "string", "contentEncoding": "base64" });
        assert!(std::panic::catch_unwind(|| drop(instances(&unknown))).is_err());
    }
}
