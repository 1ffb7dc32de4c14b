//! `docket sagas`: where the sagas of a running platform stand, why, and what a person can do about one.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{Table, presets};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::{Api, Listed, segment, stale, unique_key};
use crate::output;
use crate::platform_args::PlatformArgs;

/// Look at sagas, and help one on that needs a person
#[derive(Debug, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub(crate) struct SagasArgs {
    #[command(subcommand)]
    command: SagasCommand,
    #[command(flatten)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum SagasCommand {
    /// List them
    List {
        /// Those in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// Those of this kind
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// Those of this order
        #[arg(long, value_name = "ID")]
        order: Option<String>,
    },
    /// Say what one waits for, what went wrong, and what may be done about it
    Explain {
        /// Which one, as `list` names it
        id: String,
    },
    /// Make the failed step's next attempt now, because what it failed for is mended
    Retry {
        /// Which one, as `list` names it
        id: String,
        /// Why; kept in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let one go on past what the payment provider would not do, because a person settled it by hand
    Resolve {
        /// Which one, as `list` names it
        id: String,
        /// How it was settled; kept in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Whether the money went another way or is given up
        #[arg(long, value_enum, default_value_t = Settlement::Elsewhere)]
        settlement: Settlement,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum State {
    Running,
    Waiting,
    Completed,
    Compensated,
    NeedsAttention,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Order,
    Cancellation,
    Return,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Settlement {
    /// The money went another way
    Elsewhere,
    /// It is given up
    Waived,
}

impl SagasArgs {
    /// Asks, and prints the answer.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let api = self.platform.api()?;
        match self.command {
            SagasCommand::List { state, kind, order } => {
                let wanted = [("state", word(state)?), ("kind", word(kind)?), ("order_id", order)];
                let listed = list(&api, &wanted).await?;
                self.platform.print(&listed.items, |sagas| as_table(sagas))?;
                output::note_stale(listed.stale.as_deref());
            }
            SagasCommand::Explain { id } => {
                let saga = api.get(&format!("/v1/sagas/{}/explain", segment(&id))).await?;
                self.platform.print(&saga, as_lines)?;
                output::note_stale(stale(&saga).as_deref());
            }
            SagasCommand::Retry { id, reason } => {
                let saga = act(&api, &id, "retry", &json!({ "reason": reason })).await?;
                self.platform.print(&saga, as_lines)?;
            }
            SagasCommand::Resolve { id, reason, settlement } => {
                let how = json!({ "reason": reason, "settlement": settlement });
                let saga = act(&api, &id, "resolve", &how).await?;
                self.platform.print(&saga, as_lines)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The word that the API has for it.
fn word(wanted: Option<impl Serialize>) -> Result<Option<String>> {
    Ok(serde_json::to_value(wanted)?.as_str().map(str::to_owned))
}

async fn act(api: &Api, id: &str, action: &str, how: &Value) -> Result<Value> {
    let path = format!("/v1/sagas/{}/{action}", segment(id));
    api.post_json(&path, &unique_key(action), how).await
}

/// Every page.
async fn list(api: &Api, wanted: &[(&str, Option<String>)]) -> Result<Listed> {
    let filters = wanted.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let filters = filters.map(|(name, value)| format!("&{name}={}", segment(value)));
    let path = format!("/v1/sagas?limit=1000{}", filters.collect::<String>());
    api.every(&path).await
}

fn as_table(sagas: &[Value]) -> String {
    if sagas.is_empty() {
        return "There are no such sagas.".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["SAGA", "ORDER", "STATE", "STEP", "SINCE"]);
    for saga in sagas {
        let members = ["id", "order_id", "state", "step", "since"];
        table.add_row(members.map(|member| saga[member].as_str().unwrap_or("-")));
    }
    table.trim_fmt()
}

/// What is known of one, a line each; what is not said of it has none.
fn as_lines(saga: &Value) -> String {
    let members = [
        ("saga", "id"),
        ("order", "order_id"),
        ("state", "state"),
        ("step", "step"),
        ("since", "since"),
        ("waits for", "waiting_for"),
        ("until", "deadline"),
        ("attempts", "attempts"),
        ("last error", "last_error"),
        ("settled", "resolved"),
        ("caused by", "causing_position"),
    ];
    let mut lines: Vec<String> = Vec::new();
    for (told, member) in members {
        match &saga[member] {
            Value::Null => {}
            Value::String(text) => lines.push(format!("{told:<12} {text}")),
            other => lines.push(format!("{told:<12} {other}")),
        }
    }
    for command in saga["commands"].as_array().into_iter().flatten() {
        let (id, sends) = (command["command_id"].as_str().unwrap_or("-"), &command["sends"]);
        lines.push(format!("{:<12} {id}, sent {sends} times", "on its way"));
    }
    let id = saga["id"].as_str().unwrap_or_default();
    for action in saga["actions"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("{:<12} docket sagas {action} {id} --reason …", "may be done"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained() -> Value {
        json!({
            "id": "order-o1", "kind": "order", "order_id": "o1", "state": "needs_attention",
            "step": "capture_payment", "since": "2026-01-01T00:00:00Z", "waiting_for": "a person",
            "deadline": null, "attempts": 3, "last_error": "capture_refused", "causing_position": 9,
            "actions": ["retry", "resolve"], "resolved": null, "definition": 1,
            "commands": [{ "command_id": "order-o1/capture/3", "sends": 2 }],
        })
    }

    #[test]
    fn what_needs_a_person_is_told_with_what_that_person_may_do() {
        let expected = "saga         order-o1
order        o1
state        needs_attention
step         capture_payment
since        2026-01-01T00:00:00Z
waits for    a person
attempts     3
last error   capture_refused
caused by    9
on its way   order-o1/capture/3, sent 2 times
may be done  docket sagas retry order-o1 --reason …
may be done  docket sagas resolve order-o1 --reason …";
        assert_eq!(as_lines(&explained()), expected);
    }

    #[test]
    fn a_saga_is_a_line_of_the_table() {
        let table = as_table(&[explained()]);
        let line = table.lines().nth(1).unwrap();
        for part in ["order-o1", "needs_attention", "capture_payment"] {
            assert!(line.contains(part), "{table}");
        }
        assert_eq!(as_table(&[]), "There are no such sagas.");
    }

    #[test]
    fn what_is_wanted_is_said_in_the_words_of_the_api() {
        assert_eq!(word(Some(State::NeedsAttention)).unwrap().as_deref(), Some("needs_attention"));
        assert_eq!(word(None::<Kind>).unwrap(), None);
    }
}
