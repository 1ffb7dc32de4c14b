//! The list of the peers, and of the ways in which one is used.

use anyhow::Context as _;

use crate::row::Row;

/// A peer and how it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// An event store without snapshots.
    CqrsEs,
    /// With a snapshot of every tenth event.
    CqrsEsSnapshots,
    /// Optimistic.
    Esrs,
    /// With its advisory lock.
    EsrsLocked,
    /// Without snapshots.
    Disintegrate,
    /// With a snapshot every ten events.
    DisintegrateSnapshots,
    /// Its own server and file.
    UmaDb,
    /// All streams in one category.
    MessageDb,
    /// A category for each client.
    MessageDbCategories,
    /// Its store, and its command handler.
    Emmett,
    /// Its consumer.
    EmmettConsumer,
}

/// Every subject, in the order of the table.
pub(crate) const ALL: [Subject; 11] = [
    Subject::CqrsEs,
    Subject::CqrsEsSnapshots,
    Subject::Esrs,
    Subject::EsrsLocked,
    Subject::Disintegrate,
    Subject::DisintegrateSnapshots,
    Subject::UmaDb,
    Subject::MessageDb,
    Subject::MessageDbCategories,
    Subject::Emmett,
    Subject::EmmettConsumer,
];

/// How often there is a snapshot where there are any.
pub(crate) const SNAPSHOT_EVERY: u32 = 10;

impl Subject {
    /// Its name, with the version in the lock file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CqrsEs => "cqrs-es 0.5.0",
            Self::CqrsEsSnapshots => "cqrs-es 0.5.0, snapshots",
            Self::Esrs => "esrs 0.18.0",
            Self::EsrsLocked => "esrs 0.18.0, locked",
            Self::Disintegrate => "disintegrate 4.0.0",
            Self::DisintegrateSnapshots => "disintegrate 4.0.0, snapshots",
            Self::UmaDb => "umadb 0.7.8",
            Self::MessageDb => "message-db 1.3.1",
            Self::MessageDbCategories => "message-db 1.3.1, category per client",
            Self::Emmett => "emmett 0.42.0",
            Self::EmmettConsumer => "emmett 0.42.0, consumer",
        }
    }

    /// The subject of that name.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let subject = ALL.into_iter().find(|subject| subject.name() == name);
        subject
            .with_context(|| format!("there is no subject `{name}`; `peers list` names them all"))
    }

    /// Whether the row says something about it that it does not say about the peer's other subject.
    pub(crate) fn has(self, row: Row) -> bool {
        match self {
            Self::CqrsEsSnapshots | Self::EsrsLocked | Self::DisintegrateSnapshots => {
                !matches!(row, Row::Append { .. } | Row::ReadAll)
            }
            Self::MessageDbCategories => {
                matches!(row, Row::Append { clients } | Row::Command { clients } if clients > 1)
            }
            Self::EmmettConsumer => row == Row::ReadAll,
            Self::CqrsEs
            | Self::Esrs
            | Self::Disintegrate
            | Self::UmaDb
            | Self::MessageDb
            | Self::Emmett => true,
        }
    }

    /// How it is used.
    pub(crate) fn note(self, row: Row) -> &'static str {
        match self {
            Self::Emmett if row == Row::ReadAll => "one Node process; pages of 10,000, not of 100",
            Self::EmmettConsumer => "one Node process; batches of 10,000, not of 100",
            Self::CqrsEs | Self::Esrs | Self::Disintegrate => "sqlx's ping off",
            Self::CqrsEsSnapshots | Self::DisintegrateSnapshots => {
                "a snapshot every 10 events; sqlx's ping off"
            }
            Self::EsrsLocked => "lock_and_load, 2 connections per client; sqlx's ping off",
            Self::UmaDb => {
                "at most 4 connections, which is better than one per client; the server's defaults"
            }
            Self::MessageDb => "one category; sqlx's ping off",
            Self::MessageDbCategories => "a category per client; sqlx's ping off",
            Self::Emmett => "one Node process",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The packages of the lock files, as `name version`.
    fn locked() -> Vec<String> {
        let rust = include_str!("../Cargo.lock").replace("name = ", "").replace("version = ", "");
        let rust: Vec<&str> = rust.lines().map(|line| line.trim_matches('"')).collect();
        let npm =
            [include_str!("../emmett/package.json"), include_str!("../message-db/package.json")];
        let npm = npm.iter().flat_map(|text| text.lines());
        let npm = npm.map(|line| line.trim_end_matches(',').replace(['"', ':'], ""));
        let npm = npm.filter_map(|line| Some(line.rsplit_once('/')?.1.to_owned()));
        rust.windows(2).map(|two| format!("{} {}", two[0], two[1])).chain(npm).collect()
    }

    #[test]
    fn a_name_says_the_version_that_is_built() {
        let locked = locked();
        for subject in ALL {
            let name = subject.name().split(',').next().unwrap().replace("umadb", "umadb-client");
            assert!(locked.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_subject_is_found_by_its_name() {
        for subject in ALL {
            assert_eq!(Subject::named(subject.name()).unwrap(), subject);
        }
        assert!(Subject::named("cqrs-es").is_err());
    }

    #[test]
    fn the_note_says_how_often_there_is_a_snapshot() {
        let every = format!("every {SNAPSHOT_EVERY} ");
        let row = Row::Command { clients: 1 };
        assert!(Subject::CqrsEsSnapshots.note(row).contains(&every));
    }

    #[test]
    fn every_subject_has_a_row() {
        for subject in ALL {
            assert!(crate::row::ALL.into_iter().any(|row| subject.has(row)), "{subject:?}");
        }
    }
}
