//! Intents as they are committed. A hint for the runner, which reads the log as well.

use std::sync::Arc;

use domain::event::Event;
use event_store::IntentChange;
use tokio::sync::mpsc;

use crate::processor::Observer;

/// Tells the runner of intents as they are committed. A hint: the runner reads the log as well.
pub struct OpenedIntents {
    opened: mpsc::UnboundedSender<Opened>,
}

/// An intent as it was committed.
#[derive(Debug)]
pub struct Opened {
    pub(super) id: Arc<str>,
    pub(super) payload: String,
}

/// The observer for the processor, and the end of it for the runner.
pub fn opened_intents() -> (OpenedIntents, mpsc::UnboundedReceiver<Opened>) {
    // As many wait here as commands have left intents that the runner has not begun: it begins each at once.
    let (opened, receiver) = mpsc::unbounded_channel();
    (OpenedIntents { opened }, receiver)
}

impl Observer for OpenedIntents {
    fn committed(&self, _events: &[Event], intents: &[IntentChange]) {
        for change in intents {
            match change {
                IntentChange::Open { id, payload } => {
                    let opened = Opened { id: Arc::clone(id), payload: payload.clone() };
                    // Nobody listens at shutdown: the next start finds the intent in the log.
                    drop(self.opened.send(opened));
                }
                IntentChange::Close { .. } => {}
            }
        }
    }
}
