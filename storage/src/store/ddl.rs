//! Tables for both dialects: written once as SQLite wants them, with `INTEGER`, `TEXT` and `BLOB`.
//!
//! Only statements that make what is not there, such as `CREATE TABLE IF NOT EXISTS`. What is released to many
//! installations and changed later is a migration instead.

use super::schema::LOCK;

/// Words and what they become. Integers have 64 bits in both; texts sort by their bytes in both. A table whose rows are
/// rewritten again and again says so: with room beside a row, PostgreSQL puts its new version into the same page, and no index
/// learns of it.
const WORDS: [(&str, &str); 6] = [
    (" INTEGER", " BIGINT"),
    (" TEXT", " TEXT COLLATE \"C\""),
    (" BLOB", " BYTEA"),
    (") STRICT /* rewritten */", ") WITH (fillfactor = 50)"),
    (") STRICT, WITHOUT ROWID", ")"),
    (") STRICT", ")"),
];

/// Tables are there for good, also where what is in them may be lost.
const BEGIN: &str =
    "BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL synchronous_commit = on";

/// The statements in one transaction: two that start at once would collide.
pub(super) fn for_postgres(statements: &[&str]) -> String {
    let mut text = format!("{BEGIN}; {LOCK};\n");
    for statement in statements {
        let translated =
            WORDS.iter().fold((*statement).to_owned(), |text, (from, to)| text.replace(from, to));
        text.push_str(&translated);
        text.push_str(";\n");
    }
    text + "COMMIT"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_what_only_sqlite_knows_are_translated() {
        let table = "CREATE TABLE IF NOT EXISTS t (a TEXT PRIMARY KEY, b INTEGER NOT NULL, c BLOB) STRICT, WITHOUT ROWID";
        let text = for_postgres(&[table]);
        let wanted = "CREATE TABLE IF NOT EXISTS t (a TEXT COLLATE \"C\" PRIMARY KEY, b BIGINT NOT NULL, c BYTEA);";
        assert!(text.contains(wanted), "{text}");
    }

    #[test]
    fn rows_that_are_rewritten_have_room() {
        let text = for_postgres(&["CREATE TABLE IF NOT EXISTS t (a TEXT) STRICT /* rewritten */"]);
        assert!(text.contains("t (a TEXT COLLATE \"C\") WITH (fillfactor = 50);"), "{text}");
    }
}
