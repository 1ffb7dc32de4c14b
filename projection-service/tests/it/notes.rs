//! A log's owner that only notes what it is asked to record.

use std::sync::Mutex;

use futures::future::BoxFuture;
use messaging::commands::CommandMessage;
use messaging::record::{RecordError, Recorder};

/// Notes what it is asked to record.
#[derive(Default)]
pub(crate) struct Notes {
    bodies: Mutex<Vec<String>>,
    refuses: bool,
}

impl Recorder for Notes {
    fn record(&self, message: CommandMessage) -> BoxFuture<'_, Result<(), RecordError>> {
        let recorded = if self.refuses {
            Err(RecordError::Unavailable("it is away".into()))
        } else {
            self.bodies.lock().unwrap().push(message.body);
            Ok(())
        };
        Box::pin(std::future::ready(recorded))
    }
}

impl Notes {
    /// One that can't be reached.
    pub(crate) fn refusing() -> Self {
        Self { refuses: true, ..Self::default() }
    }

    pub(crate) fn all(&self) -> Vec<serde_json::Value> {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect()
    }
}
