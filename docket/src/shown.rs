//! What was told or is to be told, for people: webhooks, deliveries, mails.

use comfy_table::{Table, presets};
use serde_json::Value;

/// A row an entry, with these of its members.
pub(crate) fn table(items: &[Value], members: &[&str]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(members.iter().map(|member| member.to_uppercase().replace('_', " ")));
    for item in items {
        table.add_row(members.iter().map(|member| text(&item[member])));
    }
    table.trim_fmt()
}

/// A line a member; of a delivery's log a line an attempt.
pub(crate) fn lines(answer: &Value) -> String {
    let members = answer.as_object().into_iter().flatten();
    let line = |(name, value): (&String, &Value)| match (name.as_str(), value) {
        ("log", Value::Array(attempts)) => {
            attempts.iter().map(attempt).collect::<Vec<_>>().join("\n")
        }
        _ => format!("{name:<22} {}", text(value)),
    };
    members.map(line).collect::<Vec<_>>().join("\n")
}

fn attempt(attempt: &Value) -> String {
    let said = ["status", "error"].map(|member| &attempt[member]).into_iter();
    let said: Vec<_> = said.filter(|said| !said.is_null()).map(text).collect();
    let (at, took) = (text(&attempt["at"]), text(&attempt["duration_ms"]));
    format!("{:<22} {at}  {took} ms  {}", "attempt", said.join("  "))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "all".to_owned(),
        Value::Array(list) => list.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
