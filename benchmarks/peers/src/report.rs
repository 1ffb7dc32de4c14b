//! What a run says: one JSON object on one line.

use serde::Serialize;

use crate::driver::Measured;
use crate::row::{Row, Shape};
use crate::subject::Subject;

/// A row of a subject, measured or not.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Report {
    /// It ran.
    Ran {
        /// The peer, with its version and how it was used.
        subject: String,
        /// The row's name.
        row: String,
        /// How many worked at once.
        clients: u32,
        /// The row's one number.
        value: f64,
        /// What the number is in.
        unit: &'static str,
        /// The median of the commands' latencies.
        #[serde(skip_serializing_if = "Option::is_none")]
        p50_ms: Option<f64>,
        /// What 99 of 100 commands did not exceed.
        #[serde(skip_serializing_if = "Option::is_none")]
        p99_ms: Option<f64>,
        /// What a reader of the number has to know.
        note: String,
    },
    /// It can't run here.
    Skipped {
        /// As above.
        subject: String,
        /// As above.
        row: String,
        /// Why.
        skipped: String,
    },
}

impl Report {
    /// What was measured, in the row's unit.
    pub(crate) fn of(subject: Subject, row: Row, shape: Shape, measured: &Measured) -> Self {
        let (p50_ms, p99_ms) = (measured.latency_ms(0.5), measured.latency_ms(0.99));
        let (value, unit) = match row {
            Row::Append { .. } | Row::Command { .. } | Row::Hot { .. } => (measured.rate(), "1/s"),
            Row::Length { .. } => (p50_ms.unwrap_or_default(), "ms"),
            Row::ReadAll => (measured.rate(), "events/s"),
        };
        let seen = match row {
            Row::Append { .. } | Row::Command { .. } if measured.conflicts > 0 => {
                format!("conflicts though no stream is shared: {}", conflicts(measured))
            }
            Row::Hot { .. } => format!("conflicts, each tried again: {}", conflicts(measured)),
            Row::Length { .. } => {
                format!("{} streams, {} commands", shape.streams, measured.done)
            }
            Row::ReadAll => format!("a log of {} events", shape.events()),
            Row::Append { .. } | Row::Command { .. } => String::new(),
        };
        let parts: Vec<&str> =
            [seen.as_str(), subject.note(row)].into_iter().filter(|p| !p.is_empty()).collect();
        Self::Ran {
            subject: subject.name().to_owned(),
            row: row.to_string(),
            clients: row.clients(),
            value: rounded(value),
            unit,
            p50_ms: p50_ms.map(rounded),
            p99_ms: p99_ms.map(rounded),
            note: parts.join("; "),
        }
    }

    /// Why it can't run.
    pub(crate) fn skipped(subject: &str, row: Row, why: String) -> Self {
        Self::Skipped { subject: subject.to_owned(), row: row.to_string(), skipped: why }
    }

    /// Prints it.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

fn conflicts(measured: &Measured) -> String {
    format!("{} ({} % of the attempts)", measured.conflicts, measured.conflict_percent())
}

/// To a thousandth: the rest is noise.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
