//! Publishes on their way: in order on one connection, lost with it, and their answers as well.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, pending};
use messaging::jetstream::{Acknowledged, CarrierError, Outgoing, PublishError, Publisher};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::access::{CarrierAccess, PATIENCE};
use crate::weather::Mishap;

/// One session's publishes.
pub(super) struct FaultyPublisher {
    access: CarrierAccess,
    /// When the last one arrives.
    arrives: Instant,
}

impl FaultyPublisher {
    pub(super) fn new(access: CarrierAccess) -> Self {
        Self { access, arrives: Instant::now() }
    }

    /// It arrives, unless it is lost, and so does its answer.
    fn leaves(&mut self, event: Outgoing<'_>, ended: oneshot::Sender<Ended>) {
        let broker = Arc::clone(&self.access.broker);
        let Ok(connection) = broker.connection() else { return };
        if broker.weather.strikes(Mishap::EventLost) {
            return;
        }
        let next = self.arrives + Duration::from_millis(1);
        self.arrives = next.max(Instant::now() + broker.weather.delay());
        let (arrives, name) = (self.arrives, self.access.process.name.clone());
        let (envelope, after) = (event.envelope, event.after);
        tokio::spawn(async move {
            sleep_until(arrives).await;
            let Some(published) = broker.publish(connection, envelope, after) else { return };
            let taken = published.is_ok();
            broker.trace.tell(format_args!("{name} publishes {}: taken {taken}", after + 1));
            if broker.weather.strikes(Mishap::EventAckLost) {
                return;
            }
            sleep(broker.weather.delay()).await;
            // A session that ended does not wait for it.
            drop(ended.send(published));
        });
    }
}

/// How a publish ended.
type Ended = Result<u64, PublishError>;

impl Publisher for FaultyPublisher {
    fn send<'a>(
        &'a mut self,
        event: Outgoing<'a>,
    ) -> BoxFuture<'a, Result<Acknowledged, CarrierError>> {
        Box::pin(async move {
            self.access.process.pass().await;
            let (ended, end) = oneshot::channel();
            self.leaves(event, ended);
            let told = async move {
                match end.await {
                    Ok(published) => published,
                    Err(_) => pending().await,
                }
            };
            let process = Arc::clone(&self.access.process);
            let acknowledged: Acknowledged = Box::pin(async move {
                let told = timeout(PATIENCE, told).await;
                process.pass().await;
                told.unwrap_or_else(|_| {
                    Err(CarrierError::new("the stream did not take an event", "no answer").into())
                })
            });
            Ok(acknowledged)
        })
    }

    fn send_unanswered<'a>(
        &'a mut self,
        event: Outgoing<'a>,
    ) -> BoxFuture<'a, Result<(), CarrierError>> {
        Box::pin(async move {
            self.access.process.pass().await;
            let (ended, _) = oneshot::channel();
            self.leaves(event, ended);
            Ok(())
        })
    }
}
