//! Operators' actions, recorded in the log by the command-service on behalf of who carries them out.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use command_service::Participants;
use futures::future::BoxFuture;
use messaging::commands::CommandMessage;
use messaging::jetstream::{self, Names};
use messaging::record::{RecordError, Recorder};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// What is asked.
const SERVICE: &str = "record-action";
/// How long an answer may take; an operator waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Recorded {
    InTheLog,
    IdReused,
    Refused(String),
}

/// Records through this command-service until it is stopped.
pub(super) async fn serve(
    client: Client,
    names: Names,
    participants: Participants,
    stop: CancellationToken,
) {
    let participants = Arc::new(participants);
    let answer = move |message: CommandMessage| -> BoxFuture<'static, Result<Recorded, String>> {
        let participants = Arc::clone(&participants);
        Box::pin(async move {
            match participants.record(message).await {
                Ok(()) => Ok(Recorded::InTheLog),
                Err(RecordError::IdReused) => Ok(Recorded::IdReused),
                Err(RecordError::Refused(why)) => Ok(Recorded::Refused(why)),
                Err(error @ RecordError::Unavailable(_)) => Err(error.to_string()),
            }
        })
    };
    jetstream::serve(client, names, SERVICE, answer, stop).await;
}

/// The command-service, as those see it who have an action recorded.
pub(super) struct AskedRecorder {
    client: Client,
    names: Names,
}

impl AskedRecorder {
    pub(super) fn new(client: Client, names: Names) -> Self {
        Self { client, names }
    }
}

impl Recorder for AskedRecorder {
    fn record(&self, message: CommandMessage) -> BoxFuture<'_, Result<(), RecordError>> {
        Box::pin(async move {
            let (client, names) = (&self.client, &self.names);
            let asked = jetstream::ask(client, names, SERVICE, &message, PATIENCE).await;
            match asked.map_err(|error| RecordError::Unavailable(Box::new(error)))? {
                Recorded::InTheLog => Ok(()),
                Recorded::IdReused => Err(RecordError::IdReused),
                Recorded::Refused(why) => Err(RecordError::Refused(why)),
            }
        })
    }
}
