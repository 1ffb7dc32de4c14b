//! The rows of the table: what is measured, and over which streams.

use std::fmt;
use std::str::FromStr;

use anyhow::Context as _;

/// What most rows run over.
const STREAMS: u32 = 10_000;
/// The events that each of them has.
const EVENTS_EACH: u32 = 5;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row {
    /// Appends of one event; the client knows the version that it expects.
    Append {
        /// How many at once.
        clients: u32,
    },
    /// Read, decide, append.
    Command {
        /// How many at once.
        clients: u32,
    },
    /// Commands of one client over streams that are this long.
    Length {
        /// How long.
        events: u32,
    },
    /// The whole log, decoded.
    ReadAll,
    /// Commands of all clients on one stream.
    Hot {
        /// How many at once.
        clients: u32,
    },
}

/// Every row, in the order of the table.
pub(crate) const ALL: [Row; 13] = [
    Row::Append { clients: 1 },
    Row::Append { clients: 16 },
    Row::Append { clients: 64 },
    Row::Command { clients: 1 },
    Row::Command { clients: 16 },
    Row::Command { clients: 64 },
    Row::Length { events: 1 },
    Row::Length { events: 100 },
    Row::Length { events: 1_000 },
    Row::Length { events: 10_000 },
    Row::ReadAll,
    Row::Hot { clients: 16 },
    Row::Hot { clients: 64 },
];

/// The streams that are there before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many.
    pub(crate) streams: u32,
    /// The events that each of them has.
    pub(crate) events_each: u32,
}

impl Shape {
    /// All events together.
    pub(crate) fn events(self) -> u64 {
        u64::from(self.streams) * u64::from(self.events_each)
    }
}

impl Row {
    /// How many clients there are at once.
    pub(crate) fn clients(self) -> u32 {
        match self {
            Self::Append { clients } | Self::Command { clients } | Self::Hot { clients } => clients,
            Self::Length { .. } | Self::ReadAll => 1,
        }
    }

    /// What it runs over. Long streams are many enough that a run does not make them much longer.
    pub(crate) fn shape(self, log_events: u32) -> Shape {
        let streams = match self {
            Self::Append { .. } | Self::Command { .. } | Self::Hot { .. } => STREAMS,
            Self::ReadAll => (log_events / EVENTS_EACH).max(1),
            Self::Length { events } => {
                let streams = (200_000 / events.max(1)).min(2 * STREAMS);
                return Shape { streams, events_each: events };
            }
        };
        Shape { streams, events_each: EVENTS_EACH }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Append { clients } => write!(f, "append-{clients}"),
            Self::Command { clients } => write!(f, "command-{clients}"),
            Self::Length { events } => write!(f, "length-{events}"),
            Self::ReadAll => write!(f, "read-all"),
            Self::Hot { clients } => write!(f, "hot-{clients}"),
        }
    }
}

impl FromStr for Row {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        let row = ALL.into_iter().find(|row| row.to_string() == name);
        row.with_context(|| format!("there is no row `{name}`; `peers list` names them all"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name() {
        for row in ALL {
            assert_eq!(row.to_string().parse::<Row>().unwrap(), row);
        }
        assert!("append-2".parse::<Row>().is_err());
    }

    #[test]
    fn long_streams_are_fewer() {
        let streams = |events| Row::Length { events }.shape(0).streams;
        assert_eq!([1, 100, 1_000, 10_000].map(streams), [20_000, 2_000, 200, 20]);
    }
}
