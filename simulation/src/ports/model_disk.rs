//! The disk of the read models: fails before a commit, or after it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use projection_service::memory::{Access, Disk};

use crate::process::Process;
use crate::trace::Trace;
use crate::weather::{Mishap, Weather};

/// A disk that fails, reached by one process.
pub(crate) struct FaultyModelDisk {
    pub(crate) process: Arc<Process>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) trace: Arc<Trace>,
    /// Commits that are under way.
    pub(crate) committing: Arc<AtomicUsize>,
}

impl Disk for FaultyModelDisk {
    fn reach<'a>(&'a self, model: &'a str, access: Access) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let failed = || Err(io::Error::other("the connection to the database is lost"));
            match access {
                Access::Begin => self.process.pass().await,
                Access::Commit => {
                    self.committing.fetch_add(1, Ordering::Relaxed);
                    self.process.hop(&self.weather).await;
                    self.committing.fetch_sub(1, Ordering::Relaxed);
                    if self.weather.strikes(Mishap::ModelDiskFails) {
                        self.trace.happened("a batch of a projector that failed");
                        return failed();
                    }
                }
                Access::Committed => {
                    self.trace.tell(format_args!("{} commits {model}", self.process.name));
                    self.process.pass().await;
                    if self.weather.strikes(Mishap::ModelDiskAnswerLost) {
                        self.trace.happened("a commit of a projector of unknown outcome");
                        return failed();
                    }
                }
            }
            Ok(())
        })
    }
}
