//! `docket projections`: how the read models of a running platform are, and what an operator does about a key that one of them
//! can't fold.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use serde_json::{Value, json};

use crate::api::{segment, stale, unique_key};
use crate::numbers::whole;
use crate::output;
use crate::platform_args::PlatformArgs;

/// Look at the read models, let one go on past a key that it can't fold, and replay that key
#[derive(Debug, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub(crate) struct ProjectionsArgs {
    #[command(subcommand)]
    command: ProjectionsCommand,
    #[command(flatten)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum ProjectionsCommand {
    /// List them: how far each is, and what is parked
    List,
    /// Show one: where it stands still and why, and each key that is parked
    Show {
        /// Which one
        name: String,
    },
    /// Let one go on that stands still at an event of one key: this and all later events of the key wait
    Park {
        /// Which one
        name: String,
        /// Why; in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Only if it stands still here [default: wherever it stands still]
        #[arg(long, value_name = "POSITION", value_parser = whole::<u64>, allow_negative_numbers = true)]
        position: Option<u64>,
        /// Only if it is this key
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Apply what waits for a parked key, now that it can be read
    Replay {
        /// Which one
        name: String,
        /// The key, as `show` names it
        key: String,
        /// Why; in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl ProjectionsArgs {
    /// Asks, and prints the answer.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let api = self.platform.api()?;
        let (path, body) = match self.command {
            ProjectionsCommand::List => {
                let list = api.get("/v1/projections").await?;
                self.platform.print(&list["items"], as_table)?;
                output::note_stale(stale(&list).as_deref());
                return Ok(ExitCode::SUCCESS);
            }
            ProjectionsCommand::Show { name } => {
                let model = api.get(&path_of(&name)).await?;
                self.platform.print(&model, in_words)?;
                output::note_stale(stale(&model).as_deref());
                return Ok(ExitCode::SUCCESS);
            }
            ProjectionsCommand::Park { name, reason, position, key } => {
                let path = path_of(&name);
                let position = match position {
                    Some(position) => position,
                    None => stands_still_at(&name, &api.get(&path).await?)?,
                };
                let mut body = json!({ "position": position, "reason": reason });
                if let Some(key) = key {
                    body["key"] = key.into();
                }
                (format!("{path}/park"), body)
            }
            ProjectionsCommand::Replay { name, key, reason } => {
                (format!("{}/replay", path_of(&name)), json!({ "key": key, "reason": reason }))
            }
        };
        let answer = api.post_json(&path, &unique_key("projections"), &body).await?;
        self.platform.print(&answer, in_words)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn path_of(name: &str) -> String {
    format!("/v1/projections/{}", segment(name))
}

fn stands_still_at(name: &str, model: &Value) -> Result<u64> {
    match model["fault"]["position"].as_u64() {
        Some(position) => Ok(position),
        None => bail!("`{name}` does not stand still: there is nothing to park"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn as_table(items: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["NAME", "STATE", "POSITION", "HEAD", "PARKED"]);
    for item in items.as_array().into_iter().flatten() {
        let cells = ["name", "state", "position", "head", "parked"];
        table.add_row(cells.map(|member| text(&item[member])));
    }
    table.trim_fmt()
}

fn in_words(model: &Value) -> String {
    let name = text(&model["name"]);
    let mut lines =
        vec![format!("{name}: {} at position {}", text(&model["state"]), model["live_position"])];
    if let Some(fault) = model.get("fault") {
        let (position, cause) = (&fault["position"], text(&fault["cause"]));
        lines.push(format!("  ✗ stands still at position {position}: {cause}"));
        if let Some(key) = fault.get("key").map(text) {
            lines.push(format!(
                "    it is of the key {key}: `docket projections park {name} --reason …` lets all others go on"
            ));
        }
    }
    for parked in model["parked"].as_array().into_iter().flatten() {
        let part = |member: &str| text(&parked[member]);
        lines.push(format!(
            "  ! {} parked at position {} by {} ({}): {} events wait\n    {}",
            part("key"),
            part("position"),
            part("actor"),
            part("reason"),
            part("waiting"),
            part("cause"),
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projector_that_stands_still_says_what_may_be_done() {
        let fault = json!({ "position": 7, "cause": "no reader", "key": "22423" });
        let faulted =
            json!({ "name": "stock", "state": "faulted", "live_position": 6, "fault": fault });
        let words = in_words(&faulted);
        assert!(words.contains("✗ stands still at position 7: no reader"), "{words}");
        assert!(words.contains("docket projections park stock"), "{words}");
        assert_eq!(stands_still_at("stock", &faulted).unwrap(), 7);
        let running = json!({ "name": "stock", "state": "running", "live_position": 6 });
        assert_eq!(in_words(&running), "stock: running at position 6");
        assert!(stands_still_at("stock", &running).is_err());
    }

    #[test]
    fn a_parked_key_is_told_with_who_and_why() {
        let key = json!({ "key": "22423", "position": 7, "cause": "no reader", "reason": "upgrade at noon",
            "actor": "ada", "waiting": 3 });
        let model =
            json!({ "name": "stock", "state": "running", "live_position": 9, "parked": [key] });
        let words = in_words(&model);
        assert!(
            words.contains("! 22423 parked at position 7 by ada (upgrade at noon): 3 events wait"),
            "{words}"
        );
    }
}
