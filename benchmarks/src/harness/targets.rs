//! What the comparison must show: ratios of medians, in one run on one machine.

use super::catalogue::Figure::{self, P50, P99, Value};
use super::summary::{Cell, Kind, Results, Spread};
use crate::subjects::{
    AXUM_GROUP, DISTRIBUTED, EMBEDDED, PAGES_POSTGRES, PAGES_SQLITE, POSTGRES, SQLITE,
    SQLITE_BATCHES, STREAM_POSTGRES, STREAM_SQLITE, UNNEST,
};

/// Who is meant.
#[derive(Debug, Clone, Copy)]
enum Who {
    Subject(&'static str),
    /// The peer with the best median.
    BestPeer,
    /// The peer with this word in its name.
    Peer(&'static str),
    /// The best of these.
    BestOf(&'static [&'static str]),
}

/// A figure of somebody's row.
#[derive(Debug, Clone, Copy)]
struct Point(Who, &'static str, Figure);

/// The bound of the ratio, or of the figure where there is nothing to compare with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Needs {
    AtLeast(f64),
    AtMost(f64),
}

/// One demand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// For people.
    pub(crate) what: &'static str,
    of: Point,
    against: Option<Point>,
    pub(crate) needs: Needs,
}

/// What a demand came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reached {
    /// Of the medians; beside it the least and the most of any round.
    pub(crate) ratio: Spread,
    pub(crate) holds: bool,
    /// Whom it was compared with.
    pub(crate) against: Option<String>,
    /// Who of those that it is about has no figure of some round: nothing can be claimed then.
    pub(crate) missing: Vec<String>,
}

const fn ratio(what: &'static str, of: Point, needs: Needs, against: Point) -> Target {
    Target { what, of, against: Some(against), needs }
}

const fn alone(what: &'static str, of: Point, needs: Needs) -> Target {
    Target { what, of, against: None, needs }
}

const fn of(subject: &'static str, row: &'static str, figure: Figure) -> Point {
    Point(Who::Subject(subject), row, figure)
}

const BEST_PEER: Point = Point(Who::BestPeer, "command-64", Value);
const READS_POSTGRES: Who = Who::BestOf(&[STREAM_POSTGRES, PAGES_POSTGRES]);
const READS_SQLITE: Who = Who::BestOf(&[STREAM_SQLITE, PAGES_SQLITE]);

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    ratio(
        "commands in the library, PostgreSQL, 64 clients, × the best peer",
        of(POSTGRES, "command-64", Value),
        Needs::AtLeast(6.0),
        BEST_PEER,
    ),
    ratio(
        "the same, p99 at 16 clients, × the best peer's",
        of(POSTGRES, "command-16", P99),
        Needs::AtMost(0.5),
        Point(Who::BestPeer, "command-16", P99),
    ),
    ratio(
        "over HTTP, one process, 64 connections, × the best peer in the library",
        of(EMBEDDED, "http-64", Value),
        Needs::AtLeast(3.0),
        BEST_PEER,
    ),
    ratio(
        "over HTTP, distributed, 64 connections, × the best peer in the library",
        of(DISTRIBUTED, "http-64", Value),
        Needs::AtLeast(2.0),
        BEST_PEER,
    ),
    ratio(
        "the same, × a minimal loop (POST, group commit, position)",
        of(DISTRIBUTED, "http-64", Value),
        Needs::AtLeast(0.5),
        of(AXUM_GROUP, "http-64", Value),
    ),
    ratio(
        "append of prepared batches of 64, PostgreSQL, × plain UNNEST",
        of(POSTGRES, "prepared-64", Value),
        Needs::AtLeast(0.8),
        of(UNNEST, "prepared-64", Value),
    ),
    ratio(
        "append of prepared batches of 256, PostgreSQL, × plain UNNEST",
        of(POSTGRES, "prepared-256", Value),
        Needs::AtLeast(0.8),
        of(UNNEST, "prepared-256", Value),
    ),
    ratio(
        "hot stream, library on PostgreSQL, 64 clients, × the spread rate",
        of(POSTGRES, "hot-64", Value),
        Needs::AtLeast(0.7),
        of(POSTGRES, "command-64", Value),
    ),
    ratio(
        "hot SKU over HTTP, one process, × the spread rate",
        of(EMBEDDED, "http-hot-64", Value),
        Needs::AtLeast(0.7),
        of(EMBEDDED, "http-64", Value),
    ),
    ratio(
        "hot SKU over HTTP, distributed, × the spread rate",
        of(DISTRIBUTED, "http-hot-64", Value),
        Needs::AtLeast(0.7),
        of(DISTRIBUTED, "http-64", Value),
    ),
    ratio(
        "a command on 10,000 events, library on PostgreSQL, × on 1 event",
        of(POSTGRES, "length-10000", P50),
        Needs::AtMost(1.1),
        of(POSTGRES, "length-1", P50),
    ),
    ratio(
        "a command on 10,000 events, library on SQLite, × on 1 event",
        of(SQLITE, "length-10000", P50),
        Needs::AtMost(1.1),
        of(SQLITE, "length-1", P50),
    ),
    ratio(
        "a command over HTTP on 10,000 events, × on a fresh stream",
        of(EMBEDDED, "http-length-10000", P50),
        Needs::AtMost(1.1),
        of(EMBEDDED, "http-length-fresh", P50),
    ),
    ratio(
        "reading the whole log, PostgreSQL, × the best plain read",
        of(POSTGRES, "read-all", Value),
        Needs::AtLeast(0.9),
        Point(READS_POSTGRES, "read-all", Value),
    ),
    ratio(
        "reading the whole log, SQLite, × the best plain read",
        of(SQLITE, "read-all-sqlite", Value),
        Needs::AtLeast(0.9),
        Point(READS_SQLITE, "read-all-sqlite", Value),
    ),
    alone(
        "replay into all read models, one process, events/s",
        of(EMBEDDED, "replay", Value),
        Needs::AtLeast(100_000.0),
    ),
    ratio(
        "replay into all read models, one process, × Emmett's consumer",
        of(EMBEDDED, "replay", Value),
        Needs::AtLeast(20.0),
        Point(Who::Peer("consumer"), "read-all", Value),
    ),
    alone(
        "orders end to end through the saga, one process, 1/s",
        of(EMBEDDED, "orders", Value),
        Needs::AtLeast(1_500.0),
    ),
    alone(
        "p99 of placed to confirmed at half load, one process, ms",
        of(EMBEDDED, "confirmed", P99),
        Needs::AtMost(100.0),
    ),
    ratio(
        "an import of real orders, one process, × a bare insert of the same events",
        of(EMBEDDED, "import", Value),
        Needs::AtMost(8.0),
        of(SQLITE_BATCHES, "import", Value),
    ),
];

impl Target {
    /// What it came to; `None` while a figure is missing.
    pub(crate) fn reached(&self, results: &Results) -> Option<Reached> {
        let of = self.of.find(results)?;
        let figure = self.of.2;
        let points = [Some(self.of), self.against].into_iter().flatten();
        let missing = points.flat_map(|point| point.missing(results)).collect();
        let Some(against) = self.against else {
            return Some(self.judged(of.spread(figure)?, None, missing));
        };
        let other = against.find(results)?;
        let median = of.spread(figure)?.median / other.spread(against.2)?.median;
        let each = (0..results.rounds).filter_map(|round| {
            Some(of.in_round(round, figure)? / other.in_round(round, against.2)?)
        });
        // Those of single rounds lie around the ratio of the medians, mostly.
        let spread = Spread::of(each).unwrap_or(Spread { median, min: median, max: median });
        let spread = Spread { median, min: spread.min.min(median), max: spread.max.max(median) };
        Some(self.judged(spread, Some(other.subject.to_owned()), missing))
    }

    fn judged(&self, ratio: Spread, against: Option<String>, missing: Vec<String>) -> Reached {
        let holds = match self.needs {
            Needs::AtLeast(bound) => ratio.median >= bound,
            Needs::AtMost(bound) => ratio.median <= bound,
        };
        Reached { ratio, holds, against, missing }
    }
}

impl Point {
    fn find<'r>(&self, results: &'r Results) -> Option<Cell<'r>> {
        let figure = self.2;
        let median = |cell: &Cell<'_>| cell.spread(figure).map(|spread| spread.median);
        let meant = self.meant(results).into_iter();
        let measured = meant.filter_map(|cell| Some((cell, median(&cell)?)));
        let better = |a: &(Cell<'_>, f64), b: &(Cell<'_>, f64)| match figure {
            Value => a.1.total_cmp(&b.1),
            P50 | P99 => b.1.total_cmp(&a.1),
        };
        measured.max_by(better).map(|(cell, _)| cell)
    }

    /// All who are meant and were to be measured.
    fn meant<'r>(&self, results: &'r Results) -> Vec<Cell<'r>> {
        let Self(who, row, _) = *self;
        let is_meant = |cell: &Cell<'_>| match who {
            Who::Subject(subject) => cell.subject == subject,
            Who::BestPeer => cell.kind == Kind::Peer,
            Who::Peer(name) => cell.kind == Kind::Peer && is_named(cell.subject, name),
            Who::BestOf(subjects) => subjects.contains(&cell.subject),
        };
        results.cells(row).into_iter().filter(is_meant).collect()
    }

    fn missing(&self, results: &Results) -> Vec<String> {
        let meant = self.meant(results).into_iter();
        let missing = meant.filter(|cell| cell.rounds_without(self.2) > 0);
        missing.map(|cell| cell.subject.to_owned()).collect()
    }
}

fn is_named(subject: &str, name: &str) -> bool {
    subject.to_ascii_lowercase().contains(name)
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::super::summary::tests::results;
    use super::*;

    #[test]
    fn every_demand_is_about_rows_of_the_catalogue() {
        for target in TARGETS {
            for Point(_, row, _) in [Some(target.of), target.against].into_iter().flatten() {
                assert!(catalogue::row(row).is_some(), "{}: {row}", target.what);
            }
        }
    }

    #[test]
    fn docket_is_compared_with_the_best_peer_and_no_limit() {
        let results = results(&[
            (Kind::Docket, POSTGRES, "command-64", &[60.0, 72.0, 60.0]),
            (Kind::Peer, "a", "command-64", &[5.0, 5.0, 5.0]),
            (Kind::Peer, "b", "command-64", &[10.0, 8.0, 10.0]),
            (Kind::Limit, "limit", "command-64", &[100.0]),
        ]);
        let reached = TARGETS[0].reached(&results).unwrap();
        assert_eq!(reached.against.as_deref(), Some("b"));
        assert_eq!(reached.ratio, Spread { median: 6.0, min: 6.0, max: 9.0 });
        assert!(reached.holds);
    }

    #[test]
    fn the_best_time_is_the_shortest() {
        let results = results(&[
            (Kind::Docket, POSTGRES, "command-16", &[100.0]),
            (Kind::Peer, "slow", "command-16", &[10.0]),
            (Kind::Peer, "fast", "command-16", &[80.0]),
        ]);
        let reached = TARGETS[1].reached(&results).unwrap();
        assert_eq!(reached.against.as_deref(), Some("fast"));
        assert!(!reached.holds, "0.8 is above 0.5");
    }

    #[test]
    fn who_was_not_measured_in_every_round_is_told() {
        let mut results = results(&[
            (Kind::Docket, POSTGRES, "command-64", &[60.0, 72.0, 60.0]),
            (Kind::Peer, "a", "command-64", &[5.0, 5.0, 5.0]),
            (Kind::Peer, "b", "command-64", &[10.0]),
        ]);
        assert_eq!(TARGETS[0].reached(&results).unwrap().missing, ["b"]);
        results.entries.retain(|entry| entry.measurement.subject != "b");
        assert!(TARGETS[0].reached(&results).unwrap().missing.is_empty());
    }

    #[test]
    fn without_a_figure_nothing_is_claimed() {
        let results = results(&[(Kind::Docket, POSTGRES, "command-64", &[60.0])]);
        assert_eq!(TARGETS[0].reached(&results), None);
    }
}
