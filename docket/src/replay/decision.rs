//! What an operator decides about the generation that is kept beside a live one, in words.

use projection_service::offline::Decision;

/// Characters of a row that are shown.
const SHOWN_CHARACTERS: usize = 160;

/// What is said of a rebuild that differs.
pub(super) const DIFFERS: &str = "DIFFERS from the live one, which stays live. The new one is kept beside it: \
    `docket replay --switch` makes it live, `docket replay --drop` drops it";

/// A row that differs, on a line of its own.
pub(super) fn difference(
    table: &str,
    key: &str,
    live: Option<&str>,
    rebuilt: Option<&str>,
) -> String {
    let row = |row: Option<&str>| match row {
        Some(text) => text.chars().take(SHOWN_CHARACTERS).collect(),
        None => "no row".to_owned(),
    };
    format!("\n  {table} {key}\n    live:    {}\n    rebuilt: {}", row(live), row(rebuilt))
}

/// The word of the API.
pub(super) fn verb(decision: Decision) -> &'static str {
    match decision {
        Decision::RollBack => "rollback",
        Decision::Switch => "switch",
        Decision::Drop => "drop",
    }
}

/// What was done.
pub(super) fn done(decision: Decision) -> &'static str {
    match decision {
        Decision::RollBack => {
            "the generation that was live before is live again; the other one is kept"
        }
        Decision::Switch => {
            "the generation that was kept is live now; the other one is kept for a rollback"
        }
        Decision::Drop => "what was kept beside the live generation is dropped",
    }
}

/// Why nothing was done.
pub(super) fn nothing(decision: Decision) -> &'static str {
    match decision {
        Decision::RollBack => {
            "there is nothing to roll back to: no generation is kept that was live before"
        }
        Decision::Switch => "there is nothing to switch to: no generation is kept that differs",
        Decision::Drop => "there is nothing to drop: no generation is kept",
    }
}
