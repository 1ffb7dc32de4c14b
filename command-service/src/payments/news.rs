//! News of a payment: whoever waits for an outcome asks again at once. A hint, as any clock's tick is: what is not heard
//! costs a pause.

use std::time::Duration;

use domain::ids::PaymentId;
use tokio::sync::broadcast::{self, error::RecvError};

/// News that are kept for those who have not listened yet; whoever missed some asks as well.
const KEPT: usize = 256;

/// Where news come in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PaymentNews {
    told: broadcast::Sender<PaymentId>,
}

impl Default for PaymentNews {
    fn default() -> Self {
        Self { told: broadcast::channel(KEPT).0 }
    }
}

impl PaymentNews {
    /// Something happened to this payment at the provider.
    pub fn tell(&self, payment_id: PaymentId) {
        // Nobody listens while no outcome is unknown.
        drop(self.told.send(payment_id));
    }

    /// Listens from now on.
    pub(super) fn of<'p>(&self, payment_id: &'p PaymentId) -> NewsOf<'p> {
        NewsOf { heard: self.told.subscribe(), payment_id }
    }
}

/// The news of one payment.
pub(super) struct NewsOf<'p> {
    heard: broadcast::Receiver<PaymentId>,
    payment_id: &'p PaymentId,
}

impl NewsOf<'_> {
    /// Until there is news, and for so long at most.
    pub(super) async fn pause(&mut self, at_most: Duration) {
        let news = async {
            loop {
                match self.heard.recv().await {
                    Ok(payment_id) if payment_id == *self.payment_id => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // Either way it is time to ask.
        let _ = tokio::time::timeout(at_most, news).await;
    }
}
