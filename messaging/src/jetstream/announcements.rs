//! How far the log is: told every second, after every change, and when asked.
//!
//! **Invariant:** an announcement is never ahead of what can be read from the log.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State;
use event_store::{LogIdentity, Position};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backoff::Backoff;
use super::names::Names;
use super::owner::OwnedLog;
use super::trouble::{Trouble, broker, chain};

/// How often the head is told when nothing changes.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// Changes are told at most this often.
const AT_MOST_EVERY: Duration = Duration::from_millis(50);

/// How far the log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Which log, in which epoch.
    #[serde(flatten)]
    pub log: LogIdentity,
    /// Its last position.
    pub head: Position,
    /// The id of the event there; none in an empty log.
    pub event_id: Option<Uuid>,
}

/// Tells how far the log is. Only the log's owner does.
pub struct Announcer {
    client: Client,
    names: Names,
    owned: Arc<OwnedLog>,
    last: Mutex<Option<Announcement>>,
}

impl Announcer {
    /// Tells of this log.
    pub fn new(client: Client, names: Names, owned: Arc<OwnedLog>) -> Self {
        Self { client, names, owned, last: Mutex::default() }
    }

    /// Tells until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        loop {
            let ended = stop.run_until_cancelled(self.session(&mut backoff)).await;
            let Some(Err(trouble)) = ended else { return };
            tracing::warn!(cause = chain(&trouble), "how far the log is can't be told now");
            if stop.run_until_cancelled(tokio::time::sleep(backoff.next())).await.is_none() {
                return;
            }
        }
    }

    async fn session(&self, backoff: &mut Backoff) -> Result<(), Trouble> {
        let questions =
            self.client.queue_subscribe(self.names.announce(), "owners".to_owned()).await;
        let mut questions = questions.map_err(broker("nobody can ask how far the log is"))?;
        let mut head = self.owned.log.head();
        let mut identity = self.owned.identity();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                question = questions.next() => {
                    let Some(question) = question else {
                        return Err(Trouble::Odd("the subscription ended".to_owned()));
                    };
                    if let Some(asker) = question.reply {
                        self.tell(asker.to_string()).await?;
                    }
                }
                _ = ticks.tick() => self.tell(self.names.announcements()).await?,
                changed = head.changed() => {
                    changed.map_err(|_| Trouble::Odd("the log was closed".to_owned()))?;
                    self.tell(self.names.announcements()).await?;
                    tokio::time::sleep(AT_MOST_EVERY).await;
                }
                _ = identity.changed() => self.tell(self.names.announcements()).await?,
            }
            backoff.reset();
        }
    }

    async fn tell(&self, subject: String) -> Result<(), Trouble> {
        if self.client.connection_state() != State::Connected {
            // What is told while nobody hears would be told late, all at once.
            return Ok(());
        }
        let announcement = self.announcement().await?;
        let text = serde_json::to_vec(&announcement)
            .map_err(broker("the announcement can't be written"))?;
        self.client
            .publish(subject, text.into())
            .await
            .map_err(broker("the announcement can't be sent"))
    }

    /// The event at the head is read once a change, not once a second.
    async fn announcement(&self) -> Result<Announcement, Trouble> {
        let (log, head) = (self.owned.known_identity(), self.owned.head());
        let mut last = self.last.lock().await;
        if let Some(last) = &*last
            && (last.head, &last.log) == (head, &log)
        {
            return Ok(last.clone());
        }
        let event_id = self.owned.event_at(head).await?.map(|event| event.id);
        let announcement = Announcement { log, head, event_id };
        *last = Some(announcement.clone());
        Ok(announcement)
    }
}
