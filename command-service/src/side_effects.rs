//! Which side effects a command begins and ends: the changes to the log's open intents that go into its append. Pure.
//!
//! **Invariant:** what an event promises to the world outside stands among the open intents from the same commit on,
//! until a further append says that it is done.

use domain::command::Command;
use domain::event::Event;
use event_store::{IntentChange, Metadata};
use serde::{Deserialize, Serialize};

use crate::erasure::{self, OpenErasure};
use crate::payments::watch::{self, Watch};
use crate::payments::{ProviderCall, intents};

/// What an open intent keeps.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub(crate) enum SideEffect {
    /// A call to the payment provider.
    Payment(Box<ProviderCall>),
    /// An authorization that may still land at the provider, and is to be voided then.
    Watch(Box<Watch>),
    /// A key to be destroyed.
    Erasure(OpenErasure),
}

/// A side effect that is the payment provider's business.
#[derive(Debug)]
pub(crate) enum Errand {
    /// A call to the payment provider.
    Payment(Box<ProviderCall>),
    /// An authorization that may still land there.
    Watch(Box<Watch>),
}

impl SideEffect {
    /// What is to be done at the provider, if anything.
    pub(crate) fn errand(self) -> Option<Errand> {
        match self {
            Self::Payment(call) => Some(Errand::Payment(call)),
            Self::Watch(watch) => Some(Errand::Watch(watch)),
            Self::Erasure(_) => None,
        }
    }
}

/// The changes that go into a command's append. An error is a bug, and the command must not have its effect.
pub(crate) fn changes(
    command: &Command,
    events: &[Event],
    metadata: &Metadata,
) -> serde_json::Result<Vec<IntentChange>> {
    let id = &metadata.command_id;
    let ended = intents::ended(command, id).or_else(|| erasure::ended(command, id));
    let ended = ended.or_else(|| watch::ended(command, events, id));
    let mut changes: Vec<IntentChange> =
        ended.map(|id| IntentChange::Close { id: id.into() }).into_iter().collect();
    let begun = events.iter().filter_map(|event| {
        let payment = || Some(SideEffect::Payment(Box::new(intents::call(event, metadata)?)));
        let watch = || Some(SideEffect::Watch(Box::new(watch::begun(event, command, metadata)?)));
        let erasure = || erasure::begun(event, command).map(SideEffect::Erasure);
        payment().or_else(watch).or_else(erasure)
    });
    for side_effect in begun {
        let payload = serde_json::to_string(&side_effect)?;
        changes.push(IntentChange::Open { id: id.clone(), payload });
    }
    Ok(changes)
}
