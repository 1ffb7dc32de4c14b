//! Who can be measured by this program, and of which rows. The one list.

use anyhow::{Result, bail};

use crate::harness::{Kind, Measurement};
use crate::library::{self, Backend};
use crate::platform::Kind as Platform;
use crate::{import, limits, over_http};

pub(crate) const POSTGRES: &str = "docket, PostgreSQL";
pub(crate) const SQLITE: &str = "docket, SQLite";
pub(crate) const MEMORY: &str = "docket, memory";
pub(crate) const EMBEDDED: &str = "docket over HTTP, one process";
pub(crate) const DISTRIBUTED: &str = "docket over HTTP, distributed";

pub(crate) const DISK: &str = "limit: the disk";
pub(crate) const INSERT: &str = "limit: one INSERT a transaction";
pub(crate) const GROUP: &str = "limit: group commit";
pub(crate) const GROUP_ANSWERED: &str = "limit: group commit with answers";
pub(crate) const UNNEST: &str = "limit: plain UNNEST";
pub(crate) const SQLITE_BATCHES: &str = "limit: SQLite, rows of one statement";
pub(crate) const JETSTREAM: &str = "limit: JetStream publish";
pub(crate) const AXUM_ECHO: &str = "limit: axum echo";
pub(crate) const AXUM_GROUP: &str = "limit: POST, group commit, position";
pub(crate) const STREAM_POSTGRES: &str = "limit: PostgreSQL, one statement";
pub(crate) const PAGES_POSTGRES: &str = "limit: PostgreSQL, pages";
pub(crate) const STREAM_SQLITE: &str = "limit: SQLite, one statement";
pub(crate) const PAGES_SQLITE: &str = "limit: SQLite, pages";

/// The run that yields the rows of a short and a long stream, by turns.
pub(crate) const LENGTHS: &str = "lengths";
/// The run that yields the rows of prepared batches.
const PREPARED: &str = "prepared";
/// A row that needs a platform of its own.
const IMPORT: &str = "import";
/// The run that yields the rows of a platform over HTTP.
const PLATFORM: &str = "platform";

/// A subject and what is run of it: rows, or a run that yields several.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// None where another's run measures it too.
    pub(crate) runs: &'static [&'static str],
}

const fn docket(name: &'static str, runs: &'static [&'static str]) -> Subject {
    Subject { name, kind: Kind::Docket, runs }
}

const fn limit(name: &'static str, runs: &'static [&'static str]) -> Subject {
    Subject { name, kind: Kind::Limit, runs }
}

pub(crate) const SUBJECTS: &[Subject] = &[
    docket(
        POSTGRES,
        &[
            "command-64",
            "command-16",
            "command-1",
            "hot-64",
            "hot-16",
            LENGTHS,
            "length-100",
            "length-1000",
            "read-all",
            PREPARED,
        ],
    ),
    docket(
        SQLITE,
        &[
            "command-64",
            "command-16",
            "command-1",
            "hot-64",
            "hot-16",
            LENGTHS,
            "length-100",
            "length-1000",
            "read-all-sqlite",
        ],
    ),
    docket(MEMORY, &["command-64", "command-16", "command-1", "hot-64"]),
    docket(EMBEDDED, &[PLATFORM, IMPORT]),
    docket(DISTRIBUTED, &[PLATFORM]),
    limit(DISK, &["fsync"]),
    limit(INSERT, &["append-64", "append-16", "append-1"]),
    limit(GROUP, &["append-64", "append-16", "append-1"]),
    limit(GROUP_ANSWERED, &["command-64", "command-16"]),
    limit(UNNEST, &["bulk-1", "bulk-100", "bulk-1000"]),
    limit(SQLITE_BATCHES, &["bulk-1", "bulk-100", "bulk-1000"]),
    limit(JETSTREAM, &["publish-64"]),
    limit(AXUM_ECHO, &["http-64"]),
    limit(AXUM_GROUP, &["http-64"]),
    limit(STREAM_POSTGRES, &[]),
    limit(PAGES_POSTGRES, &[]),
    limit(STREAM_SQLITE, &[]),
    limit(PAGES_SQLITE, &[]),
];

/// What is to be measured.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) subject: String,
    pub(crate) row: String,
    pub(crate) seconds: u64,
    /// Events of the log that is read whole.
    pub(crate) log_events: u32,
    /// The address of an admin's database.
    pub(crate) postgres: String,
}

/// What a subject is; a name that is not in the list is a peer's.
pub(crate) fn kind(subject: &str) -> Kind {
    let known = SUBJECTS.iter().find(|known| known.name == subject);
    known.map_or(Kind::Peer, |known| known.kind)
}

/// Measures it, on as many threads as there are cores.
pub(crate) async fn measure(asked: &Asked) -> Result<Vec<Measurement>> {
    let library = match asked.subject.as_str() {
        POSTGRES if asked.row == PREPARED => return library::append_prepared(asked).await,
        POSTGRES => Some(Backend::Postgres),
        SQLITE => Some(Backend::Sqlite),
        MEMORY => Some(Backend::Memory),
        _ => None,
    };
    if let Some(backend) = library {
        return library::measure(backend, asked).await;
    }
    match kind(&asked.subject) {
        Kind::Limit => limits::measure(asked).await,
        Kind::Docket | Kind::Peer => bail!("there is no subject {}", asked.subject),
    }
}

/// Which platform is measured over HTTP: by one thread, so that it has the others.
pub(crate) fn platform(subject: &str) -> Option<Platform> {
    match subject {
        EMBEDDED => Some(Platform::Embedded),
        DISTRIBUTED => Some(Platform::Distributed),
        _ => None,
    }
}

/// Measures a platform.
pub(crate) async fn over_http(platform: Platform, asked: &Asked) -> Result<Vec<Measurement>> {
    if asked.row == IMPORT {
        return import::measure(asked).await;
    }
    let rows = over_http::rows(platform, over_http::Settings::of(asked.seconds)).await?;
    Ok(rows.iter().filter_map(|row| row.measured(&asked.subject)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::ROWS;

    #[test]
    fn every_run_is_a_row_or_yields_several() {
        for subject in SUBJECTS {
            for run in subject.runs {
                let known = ROWS.iter().any(|row| row.name == *run)
                    || [PREPARED, PLATFORM, LENGTHS].contains(run);
                assert!(known, "{}: {run}", subject.name);
            }
        }
    }
}
