//! Erasing a person: the event first, then the key. What a crash cut off between the two is finished at the next start.
//!
//! **Invariant:** a person whose erasure is in the log has no key, or an open intent says that it must still be
//! destroyed; nobody is told that they are erased before the key is gone.

use std::sync::Arc;

use domain::command::Command;
use domain::customers::CustomerEvent;
use domain::event::Event;
use domain::orders::OrderEvent;
use event_store::keys::Vault;
use event_store::{EventLog, Metadata, StoreError};
use serde::{Deserialize, Serialize};
use service_kit::clock::Clock;

use crate::processor::{Answer, ProcessorHandle, Request, WithoutEffect};
use crate::request_hash::RequestHasher;
use crate::side_effects::SideEffect;

/// What the id of the append that ends an erasure has after that of the erasing command.
const ERASED: &str = "/erased";

/// An erasure whose key may not be destroyed yet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OpenErasure {
    /// The name that the key goes by.
    person: String,
    /// The command that erased them: asked again when the key is gone, it finds everything so and ends the intent.
    command: Command,
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
        Command::EraseCustomer(_) | Command::EraseOrder(_) => command_id.strip_suffix(ERASED),
        _ => None,
    }
}

/// Destroys keys and ends the intents to do so.
#[derive(Clone)]
pub(crate) struct Eraser {
    vault: Arc<Vault>,
    processor: ProcessorHandle,
    hasher: RequestHasher,
    clock: Clock,
}

impl Eraser {
    pub(crate) fn new(
        vault: Arc<Vault>,
        processor: ProcessorHandle,
        hasher: RequestHasher,
        clock: Clock,
    ) -> Self {
        Self { vault, processor, hasher, clock }
    }

    /// Destroys the person's key after the erasing command `id`; again is harmless.
    pub(crate) async fn finish(
        &self,
        id: &str,
        person: &str,
        command: Command,
    ) -> Result<(), StoreError> {
        self.vault.erase(person, (self.clock)()).await?;
        // The key is gone: if this append fails, the next start finds the intent and destroys nothing once more.
        if let Err(error) = self.processor.execute(self.end(id, command)).await {
            tracing::warn!(%error, %id, "the end of an erasure is not recorded yet");
        }
        Ok(())
    }

    /// Finishes what an earlier process began.
    pub(crate) async fn finish_open(self, log: Arc<dyn EventLog>) {
        let open = match log.open_intents().await {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(%error, "open erasures could not be read; the next start tries again");
                return;
            }
        };
        for intent in open {
            let Ok(SideEffect::Erasure(open)) = serde_json::from_str(&intent.payload) else {
                continue;
            };
            if let Err(error) = self.finish(&intent.id, &open.person, open.command).await {
                tracing::error!(%error, id = %intent.id, "a key could not be destroyed; the next start tries again");
            }
        }
    }

    fn end(&self, id: &str, command: Command) -> Request {
        let command_id: Arc<str> = format!("{id}{ERASED}").into();
        Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[command_id.as_bytes()]),
            command,
            expected: None,
            metadata: Arc::new(Metadata {
                command_id,
                actor: "erasure".into(),
                correlation_id: id.into(),
                causation_id: Some(id.into()),
                traceparent: None,
                occurred_at: (self.clock)(),
            }),
            answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
            without_effect: WithoutEffect::Answer,
        }
    }
}
