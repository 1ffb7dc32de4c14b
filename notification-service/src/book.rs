//! The endpoints as everybody here sees them: read from the database once, and again whenever they change.
//!
//! **Invariant:** what one reads here was committed, and nobody sees an older book after a newer one.

use std::sync::Arc;

use storage::Store;
use tokio::sync::{Mutex, watch};

use crate::storage as tables;
use crate::webhooks::{Endpoint, SecretBox};

/// Every endpoint that is not deleted.
pub(crate) struct Book {
    sealing: SecretBox,
    endpoints: watch::Sender<Arc<[Endpoint]>>,
    /// Reading takes turns: what was read later is written later.
    reading: Mutex<()>,
}

impl Book {
    /// Reads it.
    pub(crate) async fn open(store: &Store, sealing: SecretBox) -> Result<Self, sqlx::Error> {
        let endpoints = watch::Sender::new(Arc::from([]));
        let book = Self { sealing, endpoints, reading: Mutex::new(()) };
        book.reload(store).await?;
        Ok(book)
    }

    /// All of them, as committed last.
    pub(crate) fn endpoints(&self) -> Arc<[Endpoint]> {
        Arc::clone(&self.endpoints.borrow())
    }

    /// How secrets are kept.
    pub(crate) fn sealing(&self) -> &SecretBox {
        &self.sealing
    }

    /// Reads it again, after something was committed.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), sqlx::Error> {
        let _turn = self.reading.lock().await;
        let mut connection = store.writer().await?;
        let endpoints = tables::read_endpoints(&mut connection, &self.sealing).await?;
        let enabled = endpoints.iter().filter(|endpoint| endpoint.is_enabled()).count();
        let disabled = endpoints.len() - enabled;
        for (state, count) in [("enabled", enabled), ("disabled", disabled)] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("docket_webhook_endpoints", "state" => state).set(f64::from(count));
        }
        self.endpoints.send_replace(endpoints.into());
        Ok(())
    }
}
