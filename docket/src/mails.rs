//! `docket mails`: what customers were told by mail, as a running platform has it. Whom a mail went to is not kept.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::{Api, segment, unique_key};
use crate::platform_args::PlatformArgs;
use crate::shown::{lines, table};

/// Mails that are shown when nobody says how many.
const SHOWN: u16 = 50;

/// Look at mails to customers and what became of them, and send them again
#[derive(Debug, Args)]
#[command(mut_args(|arg| arg.global(true)))]
pub(crate) struct MailsArgs {
    #[command(subcommand)]
    command: MailsCommand,
    #[command(flatten)]
    platform: PlatformArgs,
}

#[derive(Debug, Subcommand)]
enum MailsCommand {
    /// List them, newest first
    List {
        /// Only what waits, was sent, was given up, or had nobody to go to
        #[arg(long, value_parser = ["waiting", "sent", "failed", "nobody"])]
        state: Option<String>,
        /// Only those about this order
        #[arg(long, value_name = "ID")]
        order: Option<String>,
        /// How many, at most
        #[arg(long, value_name = "NUMBER", default_value_t = SHOWN, value_parser = clap::value_parser!(u16).range(1..=1_000))]
        limit: u16,
    },
    /// Show one, with every attempt
    Show {
        /// Which one, as `list` names it
        id: u64,
    },
    /// Send one again, or all that was given up since a time
    Resend {
        /// Which one, as `list` names it
        #[arg(conflicts_with = "failed_since", required_unless_present = "failed_since")]
        id: Option<u64>,
        /// All that was given up since then, such as 2026-11-30T08:00:00Z
        #[arg(long, value_name = "TIME")]
        failed_since: Option<String>,
        /// Why; kept in the log
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

impl MailsArgs {
    /// Asks, and prints the answer.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let api = self.platform.api()?;
        let answer = self.command.ask(&api).await?;
        self.platform.print(&answer, shown)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl MailsCommand {
    async fn ask(self, api: &Api) -> Result<Value> {
        match self {
            Self::List { state, order, limit } => {
                let filter = |name: &str, value: Option<String>| {
                    value.map(|value| format!("&{name}={}", segment(&value))).unwrap_or_default()
                };
                let (state, order) = (filter("state", state), filter("order_id", order));
                api.get(&format!("/v1/mails?limit={limit}{state}{order}")).await
            }
            Self::Show { id } => api.get(&format!("/v1/mails/{id}")).await,
            Self::Resend { id, failed_since, reason } => {
                let key = unique_key("resend");
                match (id, failed_since) {
                    (Some(id), _) => {
                        let body = json!({ "reason": reason });
                        api.post_json(&format!("/v1/mails/{id}/resend"), &key, &body).await
                    }
                    (None, Some(since)) => {
                        let body = json!({ "since": since, "reason": reason });
                        api.post_json("/v1/mails/resend", &key, &body).await
                    }
                    (None, None) => bail!("say which mail, or since when"),
                }
            }
        }
    }
}

/// An answer for people.
fn shown(answer: &Value) -> String {
    match answer["items"].as_array() {
        Some(items) if items.is_empty() => "There are none.".to_owned(),
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
    fn a_list_is_a_table_and_a_mail_shows_every_attempt() {
        let mail = json!({ "id": 7, "state": "sent", "event_type": "parcel.shipped", "subject": "orders/o1" });
        let list = shown(&json!({ "items": [mail] }));
        assert!(list.contains("EVENT TYPE") && list.contains("parcel.shipped"), "{list}");
        let attempt = json!({ "at": "2026-11-30T10:00:00Z", "duration_ms": 12, "status": 250, "error": null });
        let one = shown(&json!({ "id": 7, "log": [attempt] }));
        assert!(one.contains("12 ms  250"), "{one}");
        assert_eq!(shown(&json!({ "items": [] })), "There are none.");
    }
}
