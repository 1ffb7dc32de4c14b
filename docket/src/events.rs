//! `docket events`: a stretch of the log, to look at what a finding names.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use event_store::RecordedEvent;
use serde_json::json;

use crate::data_dir::{DataDir, DataDirArg};
use crate::numbers::whole;
use crate::output::{self, Reader};
use crate::serve::LogDatabaseArgs;

/// Events that are read at once.
const PAGE: usize = 1_000;

/// A stretch of the log, oldest first; also beside a running platform.
#[derive(Debug, clap::Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    data: DataDirArg,
    #[command(flatten)]
    database: LogDatabaseArgs,
    /// Begin after this position
    #[arg(long, value_name = "POSITION", default_value_t = 0,
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    after: u64,
    /// Print at most so many
    #[arg(long, value_name = "N", default_value_t = 50,
        value_parser = whole::<usize>, allow_negative_numbers = true)]
    limit: usize,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: EventsArgs) -> Result<ExitCode> {
    let log = match args.database.resolve()? {
        Some(database) => database.open().await?,
        None => DataDir::existing(&args.data.data_dir)?.open_log().await?,
    };
    let (mut after, mut left) = (args.after, args.limit);
    // The last position that was shown, or said to have no event.
    let mut shown_to = after;
    'log: while left > 0 {
        let events = log.read_all(after, left.min(PAGE)).await.context("the log can't be read")?;
        if events.is_empty() {
            // As many in a row are gone as were asked for, or the log ends here.
            let beyond = after.saturating_add(left.min(PAGE) as u64);
            if beyond >= log.head_when_opened() {
                break;
            }
            after = beyond;
            continue;
        }
        for event in &events {
            left_out(shown_to, event.position);
            (after, shown_to) = (event.position, event.position);
            let shown = if args.json { as_json(event).to_string() } else { as_text(event) };
            if output::line(shown)? == Reader::Gone {
                break 'log;
            }
        }
        left = left.saturating_sub(events.len());
    }
    log.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Says which positions between two have no event: a log has no holes, unless somebody made one.
fn left_out(after: u64, next: u64) {
    match (after.saturating_add(1), next.saturating_sub(1)) {
        (first, last) if first > last => {}
        (first, last) if first == last => {
            output::note(format_args!("the log has no event at position {first}"));
        }
        (first, last) => {
            output::note(format_args!("the log has no event at positions {first} to {last}"));
        }
    }
}

fn as_text(event: &RecordedEvent) -> String {
    let RecordedEvent { position, stream, version, event_type, payload, metadata, .. } = event;
    let (at, command) = (metadata.occurred_at.to_rfc3339(), &metadata.command_id);
    format!(
        "{position:>8}  {stream} @{version}  {event_type}  {at}  by {command}\n          {payload}"
    )
}

fn as_json(event: &RecordedEvent) -> serde_json::Value {
    let payload: serde_json::Value = serde_json::from_str(&event.payload)
        .unwrap_or_else(|_| serde_json::Value::String(event.payload.clone()));
    json!({
        "position": event.position, "stream": event.stream, "version": event.version, "id": event.id,
        "type": event.event_type, "schema_version": event.schema_version, "payload": payload,
        "metadata": event.metadata, "recorded_at": event.recorded_at,
    })
}
