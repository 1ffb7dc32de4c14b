//! A feed that hears nothing of the log any more.

use std::sync::Arc;

use messaging::conformance::FeedOver;
use messaging::feed::{Feed, Freshness};
use tokio::sync::watch;

/// It says that it does not know how far the log is when it was told to.
pub(crate) struct Silenced {
    inner: Arc<dyn Feed>,
    freshness: watch::Sender<Freshness>,
}

impl Silenced {
    pub(crate) fn over(inner: Arc<dyn Feed>) -> Arc<Self> {
        Arc::new(Self { inner, freshness: watch::Sender::new(Freshness::Known) })
    }

    pub(crate) fn hears(&self, freshness: Freshness) {
        self.freshness.send_replace(freshness);
    }
}

impl FeedOver for Silenced {
    fn under(&self) -> &dyn Feed {
        &*self.inner
    }

    fn freshness(&self) -> watch::Receiver<Freshness> {
        self.freshness.subscribe()
    }
}
