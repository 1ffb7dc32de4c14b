//! What all rounds say together: medians and spreads, by row and subject.

use serde::{Deserialize, Serialize};

use super::catalogue::Figure;
use super::measurement::Measurement;

/// What a subject is in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// What is built here.
    Docket,
    /// What others built for the same purpose.
    Peer,
    /// What the machine and its servers can do at best.
    Limit,
}

/// A measurement, and when it was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) round: usize,
    pub(crate) kind: Kind,
    #[serde(flatten)]
    pub(crate) measurement: Measurement,
}

/// A whole run, as it is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// Machine, versions and settings: what and how.
    pub(crate) setting: Vec<(String, String)>,
    pub(crate) rounds: usize,
    pub(crate) entries: Vec<Entry>,
}

/// A number over the rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// A subject's row over the rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'r> {
    results: &'r Results,
    pub(crate) kind: Kind,
    pub(crate) subject: &'r str,
    pub(crate) row: &'r str,
}

impl Results {
    /// Who has this row, figures or not: Docket first, then the best of the others.
    pub(crate) fn cells<'r>(&'r self, row: &'r str) -> Vec<Cell<'r>> {
        let mut cells: Vec<Cell<'r>> = Vec::new();
        for Entry { kind, measurement, .. } in &self.entries {
            let subject = measurement.subject.as_str();
            if measurement.row == row && !cells.iter().any(|cell| cell.subject == subject) {
                cells.push(Cell { results: self, kind: *kind, subject, row });
            }
        }
        cells.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| b.rate().total_cmp(&a.rate())));
        cells
    }
}

impl<'r> Cell<'r> {
    fn measurements(self) -> impl Iterator<Item = &'r Entry> {
        self.results.entries.iter().filter(move |entry| {
            entry.measurement.subject == self.subject && entry.measurement.row == self.row
        })
    }

    /// To sort by.
    fn rate(self) -> f64 {
        let time = self.spread(Figure::P50).map(|spread| -spread.median);
        self.spread(Figure::Value).map(|spread| spread.median).or(time).unwrap_or(f64::MIN)
    }

    /// The figure in one round.
    pub(crate) fn in_round(self, round: usize, figure: Figure) -> Option<f64> {
        self.measurements()
            .find(|entry| entry.round == round)
            .and_then(|entry| number(&entry.measurement, figure))
    }

    /// The figure over all rounds.
    pub(crate) fn spread(self, figure: Figure) -> Option<Spread> {
        Spread::of(self.measurements().filter_map(|entry| number(&entry.measurement, figure)))
    }

    /// Processor time of a command, microseconds.
    pub(crate) fn cpu_us(self) -> Option<Spread> {
        Spread::of(self.measurements().filter_map(|entry| entry.measurement.cpu_us))
    }

    /// Memory at most, MB.
    pub(crate) fn memory_mb(self) -> Option<Spread> {
        Spread::of(self.measurements().filter_map(|entry| entry.measurement.memory_mb))
    }

    /// In how many of the rounds there is no figure.
    pub(crate) fn rounds_without(self, figure: Figure) -> usize {
        (0..self.results.rounds).filter(|round| self.in_round(*round, figure).is_none()).count()
    }

    /// What was said last beside the figure, or why there is none; also where that is so of some rounds only.
    pub(crate) fn note(self) -> Option<String> {
        let all: Vec<&Measurement> = self.measurements().map(|entry| &entry.measurement).collect();
        let mut skipped = all.iter().filter_map(|one| one.skipped.as_ref());
        let (missing, why) = (skipped.clone().count(), skipped.next_back());
        match why {
            Some(why) if missing == all.len() => Some(format!("skipped: {why}")),
            Some(why) => Some(format!("{missing} of {} rounds skipped: {why}", all.len())),
            None => all.last()?.note.clone(),
        }
    }
}

fn number(measurement: &Measurement, figure: Figure) -> Option<f64> {
    match figure {
        Figure::Value => measurement.value,
        Figure::P50 => measurement.p50_ms,
        Figure::P99 => measurement.p99_ms,
    }
}

impl Spread {
    /// Of these numbers; `None` of none.
    pub(crate) fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let mut all: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        let (min, max) = (*all.first()?, *all.last()?);
        let (low, high) = (all[(all.len() - 1) / 2], all[all.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), min, max })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Rounds of these values, one subject after another.
    pub(in crate::harness) fn results(rows: &[(Kind, &str, &str, &[f64])]) -> Results {
        let mut results = Results { rounds: 3, ..Results::default() };
        for (kind, subject, row, values) in rows {
            for (round, value) in values.iter().enumerate() {
                let mut measurement = Measurement::of(subject, row).value(*value, "1/s");
                measurement.p50_ms = Some(1_000.0 / value);
                measurement.p99_ms = Some(2_000.0 / value);
                results.entries.push(Entry { round, kind: *kind, measurement });
            }
        }
        results
    }

    #[test]
    fn the_median_is_of_the_middle() {
        let of = |numbers: &[f64]| Spread::of(numbers.iter().copied());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(of(&[4.0, 1.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
    }

    #[test]
    fn docket_stands_first_and_the_best_of_each_kind_before_the_others() {
        let results = results(&[
            (Kind::Limit, "limit", "command-64", &[9.0]),
            (Kind::Peer, "slow", "command-64", &[1.0]),
            (Kind::Peer, "fast", "command-64", &[2.0]),
            (Kind::Docket, "docket", "command-64", &[0.5]),
        ]);
        let order: Vec<_> = results.cells("command-64").iter().map(|cell| cell.subject).collect();
        assert_eq!(order, ["docket", "fast", "slow", "limit"]);
    }

    #[test]
    fn a_row_that_was_skipped_says_why() {
        let mut results = results(&[]);
        let measurement = Measurement::skipped("peer", "hot-64", "not installed");
        results.entries.push(Entry { round: 0, kind: Kind::Peer, measurement });
        let cell = results.cells("hot-64")[0];
        assert_eq!(cell.spread(Figure::Value), None);
        assert_eq!(cell.note().as_deref(), Some("skipped: not installed"));
    }
}
