//! An erasure between its event and the end of the key: what the log keeps of it.

use domain::command::Command;
use domain::customers::CustomerEvent;
use domain::event::Event;
use domain::orders::OrderEvent;
use event_store::{EventLog, Intent, StoreError};
use serde::{Deserialize, Serialize};

use crate::side_effects::SideEffect;

/// What the id of the append that ends an erasure has before that of the erasing command. Clients' ids begin otherwise,
/// whatever their keys are.
pub(super) const ENDS: &str = "erasure/";

/// An erasure whose key may not be destroyed yet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OpenErasure {
    /// The name that the key goes by.
    pub(super) person: String,
    /// The command that erased them: asked again when the key is gone, it finds everything so and ends the intent.
    pub(super) command: Command,
}

/// People whose key may not be destroyed yet, though their erasure is in the log.
pub async fn open_erasures(log: &dyn EventLog) -> Result<Vec<String>, StoreError> {
    let open = log.open_intents().await?;
    let person = |intent: Intent| match serde_json::from_str(&intent.payload) {
        Ok(SideEffect::Erasure(open)) => Some(open.person),
        Ok(SideEffect::Payment(_) | SideEffect::Watch(_)) | Err(_) => None,
    };
    Ok(open.into_iter().filter_map(person).collect())
}

/// The erasure that an event begins.
pub(crate) fn begun(event: &Event, command: &Command) -> Option<OpenErasure> {
    let person = match event {
        Event::Customer(CustomerEvent::CustomerErased(_))
        | Event::Order(OrderEvent::OrderErased(_)) => event.stream().to_string(),
        _ => return None,
    };
    Some(OpenErasure { person, command: command.clone() })
}

/// The intent that this command ends, if it is the end of an erasure.
pub(crate) fn ended<'c>(command: &Command, command_id: &'c str) -> Option<&'c str> {
    match command {
        Command::EraseCustomer(_) | Command::EraseOrder(_) => command_id.strip_prefix(ENDS),
        _ => None,
    }
}
