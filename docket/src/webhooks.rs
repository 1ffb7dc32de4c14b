//! `docket webhooks`: who is told of public events, as a running platform has them.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, segment, unique_key};
use crate::output;
use crate::platform_args::PlatformArgs;
use crate::shown::{lines, table};

/// Deliveries that are shown when nobody says how many.
const SHOWN: u16 = 50;
/// What is said when a secret is shown.
const KEEP: &str = "keep the secret: it is not shown again";

/// Look at webhooks and what they were told, register and change them, and tell them again
#[derive(Debug, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub(crate) struct WebhooksArgs {
    #[command(subcommand)]
    command: WebhooksCommand,
    #[command(flatten)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum WebhooksCommand {
    /// List them, oldest first
    List,
    /// Show one, with what waits for it
    Show {
        /// Which one, as `list` names it
        id: String,
    },
    /// Register one; prints its secret, which is shown nowhere else
    Add {
        /// Where events are posted
        address: String,
        /// Types such as `order.placed`, and groups such as `order.*`, separated by commas [default: all]
        #[arg(long, value_name = "TYPES", value_delimiter = ',')]
        events: Vec<String>,
        /// What it is, for those who look later
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Why; kept in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Forget one, and all that is for it
    Delete(Change),
    /// Tell one again, and of all that waited meanwhile
    Enable(Change),
    /// Tell one no more for now; what is for it waits
    Disable(Change),
    /// Draw another secret; for a while both sign
    RotateSecret {
        #[command(flatten)]
        change: Change,
        /// Seconds for which the secret before still signs, too
        #[arg(long, value_name = "SECONDS", default_value = "86400")]
        overlap_s: u32,
    },
    /// List what one was told or is to be, newest first
    Deliveries {
        /// Which one, as `list` names it
        id: String,
        /// Only what waits, was delivered or has failed
        #[arg(long, value_parser = ["waiting", "delivered", "failed"])]
        state: Option<String>,
        /// How many, at most
        #[arg(long, value_name = "NUMBER", default_value_t = SHOWN, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        limit: u16,
    },
    /// Show what one was told, with every attempt
    Delivery {
        /// Which webhook, as `list` names it
        id: String,
        /// Which delivery, as `deliveries` names it
        delivery: u64,
    },
    /// Tell one again: a delivery, or all that was given up since a time
    #[command(group = ArgGroup::new("again").required(true).args(["delivery", "failed_since"]))]
    Redeliver {
        #[command(flatten)]
        change: Change,
        /// Which delivery, as `deliveries` names it
        delivery: Option<u64>,
        /// All that was given up since then, such as 2026-11-30T08:00:00Z
        #[arg(long, value_name = "TIME")]
        failed_since: Option<String>,
    },
}

/// Which webhook is changed, and why.
#[derive(Debug, Args)]
struct Change {
    /// Which one, as `list` names it
    id: String,
    /// Why; kept in the log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl WebhooksArgs {
    /// Asks, and prints the answer.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let api = self.platform.api()?;
        let answer = self.command.ask(&api).await?;
        self.platform.print(&answer, shown)?;
        if answer["secret"].is_string() {
            output::note(KEEP);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl WebhooksCommand {
    async fn ask(self, api: &Api) -> Result<Value> {
        let change = async |change: Change, what: &str, more: Value| {
            let mut body = json!({ "reason": change.reason });
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                body.extend(more);
            }
            api.post_json(&format!("{}/{what}", path(&change.id)), &unique_key(what), &body).await
        };
        match self {
            Self::List => list(api).await,
            Self::Show { id } => api.get(&path(&id)).await,
            Self::Add { address, events, description, reason } => {
                let wanted = json!({ "url": address, "events": events, "description": description,
                    "reason": reason });
                api.post_json("/v1/webhooks", &unique_key("webhook"), &wanted).await
            }
            Self::Delete(Change { id, reason }) => {
                let path = format!("{}?reason={}", path(&id), segment(&reason));
                api.delete(&path, &unique_key("delete")).await?;
                Ok(json!({ "id": id, "state": "deleted" }))
            }
            Self::Enable(asked) => change(asked, "enable", Value::Null).await,
            Self::Disable(asked) => change(asked, "disable", Value::Null).await,
            Self::RotateSecret { change: asked, overlap_s } => {
                change(asked, "rotate-secret", json!({ "overlap_s": overlap_s })).await
            }
            Self::Deliveries { id, state, limit } => {
                let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
                api.get(&format!("{}/deliveries?limit={limit}{state}", path(&id))).await
            }
            Self::Delivery { id, delivery } => {
                api.get(&format!("{}/deliveries/{delivery}", path(&id))).await
            }
            Self::Redeliver { change: asked, delivery, failed_since } => {
                match (delivery, failed_since) {
                    (Some(delivery), _) => {
                        let what = format!("deliveries/{delivery}/redeliver");
                        change(asked, &what, Value::Null).await
                    }
                    (None, Some(since)) => {
                        change(asked, "redeliver", json!({ "since": since })).await
                    }
                    (None, None) => bail!("say which delivery, or since when"),
                }
            }
        }
    }
}

fn path(id: &str) -> String {
    format!("/v1/webhooks/{}", segment(id))
}

/// Every page, as one.
async fn list(api: &Api) -> Result<Value> {
    Ok(json!({ "items": api.every("/v1/webhooks?limit=1000").await?.items }))
}

/// An answer for people.
fn shown(answer: &Value) -> String {
    match answer["items"].as_array() {
        Some(items) if items.is_empty() => "There are none.".to_owned(),
        Some(items) if items[0]["url"].is_string() => {
            table(items, &["id", "state", "failing_since", "url"])
        }
        Some(items) => {
            table(items, &["id", "state", "event_type", "subject", "attempts", "created_at"])
        }
        None => lines(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_a_table_and_a_delivery_shows_every_attempt() {
        let webhook = json!({ "id": "wh_1", "state": "enabled", "failing_since": null, "url": "https://a.example/" });
        let table = shown(&json!({ "items": [webhook] }));
        assert!(table.contains("FAILING SINCE") && table.contains("https://a.example/"), "{table}");
        assert_eq!(shown(&json!({ "items": [] })), "There are none.");
        let attempts = [
            json!({ "at": "2026-11-30T10:00:00Z", "duration_ms": 12, "status": 500, "error": null }),
            json!({ "at": "2026-11-30T10:00:05Z", "duration_ms": 15000, "status": null, "error": "no answer within 15s" }),
            json!({ "at": "2026-11-30T10:00:10Z", "duration_ms": 9, "status": 302, "error": "redirects are not followed" }),
        ];
        let told = shown(&json!({ "id": 7, "log": attempts }));
        assert!(told.contains("12 ms  500\n"), "{told}");
        assert!(told.contains("15000 ms  no answer within 15s\n"), "{told}");
        assert!(told.ends_with("9 ms  302  redirects are not followed"), "{told}");
    }
}
