//! What is checked: a data folder, or the databases of services that run as processes of their own.
//!
//! **Invariant:** the laws never learn which it is.

use std::path::Path;

use anyhow::{Context as _, Result};
use event_store::Mark;
use invariants::LedgerRow;
use projection_service::offline::{self, Survey};
use saga_orchestrator::Audit;
use serde::{Serialize, Serializer};
use serde_json::json;
use storage::Location;

use super::ledger;
use crate::data_dir::{DataDir, ReadLog};
use crate::serve::{Databases, DatabasesArgs};

/// Where everything is.
#[derive(Debug)]
pub(super) enum Place {
    /// In one folder.
    Folder(DataDir),
    /// In databases.
    Databases(Databases),
}

impl Place {
    /// The databases that are named; else the folder.
    pub(super) fn choose(folder: &Path, databases: DatabasesArgs) -> Result<Self> {
        match databases.resolve()? {
            Some(databases) => Ok(Self::Databases(databases)),
            None => Ok(Self::Folder(DataDir::existing(folder)?)),
        }
    }

    /// The provider's ledger; `None` when there is none to look at.
    pub(super) async fn ledger(&self) -> Result<Option<Vec<LedgerRow>>> {
        match self {
            Self::Folder(data) => ledger::read(&data.ledger()).await,
            Self::Databases(Databases { simulator: Some(url), connect, .. }) => {
                ledger::ask(url, connect).await.map(Some)
            }
            Self::Databases(_) => Ok(None),
        }
    }

    /// The sagas; `None` when there are none to look at.
    pub(super) async fn sagas(&self) -> Result<Option<Audit>> {
        let location = match self {
            Self::Folder(data) => data.sagas().into(),
            Self::Databases(Databases { sagas: Some(location), .. }) => location.clone(),
            Self::Databases(_) => return Ok(None),
        };
        let unreadable = || format!("{location} can't be read as the sagas' database");
        if !location.exists().await.with_context(unreadable)? {
            return Ok(None);
        }
        saga_orchestrator::audit(location.clone()).await.with_context(unreadable)
    }

    /// How far it was read for webhooks and mails; `None` when there are none to look at.
    pub(super) async fn notifications(&self) -> Result<Option<Mark>> {
        let location = match self {
            Self::Folder(data) => data.notifications().into(),
            Self::Databases(Databases { notifications: Some(location), .. }) => {
                Location::clone(location)
            }
            Self::Databases(_) => return Ok(None),
        };
        let unreadable = || format!("{location} can't be read as the notifications' database");
        if !location.exists().await.with_context(unreadable)? {
            return Ok(None);
        }
        notification_service::mark(location.clone()).await.with_context(unreadable)
    }

    /// The live read models, and those that can't be used; none when there are none to look at.
    pub(super) async fn survey(&self) -> Result<Survey> {
        let home = match self {
            Self::Folder(data) => (&data.projections()).into(),
            Self::Databases(Databases { models: Some(home), .. }) => home.clone(),
            Self::Databases(_) => return Ok(Survey::default()),
        };
        let unreadable = || format!("{} can't be read as read models", home.catalog());
        offline::survey(home.clone()).await.with_context(unreadable)
    }

    /// The log.
    pub(super) async fn log(&self) -> Result<ReadLog> {
        match self {
            Self::Folder(data) => data.open_log().await,
            Self::Databases(databases) => databases.log.open().await,
        }
    }

    /// Whether it was said where a part is: then it must be there.
    pub(super) fn is_named(&self, part: Part) -> bool {
        match (self, part) {
            // Not every installation has webhooks and mails.
            (Self::Folder(_), _) | (_, Part::Notifications) => false,
            (Self::Databases(databases), Part::Ledger) => databases.simulator.is_some(),
            (Self::Databases(databases), Part::Sagas) => databases.sagas.is_some(),
            (Self::Databases(databases), Part::Models) => databases.models.is_some(),
        }
    }

    /// Says what is not there to be checked.
    pub(super) fn without(&self, part: Part) -> String {
        match (self, part) {
            (Self::Folder(_), Part::Ledger) => {
                "There is no payments-simulator.db: no provider's ledger was compared.".to_owned()
            }
            (Self::Folder(_), Part::Sagas) => {
                "There is no sagas.db: no saga was checked.".to_owned()
            }
            (Self::Folder(_), Part::Notifications) => {
                "There is no notifications.db: how far webhooks and mails are was not looked at.".to_owned()
            }
            (Self::Folder(_), Part::Models) => "There is no read model in this folder.".to_owned(),
            (Self::Databases(_), Part::Ledger) => {
                "payment_simulator_url is not set: no provider's ledger was compared.".to_owned()
            }
            (Self::Databases(Databases { sagas: Some(location), .. }), Part::Sagas) => {
                format!("{location} holds no sagas: none was checked.")
            }
            (Self::Databases(_), Part::Sagas) => {
                "saga_postgres_url is not set: no saga was checked.".to_owned()
            }
            (Self::Databases(Databases { notifications: Some(location), .. }), Part::Notifications) => {
                format!("{location} holds no notifications: how far they are was not looked at.")
            }
            (Self::Databases(_), Part::Notifications) => {
                "notification_postgres_url is not set: how far webhooks and mails are was not looked at."
                    .to_owned()
            }
            (Self::Databases(Databases { models: Some(home), .. }), Part::Models) => {
                format!("{} holds no read models: none was compared.", home.catalog())
            }
            (Self::Databases(_), Part::Models) => {
                "projection_postgres_url is not set: no read model was compared.".to_owned()
            }
        }
    }

    /// What to type after a command of ours, so that it looks at the same.
    pub(super) fn words_for(&self, command: &str) -> String {
        match self {
            Self::Folder(data) => format!("{command} --data-dir {}", data.path().display()),
            Self::Databases(_) if command.starts_with("docket events") => {
                format!("{command}, with the same addresses")
            }
            Self::Databases(_) => command.to_owned(),
        }
    }
}

/// A part that may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The provider's ledger.
    Ledger,
    /// The sagas.
    Sagas,
    /// The read models.
    Models,
    /// Webhooks and mails.
    Notifications,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(data) => data.path().display().fmt(f),
            Self::Databases(databases) => databases.log.place.fmt(f),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Folder(data) => data.path().serialize(serializer),
            Self::Databases(Databases {
                log,
                keys,
                models,
                sagas,
                notifications,
                simulator,
                ..
            }) => json!({
                "log": log.place,
                "keys": keys.database.place,
                "read_models": models.as_ref().map(|home| home.catalog().to_string()),
                "sagas": sagas.as_ref().map(ToString::to_string),
                "notifications": notifications.as_ref().map(ToString::to_string),
                "payment_simulator_url": simulator,
            })
            .serialize(serializer),
        }
    }
}
