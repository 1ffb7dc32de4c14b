//! What is read before the log. The log knows all that it knows, so whatever goes on meanwhile can't look wrong.

use std::collections::HashSet;

use anyhow::{Context as _, Result, bail};
use command_service::payments::open_calls;
use event_store::{LogIdentity, Mark, Position};
use invariants::{Follower, LedgerRow};
use projection_service::offline::ModelSnapshot;
use saga_orchestrator::Audit;

use super::followers;
use super::place::Place;
use super::read_models::{self, Unused};
use crate::parked::ParkedIn;

/// All of it.
pub(super) struct Before {
    /// The calls to the provider that were open.
    pub(super) open_calls: HashSet<String>,
    /// Where the log ended before they were read.
    pub(super) calls_head: Position,
    /// What the provider had done.
    pub(super) ledger: Option<Vec<LedgerRow>>,
    /// What the orchestrator had kept.
    pub(super) audit: Option<Audit>,
    /// How far webhooks and mails were.
    pub(super) notifications: Option<Mark>,
    /// The read models, each as of one moment.
    pub(super) snapshots: Vec<ModelSnapshot>,
    /// What is there and is not compared.
    pub(super) unused: Unused,
    /// What is parked.
    pub(super) parked: ParkedIn,
}

impl Before {
    pub(super) async fn read(place: &Place) -> Result<Self> {
        let log = place.log().await?;
        let calls_head = *log.head().borrow();
        let open_calls = open_calls(&*log).await.context("the log's open intents can't be read")?;
        log.close().await;
        let ledger = place.ledger().await?;
        let (audit, notifications) = (place.sagas().await?, place.notifications().await?);
        let survey = place.survey().await?;
        let unused = read_models::unused(&survey);
        let (mut snapshots, mut parked) = (Vec::new(), ParkedIn::default());
        for model in survey.models {
            let snapshot = model.snapshot().await?;
            parked.add(&snapshot);
            snapshots.push(snapshot);
        }
        Ok(Self { open_calls, calls_head, ledger, audit, notifications, snapshots, unused, parked })
    }

    /// Whoever follows the log.
    pub(super) fn followers(&self) -> Vec<Follower> {
        followers::all(self.audit.as_ref(), self.notifications.as_ref(), &self.snapshots)
    }

    /// What belongs to different logs can't be compared: somebody mixed up the addresses.
    pub(super) fn of_one_log(&self, place: &Place, log: &LogIdentity) -> Result<()> {
        for Follower { name, mark, .. } in self.followers() {
            if mark.log.log != log.log {
                bail!(
                    "{name} belonged to the log {}, but the log at {place} is {}",
                    mark.log.log,
                    log.log
                );
            }
        }
        Ok(())
    }
}
