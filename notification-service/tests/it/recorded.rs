//! A log's owner that remembers what it was told to record, as the real one does, and whose answer may be lost.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use domain::command::Command;
use futures::future::BoxFuture;
use messaging::commands::CommandMessage;
use messaging::record::{RecordError, Recorder};
use serde_json::Value;

/// What was recorded, the first first, and under which id.
#[derive(Default)]
pub(crate) struct Recorded {
    actions: Mutex<Vec<Value>>,
    ids: Mutex<HashMap<String, String>>,
    loses_answers: AtomicBool,
}

impl Recorded {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Whether it records, and nobody hears of it: as if whoever asked had crashed then.
    pub(crate) fn lose_answers(&self, lose: bool) {
        self.loses_answers.store(lose, Ordering::Relaxed);
    }

    /// Each action: what is done to what, to which key of it, and why.
    pub(crate) fn actions(&self) -> Vec<String> {
        let actions = self.actions.lock().unwrap();
        let text = |action: &Value, member: &str| action[member].as_str().map(str::to_owned);
        let shown = |action: &Value| {
            let parts = ["action", "key", "reason"].map(|member| text(action, member));
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        };
        actions.iter().map(shown).collect()
    }
}

impl Recorder for Recorded {
    fn record(&self, message: CommandMessage) -> BoxFuture<'_, Result<(), RecordError>> {
        let (mut ids, mut actions) = (self.ids.lock().unwrap(), self.actions.lock().unwrap());
        let recorded = match ids.get(&*message.command_id) {
            Some(body) if *body == message.body => Ok(()),
            Some(_) => Err(RecordError::IdReused),
            None => {
                let command: Command = serde_json::from_str(&message.body).unwrap();
                let Command::RecordAction(action) = command else { panic!("{command:?}") };
                actions.push(serde_json::to_value(&action).unwrap());
                ids.insert(message.command_id.to_string(), message.body);
                Ok(())
            }
        };
        let lost = self.loses_answers.load(Ordering::Relaxed);
        let lost = lost.then(|| RecordError::Unavailable("nobody answers".into()));
        Box::pin(std::future::ready(lost.map_or(recorded, Err)))
    }
}
