//! How far the log is: told every second, after every change, and when asked.
//!
//! **Invariant:** an announcement is never ahead of what can be read from the log.

use std::sync::Arc;
use std::time::Duration;

use event_store::{LogIdentity, Position};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::backoff::Backoff;
use super::carrier::{Carrier, Question};
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
    carrier: Arc<dyn Carrier>,
    owned: Arc<OwnedLog>,
    last: Mutex<Option<Announcement>>,
}

impl Announcer {
    /// Tells of this log.
    pub fn new(carrier: Arc<dyn Carrier>, owned: Arc<OwnedLog>) -> Self {
        Self { carrier, owned, last: Mutex::default() }
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
        let mut questions = self.carrier.questions(Question::Head).await?;
        let mut head = self.owned.log.head();
        let mut identity = self.owned.identity();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = identity.changed() => self.tell(None).await?,
                _ = ticks.tick() => self.tell(None).await?,
                question = questions.next() => {
                    let Some(question) = question else {
                        return Err(Trouble::Odd("the subscription ended".to_owned()));
                    };
                    self.tell(Some(question.asker)).await?;
                }
                changed = head.changed() => {
                    changed.map_err(|_| Trouble::Odd("the log was closed".to_owned()))?;
                    self.tell(None).await?;
                    tokio::time::sleep(AT_MOST_EVERY).await;
                }
            }
            backoff.reset();
        }
    }

    /// Tells the one who asked, or everybody.
    async fn tell(&self, asker: Option<String>) -> Result<(), Trouble> {
        if !self.carrier.is_reached() {
            // What is told while nobody hears would be told late, all at once.
            return Ok(());
        }
        let announcement = self.announcement().await?;
        let text = serde_json::to_vec(&announcement)
            .map_err(broker("the announcement can't be written"))?;
        match asker {
            Some(asker) => self.carrier.answer(asker, text.into()).await?,
            None => self.carrier.announce(text.into()).await?,
        }
        Ok(())
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
