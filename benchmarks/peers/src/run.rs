//! One row of one subject: a fresh database, the streams, the load, and nothing left behind.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::cqrs_es::CqrsEs;
use crate::disintegrate::Disintegrate;
use crate::driver::{Measured, closed_loop, read_all};
use crate::emmett::{self, Reading};
use crate::esrs::{Esrs, Locking};
use crate::install::Missing;
use crate::message_db::{Categories, MessageDb};
use crate::peer::{Peer, Site};
use crate::report::Report;
use crate::row::{Row, Shape};
use crate::sql::Database;
use crate::subject::{SNAPSHOT_EVERY, Subject};

/// How a run is to be.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The address of a database from which others can be created.
    pub(crate) postgres: String,
    /// The peer.
    pub(crate) subject: Subject,
    /// The row.
    pub(crate) row: Row,
    /// How long is measured.
    pub(crate) measured_for: Duration,
    /// How long the log is that is read as a whole.
    pub(crate) log_events: u32,
}

impl Run {
    /// Measures the row, or says why it can't be measured here.
    pub(crate) async fn report(&self) -> anyhow::Result<Report> {
        let skipped = |why| Ok(Report::skipped(self.subject.name(), self.row, why));
        if !self.subject.has(self.row) {
            return skipped("nothing is different from the peer's other rows".to_owned());
        }
        let database = Database::create(&self.postgres).await?;
        let measured = self.measure(&database).await;
        database.drop_it().await?;
        match measured {
            Ok(measured) => Ok(Report::of(self.subject, self.row, self.shape(), &measured)),
            Err(error) => match error.downcast::<Missing>() {
                Ok(missing) => skipped(missing.to_string()),
                Err(error) => Err(error),
            },
        }
    }

    fn shape(&self) -> Shape {
        self.row.shape(self.log_events)
    }

    async fn measure(&self, database: &Database) -> anyhow::Result<Measured> {
        let every = Some(SNAPSHOT_EVERY);
        let site =
            Site { database: database.options(), clients: self.row.clients(), shape: self.shape() };
        match self.subject {
            Subject::CqrsEs => self.drive(database, CqrsEs::open(site, None)).await,
            Subject::CqrsEsSnapshots => self.drive(database, CqrsEs::open(site, every)).await,
            Subject::Esrs => self.drive(database, Esrs::open(site, Locking::Optimistic)).await,
            Subject::EsrsLocked => self.drive(database, Esrs::open(site, Locking::Advisory)).await,
            Subject::Disintegrate => self.drive(database, Disintegrate::open(site, None)).await,
            Subject::DisintegrateSnapshots => {
                self.drive(database, Disintegrate::open(site, every)).await
            }
            #[cfg(feature = "umadb")]
            Subject::UmaDb => self.drive(database, crate::umadb::UmaDb::open(site)).await,
            #[cfg(not(feature = "umadb"))]
            Subject::UmaDb => {
                Err(Missing::because("built without it: its client needs protoc").into())
            }
            Subject::MessageDb => {
                self.drive(database, MessageDb::open(site, Categories::One)).await
            }
            Subject::MessageDbCategories => {
                self.drive(database, MessageDb::open(site, Categories::PerClient)).await
            }
            Subject::Emmett => self.drive_emmett(database, &site, Reading::Pages).await,
            Subject::EmmettConsumer => self.drive_emmett(database, &site, Reading::Consumer).await,
        }
    }

    async fn drive<P: Peer>(
        &self,
        database: &Database,
        opened: impl Future<Output = anyhow::Result<P>>,
    ) -> anyhow::Result<Measured> {
        let peer = Arc::new(opened.await?);
        database.settle().await?;
        match self.row {
            Row::ReadAll => read_all(peer, self.shape(), self.measured_for).await,
            Row::Append { .. } | Row::Command { .. } | Row::Length { .. } | Row::Hot { .. } => {
                closed_loop(peer, self.row, self.shape(), self.measured_for).await
            }
        }
    }

    async fn drive_emmett(
        &self,
        database: &Database,
        site: &Site,
        reading: Reading,
    ) -> anyhow::Result<Measured> {
        emmett::measure(site, database, self.row, reading, self.measured_for).await
    }
}
