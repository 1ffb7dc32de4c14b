//! A subscriber that keeps what it was given.

use std::sync::Arc;

use event_store::RecordedEvent;
use messaging::feed::{Feed, FeedError, Place};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::log::TestLog;
use crate::platform::PATIENCE;

/// Reads for as long as it is there.
pub(crate) struct Reader {
    read: watch::Receiver<Vec<RecordedEvent>>,
    reading: JoinHandle<FeedError>,
}

impl Reader {
    pub(crate) async fn start(feed: Arc<dyn Feed>, place: Place) -> Self {
        let mut subscription = feed.subscribe_from(place).await.unwrap();
        let (sender, read) = watch::channel(Vec::new());
        let reading = tokio::spawn(async move {
            // The feed lives as long as its reader.
            let _feed = feed;
            loop {
                match subscription.next(100).await {
                    Ok(page) => {
                        sender.send_modify(|read: &mut Vec<_>| read.extend_from_slice(&page));
                    }
                    Err(error) => return error,
                }
            }
        });
        Self { read, reading }
    }

    pub(crate) fn count(&self) -> u64 {
        self.read.borrow().len() as u64
    }

    /// Waits for the first `events` of the log: each exactly once, in order, as it is in the log.
    pub(crate) async fn has_read(&self, log: &TestLog, events: u64) {
        let mut read = self.read.clone();
        let enough = read.wait_for(|read| read.len() as u64 >= events);
        let waited = tokio::time::timeout(PATIENCE, enough).await;
        assert!(waited.is_ok(), "only {} of {events} events came", self.count());
        let read = self.read.borrow();
        let positions: Vec<u64> = read.iter().map(|event| event.position).collect();
        assert_eq!(positions, (1..=read.len() as u64).collect::<Vec<_>>());
        assert!(log.begins_with(&read), "an event came that is not the log's");
    }

    /// Waits until reading ends, and says why.
    pub(crate) async fn end(self) -> FeedError {
        tokio::time::timeout(PATIENCE, self.reading).await.unwrap().unwrap()
    }
}
