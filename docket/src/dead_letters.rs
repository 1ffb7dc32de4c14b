//! `docket dead-letters`: messages of the command queue that nobody could carry out, as a running platform has them.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::api::{segment, unique_key};
use crate::platform_args::PlatformArgs;

/// Characters of a cause that the list shows.
const SHOWN_CHARACTERS: usize = 120;

/// Look at messages of the command queue that nobody could carry out, and replay them
#[derive(Debug, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub(crate) struct DeadLettersArgs {
    #[command(subcommand)]
    command: LettersCommand,
    #[command(flatten)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum LettersCommand {
    /// List them, oldest first
    List {
        /// Also those that were replayed
        #[arg(long)]
        all: bool,
    },
    /// Show one with its message
    Show {
        /// Which one, as `list` names it
        id: String,
    },
    /// Carry one out, now that its cause is gone; it has its effect once
    Replay {
        /// Which one, as `list` names it
        id: String,
        /// Why; kept with the letter
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl DeadLettersArgs {
    /// Asks, and prints the answer.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let api = self.platform.api()?;
        match self.command {
            LettersCommand::List { all } => {
                let letters = api.every(&format!("/v1/dead-letters?limit=1000&all={all}")).await?;
                let letters = letters.items;
                self.platform.print(&letters, |letters| as_table(letters))?;
            }
            LettersCommand::Show { id } => {
                let letter = api.get(&format!("/v1/dead-letters/{}", segment(&id))).await?;
                self.platform.print(&letter, as_lines)?;
            }
            LettersCommand::Replay { id, reason } => {
                let path = format!("/v1/dead-letters/{}/replay", segment(&id));
                let letter = api
                    .post_json(&path, &unique_key("replay"), &json!({ "reason": reason }))
                    .await?;
                self.platform.print(&letter, as_lines)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text<'a>(letter: &'a Value, member: &str) -> &'a str {
    letter[member].as_str().unwrap_or("-")
}

/// The first line of a cause, as far as a row has room for it; `show` has all of it.
fn shortened(cause: &str) -> String {
    let line = cause.lines().next().unwrap_or_default();
    match line.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.len() < cause.trim_end().len() => format!("{line}…"),
        None => line.to_owned(),
    }
}

fn as_table(letters: &[Value]) -> String {
    if letters.is_empty() {
        return "There are no dead letters.".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ID", "STATE", "PARKED", "COMMAND", "CAUSE"]);
    for letter in letters {
        let cells = ["id", "state", "parked_at", "command_id"].map(|member| text(letter, member));
        let cause = shortened(text(letter, "cause"));
        table.add_row(cells.into_iter().chain([&*cause]));
    }
    table.trim_fmt()
}

fn as_lines(letter: &Value) -> String {
    let members = ["id", "state", "command_id", "cause", "parked_at", "replayed_at", "reason"];
    let members = members.into_iter().chain(letter["message"].is_string().then_some("message"));
    let lines = members.map(|member| format!("{member:<12} {}", text(letter, member)));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_a_line_of_the_table_with_its_cause() {
        let letter = json!({ "id": "4f", "state": "parked", "command_id": null,
            "parked_at": "2026-01-01T00:00:00Z", "cause": "unknown variant `Teleport`" });
        let table = as_table(&[letter]);
        let line = table.lines().nth(1).unwrap();
        assert!(line.contains("4f") && line.contains("unknown variant `Teleport`"), "{table}");
        let endless = json!({ "id": "4f", "cause": format!("{}\nmore", "é".repeat(1_000)) });
        let table = as_table(&[endless]);
        assert!(table.lines().all(|line| line.chars().count() < 200), "{table}");
        assert!(table.contains("é…"), "{table}");
        assert_eq!(as_table(&[]), "There are no dead letters.");
    }
}
