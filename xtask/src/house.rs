//! House rules that no lint knows: names and sizes of files, where SQL may stand, which crate may use which, and
//! whether every metric is described.
//!
//! A `#[cfg(test)]` item ends a file's code: tests stand last, and they are not counted.

use std::path::Path;

use anyhow::bail;

use crate::edges;
use crate::metric_names;
use crate::sources::{self, SourceFile};

/// The most lines of code that a file may have.
const MOST_LINES: usize = 400;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];
/// Folders in which SQL may stand.
const SQL_FOLDERS: [&str; 4] = ["sql", "sqlite", "postgres", "storage"];
/// How a statement begins.
const SQL_STARTS: [&str; 10] = [
    "SELECT",
    "INSERT INTO",
    "INSERT OR",
    "UPDATE",
    "DELETE FROM",
    "CREATE TABLE",
    "CREATE INDEX",
    "CREATE UNIQUE",
    "ALTER TABLE",
    "PRAGMA",
];

/// Checks every rule and names every breach.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let files = sources::read(root)?;
    let mut breaches: Vec<String> = files.iter().flat_map(breaches_of).collect();
    breaches.extend(edges::breaches(root)?);
    breaches.extend(metric_names::breaches(root, &files)?);
    if breaches.is_empty() {
        println!("the house rules are kept");
        return Ok(());
    }
    bail!("{}\n{} house rules are broken", breaches.join("\n"), breaches.len())
}

/// What is wrong with one file.
fn breaches_of(file: &SourceFile) -> Vec<String> {
    let mut breaches = Vec::new();
    let place = file.path.display();
    let parts = file.path.iter().map(|part| part.to_string_lossy());
    if let Some(name) =
        parts.map(|part| part.trim_end_matches(".rs").to_owned()).find(|part| is_empty_name(part))
    {
        breaches.push(format!("{place}: `{name}` says nothing about what is inside"));
    }
    if file.is_test() {
        return breaches;
    }
    let lines = file.code().count();
    if lines > MOST_LINES {
        breaches.push(format!("{place}: {lines} lines are more than {MOST_LINES}; split it"));
    }
    let is_mod = file.path.file_name().is_some_and(|name| name == "mod.rs");
    let may_hold_sql = SQL_FOLDERS.iter().any(|folder| file.is_under(folder));
    for (number, line) in file.code().filter(|(_, line)| !line.trim_start().starts_with("//")) {
        if is_mod && declares_function(line) {
            breaches.push(format!(
                "{place}:{number}: a function in mod.rs; it only declares modules and names"
            ));
        }
        if !may_hold_sql && holds_sql(line) {
            breaches.push(format!("{place}:{number}: SQL outside of a storage folder"));
        }
    }
    breaches
}

fn is_empty_name(name: &str) -> bool {
    EMPTY_NAMES.contains(&name)
}

fn declares_function(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let first = words
        .iter()
        .position(|word| !matches!(*word, "async" | "const" | "pub") && !word.starts_with("pub("));
    first.is_some_and(|index| words[index] == "fn")
}

/// Whether a string literal that begins, or goes on, in this line begins with a statement.
fn holds_sql(line: &str) -> bool {
    let starts = |text: &str| {
        let text = text.trim_start();
        SQL_STARTS
            .iter()
            .any(|start| text.strip_prefix(start).is_some_and(|rest| rest.starts_with(' ')))
    };
    starts(line) || line.split('"').skip(1).any(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> usize {
        breaches_of(&SourceFile { path: path.into(), text: text.to_owned() }).len()
    }

    #[test]
    fn a_file_is_named_after_what_is_inside() {
        assert_eq!(breaches("domain/src/utils.rs", ""), 1);
        assert_eq!(breaches("domain/src/common/order.rs", ""), 1);
        assert_eq!(breaches("domain/src/order.rs", ""), 0);
    }

    #[test]
    fn a_file_has_at_most_400_lines_without_its_tests() {
        let long = "let x = 1;\n".repeat(401);
        assert_eq!(breaches("domain/src/order.rs", &long), 1);
        assert_eq!(
            breaches("domain/src/order.rs", &format!("fn f() {{}}\n#[cfg(test)]\n{long}")),
            0
        );
        assert_eq!(breaches("docket/tests/order.rs", &long), 0);
    }

    #[test]
    fn a_mod_file_has_no_function() {
        assert_eq!(breaches("domain/src/orders/mod.rs", "pub(crate) async fn place() {}"), 1);
        assert_eq!(
            breaches("domain/src/orders/mod.rs", "//! a fn\nmod place;\npub use place::fn_like;"),
            0
        );
        assert_eq!(breaches("domain/src/orders/place.rs", "fn place() {}"), 0);
    }

    #[test]
    fn sql_stands_in_storage_folders_alone() {
        let statement = "const ALL: &str = \"SELECT id FROM orders\";";
        assert_eq!(breaches("projection-service/src/query.rs", statement), 1);
        assert_eq!(
            breaches("projection-service/src/query.rs", "    \"\n    DELETE FROM orders\n\""),
            1
        );
        assert_eq!(breaches("projection-service/src/storage/query.rs", statement), 0);
        assert_eq!(breaches("projection-service/src/query.rs", "// SELECT is not done here"), 0);
    }

    #[test]
    fn this_workspace_keeps_the_rules() {
        check(&crate::workspace()).unwrap();
    }
}
