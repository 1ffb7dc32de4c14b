//! The stream as one subscription gets it: in order, what is missing passed over in silence, now and then twice.

use std::sync::Arc;
use std::time::Duration;

use event_store::Position;
use futures::StreamExt as _;
use futures::stream;
use messaging::jetstream::{CarrierError, Coming, Incoming};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::access::CarrierAccess;
use super::broker::Found;
use crate::weather::Mishap;

/// After this time without a sign of life, reading is given up.
const SILENCE: Duration = Duration::from_secs(2);

struct Reader {
    access: CarrierAccess,
    connection: u64,
    life: u64,
    next: Position,
    again: Option<Incoming>,
    wake: Arc<Notify>,
}

/// Messages from a sequence on.
pub(super) fn from(
    access: CarrierAccess,
    first: Position,
) -> Result<Coming<Result<Incoming, CarrierError>>, CarrierError> {
    let unread = |why: &'static str| CarrierError::new("the stream can't be read", why);
    let connection = access.broker.connection().map_err(|_| unread("the broker is away"))?;
    let opened = access.broker.open_reader(first);
    let (life, wake) = opened.ok_or_else(|| unread("there is no stream"))?;
    let reader = Reader { access, connection, life, next: first, again: None, wake };
    let messages = stream::unfold(reader, |mut reader| async {
        let read = reader.read().await;
        Some((read, reader))
    });
    Ok(messages.boxed())
}

impl Reader {
    async fn read(&mut self) -> Result<Incoming, CarrierError> {
        loop {
            self.access.process.pass().await;
            if let Some(again) = self.again.take() {
                self.access.broker.trace.happened("a message of the stream that came twice");
                return Ok(again);
            }
            match self.access.broker.read(self.connection, self.life, self.next) {
                Found::Message(sequence, envelope) => {
                    let weather = &self.access.broker.weather;
                    if weather.draw(|rng| rng.chance(300)) {
                        sleep(weather.delay()).await;
                        self.access.process.pass().await;
                    }
                    self.next = sequence + 1;
                    let message = Incoming { sequence, envelope };
                    if weather.strikes(Mishap::MessageRepeated) {
                        self.again = Some(message.clone());
                    }
                    return Ok(message);
                }
                Found::Nothing => self.wake.notified().await,
                Found::Gone => {
                    sleep(SILENCE).await;
                    return Err(CarrierError::new("the messages stopped", "no sign of life"));
                }
            }
        }
    }
}
