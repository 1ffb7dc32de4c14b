//! A row of the table: what was measured, a figure, and how long single things took.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::harness::Measurement;

/// Times that no histogram needs to hold apart: a minute is as bad as two.
const LONGEST_US: u64 = 60_000_000;

/// What was measured once.
pub(crate) struct Row {
    /// The same words in every round.
    pub(crate) what: String,
    /// Its name in the catalogue of the comparison, if it is part of it.
    pub(crate) name: Option<&'static str>,
    /// A number and its unit.
    pub(crate) figure: Option<(f64, &'static str)>,
    /// Median and 99th percentile, milliseconds.
    pub(crate) latency_ms: Option<[f64; 2]>,
}

impl Row {
    /// A row with a figure alone.
    pub(crate) fn figure(what: &str, figure: f64, unit: &'static str) -> Self {
        Self { what: what.to_owned(), name: None, figure: Some((figure, unit)), latency_ms: None }
    }

    /// A row with latencies alone.
    pub(crate) fn latency(what: &str, us: &Histogram<u64>) -> Self {
        Self { what: what.to_owned(), name: None, figure: None, latency_ms: None }.with(us)
    }

    /// The same row as part of the comparison.
    pub(crate) fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// As it is told to the comparison; `None` when it is no part of it.
    pub(crate) fn measured(&self, subject: &str) -> Option<Measurement> {
        let mut measured = Measurement::of(subject, self.name?);
        if let Some((value, unit)) = self.figure {
            measured = measured.value(value, unit);
        }
        [measured.p50_ms, measured.p99_ms] =
            self.latency_ms.map_or([None, None], |both| both.map(Some));
        Some(measured)
    }

    /// The same row with these latencies.
    pub(crate) fn with(mut self, us: &Histogram<u64>) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of one command")]
        let ms = |quantile| us.value_at_quantile(quantile) as f64 / 1_000.0;
        self.latency_ms = Some([ms(0.5), ms(0.99)]);
        self
    }

    /// So many in this time.
    pub(crate) fn rate(what: &str, count: u64, unit: &'static str, time: Duration) -> Self {
        Self::figure(what, per_second(count, time), unit)
    }

    /// The cells of the table.
    pub(crate) fn cells(&self) -> [String; 4] {
        let figure = self.figure.map(|(value, unit)| format!("{} {unit}", number(value)));
        let [p50, p99] = self
            .latency_ms
            .map_or([String::new(), String::new()], |all| all.map(|ms| format!("{ms:.2}")));
        [self.what.clone(), figure.unwrap_or_default(), p50, p99]
    }
}

/// So many in this time.
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
    let count = count as f64;
    count / time.as_secs_f64()
}

/// With as many digits as mean anything.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A histogram of times in microseconds.
pub(crate) fn histogram(times: &[Duration]) -> Histogram<u64> {
    let mut us = empty();
    for time in times {
        record(&mut us, *time);
    }
    us
}

/// A histogram that grows with what it holds.
pub(crate) fn empty() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants, and right")]
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds of a histogram")
}

/// Adds a time.
pub(crate) fn record(us: &mut Histogram<u64>, time: Duration) {
    us.saturating_record(u64::try_from(time.as_micros()).unwrap_or(LONGEST_US));
}
