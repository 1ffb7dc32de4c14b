//! What a live projector was given and has not applied yet: a commit costs about the same for one event and for a hundred, so
//! that each projector collects by itself, and hurries for what is waited for.

use std::sync::Arc;
use std::time::Duration;

use event_store::Position;
use tokio::time::{Instant, sleep_until};

use super::wanted::Wanted;
use crate::decoded::Page;

/// Under load a projector commits this often; after idleness at once.
const COLLECT: Duration = Duration::from_millis(40);
/// Under load a projector commits this often while somebody waits for what it would commit.
const COLLECT_IN_HURRY: Duration = Duration::from_millis(3);
/// Events that are applied together at most, but for those of the last page.
const MOST_EVENTS: usize = 4_096;

/// Pages that follow one another, as one.
pub(super) struct Collected {
    page: Option<Arc<Page>>,
    /// When it was taken last.
    taken: Option<Instant>,
    wanted: Arc<Wanted>,
}

impl Collected {
    pub(super) fn new(wanted: Arc<Wanted>) -> Self {
        Self { page: None, taken: None, wanted }
    }

    /// Adds the page that follows.
    pub(super) fn push(&mut self, page: Arc<Page>) {
        let Some(collected) = &mut self.page else {
            self.page = Some(page);
            return;
        };
        // The first page is shared with the other projectors; from the second on this is our own.
        Arc::make_mut(collected).extend(Some(Arc::unwrap_or_clone(page)));
    }

    /// Whether more has to wait until this is applied.
    pub(super) fn is_full(&self) -> bool {
        self.page.as_ref().is_some_and(|page| page.ids.len() >= MOST_EVENTS)
    }

    /// Returns when what there is has to be applied, by a projector that stands here; never while there is nothing.
    pub(super) async fn due(&self, at: Position) {
        let Some(page) = &self.page else { return std::future::pending().await };
        let Some(taken) = self.taken.filter(|_| !self.is_full()) else { return };
        let in_hurry = async {
            sleep_until(taken + COLLECT_IN_HURRY).await;
            self.wanted.is_among(at, page.last()).await;
        };
        tokio::select! {
            biased;
            () = sleep_until(taken + COLLECT) => {}
            () = in_hurry => {}
        }
    }

    /// Takes all of it.
    pub(super) fn take(&mut self) -> Option<Arc<Page>> {
        self.taken = Some(Instant::now());
        self.page.take()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn page(first: Position, events: usize) -> Arc<Page> {
        Arc::new(Page { first, ids: vec![Uuid::nil(); events], events: Vec::new() })
    }

    async fn waited(collected: &Collected, at: Position) -> Duration {
        let begun = Instant::now();
        collected.due(at).await;
        begun.elapsed().min(Duration::from_secs(1))
    }

    #[tokio::test(start_paused = true)]
    async fn after_idleness_at_once_then_together_and_sooner_for_whom_waits() {
        let wanted = Arc::<Wanted>::default();
        let mut collected = Collected::new(Arc::clone(&wanted));
        collected.push(page(1, 2));
        assert_eq!(waited(&collected, 0).await, Duration::ZERO);
        assert_eq!(collected.take().unwrap().last(), 2);

        collected.push(page(3, 1));
        collected.push(page(4, 2));
        assert_eq!(waited(&collected, 2).await, COLLECT);
        let taken = collected.take().unwrap();
        assert_eq!((taken.first, taken.last()), (3, 5));

        collected.push(page(6, 1));
        let _later = wanted.want(7);
        assert_eq!(
            waited(&collected, 5).await,
            COLLECT,
            "it would bring nobody what is waited for"
        );
        collected.take();
        collected.push(page(7, 1));
        assert_eq!(waited(&collected, 6).await, COLLECT_IN_HURRY);
        collected.take();

        collected.push(page(8, MOST_EVENTS));
        assert!(collected.is_full());
        assert_eq!(waited(&collected, 7).await, Duration::ZERO);
        collected.take();
        assert!(tokio::time::timeout(Duration::from_hours(1), collected.due(8)).await.is_err());
    }

    #[tokio::test]
    async fn pages_that_others_have_too_stay_as_they_are() {
        let shared = page(1, 2);
        let mut collected = Collected::new(Arc::default());
        collected.push(Arc::clone(&shared));
        collected.push(page(3, 1));
        assert_eq!((shared.last(), collected.take().unwrap().last()), (2, 3));
    }
}
