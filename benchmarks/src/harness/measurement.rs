//! What a subject tells of a row: one JSON object, one line. The same for Docket, for limits and for peers.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// A row of a subject, measured once; or why it was not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measurement {
    /// Who was measured, with its version.
    pub(crate) subject: String,
    /// A name of the catalogue.
    pub(crate) row: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) clients: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ms: Option<f64>,
    /// Processor time of one command in the subject's own process, microseconds; servers not included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_us: Option<f64>,
    /// The most memory that the subject's own process held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_mb: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    /// Why there is no figure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
}

impl Measurement {
    /// Nothing measured yet.
    pub(crate) fn of(subject: &str, row: &str) -> Self {
        Self { subject: subject.to_owned(), row: row.to_owned(), ..Self::default() }
    }

    /// With a figure.
    #[must_use]
    pub(crate) fn value(mut self, value: f64, unit: &str) -> Self {
        self.value = Some(value);
        self.unit = Some(unit.to_owned());
        self
    }

    /// With times of single things.
    #[must_use]
    pub(crate) fn latency(mut self, us: &Histogram<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of one command")]
        let ms = |quantile| us.value_at_quantile(quantile) as f64 / 1_000.0;
        self.p50_ms = Some(ms(0.5));
        self.p99_ms = Some(ms(0.99));
        self
    }

    /// With so many clients at the same time.
    #[must_use]
    pub(crate) fn clients(mut self, clients: u32) -> Self {
        self.clients = Some(clients);
        self
    }

    /// With what a reader has to know beside the figure.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// No figure, and why.
    pub(crate) fn skipped(subject: &str, row: &str, why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::of(subject, row) }
    }

    /// As it is told.
    pub(crate) fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// As it was told; `None` for a line that is none, such as a server's own words.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let read: Self = serde_json::from_str(line.trim()).ok()?;
        (!read.subject.is_empty() && !read.row.is_empty()).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_reads_back_as_it_was_told() {
        let told = Measurement::of("docket", "command-64").clients(64).value(1.5, "1/s").note("x");
        assert_eq!(Measurement::read(&told.line().unwrap()), Some(told));
    }

    #[test]
    fn a_peer_may_say_more_or_less_than_is_known() {
        let line = r#"{"subject":"p 1","row":"length-1","p50_ms":0.7,"retries":3,"value":null}"#;
        let read = Measurement::read(line).unwrap();
        assert_eq!((read.p50_ms, read.value), (Some(0.7), None));
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in ["", "starting…", "{}", r#"{"row":"read-all"}"#, "[1]"] {
            assert_eq!(Measurement::read(line), None, "{line}");
        }
    }
}
