//! The disk of the sagas: fails before a commit, or after it.

use std::io;
use std::sync::Arc;

use futures::future::BoxFuture;
use saga_orchestrator::{Access, Disk};

use crate::process::Process;
use crate::trace::Trace;
use crate::weather::{Mishap, Weather};

/// A disk that fails, reached by one process.
pub(crate) struct FaultyDisk {
    pub(crate) process: Arc<Process>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) trace: Arc<Trace>,
}

impl Disk for FaultyDisk {
    fn reach(&self, access: Access) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let failed = || Err(io::Error::other("the connection to the database is lost"));
            match access {
                Access::Open | Access::Lease => self.process.pass().await,
                Access::Commit => {
                    self.process.hop(&self.weather).await;
                    if self.weather.strikes(Mishap::DiskFails) {
                        return failed();
                    }
                }
                Access::Committed => {
                    self.process.pass().await;
                    if self.weather.strikes(Mishap::DiskAnswerLost) {
                        self.trace.happened("a commit of the sagas of unknown outcome");
                        return failed();
                    }
                }
            }
            Ok(())
        })
    }
}
