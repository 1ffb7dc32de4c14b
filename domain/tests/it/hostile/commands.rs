//! Commands that no saga sent.

use domain::command::Command;
use hostile_input::{bytes, corpus, json, schema};
use proptest::prelude::*;
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::command_law::check;

/// A command of any kind, made after the schema of its body.
fn made_after_its_schema() -> impl Strategy<Value = Value> {
    let one = |(name, schema): (&'static str, schemars::Schema)| {
        let body = schema::instances(&schema.to_value());
        body.prop_map(move |body| serde_json::json!({ "command": name, "body": body }))
    };
    Union::new(Command::schemas().into_iter().map(one))
}

proptest! {
    #[test]
    fn a_command_made_after_its_schema_is_the_same_however_often_it_is_read(made in made_after_its_schema()) {
        check(&made.to_string());
    }

    #[test]
    fn a_command_with_something_changed_is_refused_or_read_as_one(
        changed in made_after_its_schema().prop_flat_map(json::altered),
    ) {
        check(&changed.to_string());
    }

    #[test]
    fn the_text_of_a_command_may_be_damaged_anywhere(
        text in made_after_its_schema().prop_flat_map(|made| bytes::altered(made.to_string())),
    ) {
        check(&String::from_utf8_lossy(&text));
    }

    #[test]
    fn a_command_that_says_something_twice_is_not_taken(made in made_after_its_schema(), which: usize) {
        let body = made["body"].as_object().unwrap();
        if let Some(twice) = json::with_a_member_twice(body, which) {
            let text = format!("{{\"command\":{},\"body\":{twice}}}", made["command"]);
            prop_assert!(check(&text).is_none(), "{text}");
        }
    }
}

#[test]
fn most_of_what_is_made_after_the_schemas_are_commands() {
    let mut runner = TestRunner::deterministic();
    let mut read = std::collections::BTreeSet::new();
    let made = made_after_its_schema();
    for _ in 0..2_000 {
        let text = made.new_tree(&mut runner).unwrap().current().to_string();
        read.extend(check(&text).map(|command| command.name()));
    }
    let all = Command::schemas().into_iter().map(|(name, _)| name);
    let never: Vec<_> = all.filter(|name| !read.contains(name)).collect();
    assert_eq!(never, [""; 0], "a test that no such command passes tests little");
}

#[test]
fn the_corpus_of_the_fuzzer_holds_no_surprise() {
    let corpus = corpus::of("command");
    assert!(!corpus.is_empty());
    for (path, bytes) in corpus {
        println!("{}", path.display());
        check(&String::from_utf8_lossy(&bytes));
    }
}
