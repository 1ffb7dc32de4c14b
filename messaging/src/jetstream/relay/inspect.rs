//! What the relay finds when it looks at the stream, and what it does about it.

use event_store::{LogIdentity, Position};

use super::run::{Relay, Sent};
use crate::jetstream::envelope::{self, Received};
use crate::jetstream::trouble::Trouble;

/// Where the stream stands.
enum Finding {
    /// Its end is the log's: go on after this position.
    Continues(Sent),
    /// There is none.
    Absent,
    /// It ends so far behind that nothing of it would be kept.
    TooOld { last: Position },
    /// It has what the log has not. `seen` is the epoch of an event that was the log's once.
    Foreign { why: String, seen: Option<u32> },
}

/// What stands at the stream's last sequence.
enum Last {
    Missing,
    NoEvent(String),
    Event(Box<Received>),
}

impl Relay {
    /// Looks at the stream, builds it anew where it has to be, and says after which position to go on.
    pub(super) async fn inspect(&mut self) -> Result<Sent, Trouble> {
        match self.look().await? {
            Finding::Continues(sent) => Ok(sent),
            Finding::Absent => {
                let first = self.create().await?;
                tracing::warn!(
                    first,
                    "the stream of events was not there; it was created and is filled from the log"
                );
                Ok(Sent { position: first - 1, id: None })
            }
            Finding::TooOld { last } => {
                let why = format!("it ended at {last}, far behind the log");
                self.rebuild(&why).await
            }
            Finding::Foreign { why, seen } => {
                if let Some(seen) = seen
                    && seen >= self.owned.known_identity().epoch
                    && !self.raised
                {
                    self.owned.raise_epoch(seen, &why).await?;
                    self.raised = true;
                }
                self.rebuild(&why).await
            }
        }
    }

    async fn look(&mut self) -> Result<Finding, Trouble> {
        let identity = self.owned.current_identity().await?;
        let Some(last) = self.carrier.find_stream(self.settings.events).await? else {
            return Ok(Finding::Absent);
        };
        let found = self.last(last).await?;
        let id = match &found {
            Last::Event(received) => Some(received.event.id),
            Last::Missing | Last::NoEvent(_) => None,
        };
        if let Some(foreign) = self.compare(&identity, last, found).await? {
            return Ok(foreign);
        }
        if self.owned.head() > last.saturating_add(self.settings.events.retained) {
            return Ok(Finding::TooOld { last });
        }
        Ok(Finding::Continues(Sent { position: last, id }))
    }

    async fn last(&self, sequence: Position) -> Result<Last, Trouble> {
        if sequence == 0 {
            return Ok(Last::Missing);
        }
        Ok(match self.carrier.message_at(sequence).await? {
            Some(envelope) => match envelope::decode(&envelope) {
                Ok(event) => Last::Event(Box::new(event)),
                Err(error) => Last::NoEvent(error.to_string()),
            },
            None => Last::Missing,
        })
    }

    /// `None` when the end of the stream is the log's.
    async fn compare(
        &self,
        identity: &LogIdentity,
        last: Position,
        found: Last,
    ) -> Result<Option<Finding>, Trouble> {
        let foreign = |why, seen| Ok(Some(Finding::Foreign { why, seen }));
        let received = match found {
            Last::NoEvent(error) => {
                return foreign(format!("a stray message stands at {last}: {error}"), None);
            }
            // Deleted or expired: nothing to compare. A stream that ends in the log goes on; the feed fills the hole.
            Last::Missing => {
                return if last == 0 || self.owned.event_at(last).await?.is_some() {
                    Ok(None)
                } else {
                    foreign(format!("it ended at {last}, beyond the log"), Some(identity.epoch))
                };
            }
            Last::Event(received) => received,
        };
        let (log, event) = (&received.log, &received.event);
        if log.log != identity.log {
            return foreign(format!("it carried another log, {}", log.log), None);
        }
        if event.position != last {
            let why = format!("the event of position {} stood at {last}", event.position);
            return foreign(why, None);
        }
        match self.owned.event_at(last).await? {
            Some(ours) if ours.id == event.id => {}
            Some(_) => {
                return foreign(format!("it had another event at {last}"), Some(log.epoch));
            }
            None => return foreign(format!("it ended at {last}, beyond the log"), Some(log.epoch)),
        }
        match log.epoch.cmp(&identity.epoch) {
            std::cmp::Ordering::Equal => Ok(None),
            std::cmp::Ordering::Less => foreign("it was of an older epoch".to_owned(), None),
            std::cmp::Ordering::Greater => {
                foreign(format!("it was of the later epoch {}", log.epoch), Some(log.epoch))
            }
        }
    }

    async fn rebuild(&mut self, why: &str) -> Result<Sent, Trouble> {
        self.carrier.delete_stream().await?;
        let first = self.create().await?;
        tracing::error!(
            why,
            first,
            "the stream of events was not a copy of the log: it was deleted and is filled anew"
        );
        metrics::counter!("docket_relay_rebuilds_total").increment(1);
        self.raised = false;
        Ok(Sent { position: first - 1, id: None })
    }

    /// Creates the stream so that it begins with the oldest event it would keep, and gives that position.
    async fn create(&self) -> Result<Position, Trouble> {
        let first = self.owned.head().saturating_sub(self.settings.events.retained) + 1;
        self.carrier.create_stream(self.settings.events, first).await?;
        Ok(first)
    }
}
