//! Clients: each asks until it has a final answer or its patience ends, and notes what it was told.

use std::sync::Arc;
use std::time::Duration;

use command_service::processor::{Answer, ExecuteError, Outcome, Request, WithoutEffect};
use domain::command::Command;
use event_store::Metadata;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::state::World;
use crate::plan::Operation;

/// A client waits this long for an answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// Until then it asks again.
const ASKS: u32 = 60;

/// What a client knows in the end.
#[derive(Debug)]
pub(crate) enum Told {
    /// It is done.
    Done(Outcome),
    /// It is refused.
    Refused(String),
    /// The key stands for another command.
    Reused,
    /// Nothing for sure.
    Nothing,
}

impl World {
    /// All that the plan has clients ask of one operation.
    pub(crate) async fn carry_out(self: Arc<Self>, operation: Operation) {
        let waits = operation.at.saturating_sub(self.trace.elapsed());
        sleep(waits).await;
        let again = operation.again.map(|later| {
            let (world, operation) = (Arc::clone(&self), operation.clone());
            tokio::spawn(async move {
                sleep(later).await;
                world.ask(&operation.key, &operation.command).await;
            })
        });
        let told = self.ask(&operation.key, &operation.command).await;
        if operation.misuse && matches!(told, Told::Done(_)) {
            let other =
                json!({ "command": "ReceiveStock", "body": { "sku": "mug", "quantity": 77 } });
            match self.ask_until_told(&operation.key, &other).await {
                Told::Reused | Told::Nothing => {}
                told @ (Told::Done(_) | Told::Refused(_)) => {
                    self.journal.misused(&operation.key, &format!("{told:?}"));
                }
            }
        }
        if let Some(again) = again {
            drop(again.await);
        }
    }

    /// Asks, and notes the answer.
    pub(crate) async fn ask(&self, key: &str, command: &Value) -> Told {
        self.journal.asks(key, command);
        let told = self.ask_until_told(key, command).await;
        match &told {
            Told::Done(outcome) => self.journal.done(key, outcome.clone()),
            Told::Reused => {
                self.journal.refused(key, "the key was used for another command", true);
            }
            Told::Refused(_) | Told::Nothing => {}
        }
        told
    }

    async fn ask_until_told(&self, key: &str, command: &Value) -> Told {
        for _ in 0..ASKS {
            let was_done = self.journal.sends(key);
            match self.ask_once(key, command).await {
                Some(Ok(outcome)) => {
                    let Outcome { version, position, replayed, .. } = outcome;
                    self.trace.tell(format_args!(
                        "{key}: done at {position}, version {version}, replayed {replayed}"
                    ));
                    self.journal.told_whose(key, replayed);
                    if replayed {
                        self.trace.happened("a dedupe hit");
                    }
                    return Told::Done(outcome);
                }
                Some(Err(ExecuteError::KeyReused)) => return Told::Reused,
                Some(Err(
                    error @ (ExecuteError::Refused(_) | ExecuteError::VersionMismatch { .. }),
                )) => {
                    self.trace.tell(format_args!("{key}: {error}"));
                    self.journal.refused(key, &error.to_string(), was_done);
                    return Told::Refused(error.to_string());
                }
                Some(Err(error)) => self.trace.tell(format_args!("{key}: {error}, again")),
                None => self.trace.tell(format_args!("{key}: silence, again")),
            }
            sleep(Duration::from_millis(self.weather.draw(|rng| rng.within(50, 1_500)))).await;
        }
        Told::Nothing
    }

    /// `None` when there is no answer.
    async fn ask_once(&self, key: &str, command: &Value) -> Option<Result<Outcome, ExecuteError>> {
        let active = {
            let serving = self.serving();
            // Now and then somebody asks one that was taken over.
            let stale = serving.len() > 1 && self.weather.draw(|rng| rng.chance(300));
            let asked = if stale { serving.first() } else { serving.last() };
            Arc::clone(asked?)
        };
        let request = self.request(key, command)?;
        let asked = async {
            active.process.hop(&self.weather).await;
            let answer = active.processor.execute(request).await;
            active.process.hop(&self.weather).await;
            answer
        };
        timeout(PATIENCE, asked).await.ok()
    }

    fn request(&self, key: &str, command: &Value) -> Option<Request> {
        let command_id: Arc<str> = format!("client/{key}").into();
        let text = command.to_string();
        let command: Command = serde_json::from_value(command.clone()).ok()?;
        Some(Request {
            command_id: Arc::clone(&command_id),
            request_hash: self.hasher.hash(&[text.as_bytes()]),
            command,
            expected: None,
            metadata: Arc::new(Metadata {
                command_id: Arc::clone(&command_id),
                actor: "client".into(),
                correlation_id: command_id,
                causation_id: None,
                traceparent: None,
                occurred_at: (self.clock)(),
            }),
            answer: |_, events| Answer {
                status: 200,
                body: format!("{{\"events\":{}}}", events.len()),
            },
            without_effect: WithoutEffect::Answer,
        })
    }
}
