//! The broker of events as one process reaches it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use event_store::Position;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use messaging::jetstream::{
    Answer, Asked, Carrier, CarrierError, Coming, EventsSettings, Incoming, Lost, Publisher,
    Question,
};
use tokio::time::{sleep, sleep_until};

use super::broker::EventBroker;
use super::publisher::FaultyPublisher;
use super::reader;
use crate::process::Process;
use crate::weather::Mishap;

/// How long a call may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A process' way to it.
#[derive(Clone)]
pub(crate) struct CarrierAccess {
    pub(crate) broker: Arc<EventBroker>,
    pub(crate) process: Arc<Process>,
}

impl CarrierAccess {
    async fn connect(&self) {
        self.process.pass().await;
        while let Err(until) = self.broker.connection() {
            sleep_until(until).await;
            self.process.pass().await;
        }
    }

    /// Gets there, or is not answered.
    async fn call(&self, what: &'static str) -> Result<(), CarrierError> {
        self.process.hop(&self.broker.weather).await;
        if self.broker.connection().is_err() || self.broker.weather.strikes(Mishap::BrokerSilent) {
            sleep(PATIENCE).await;
            return Err(CarrierError::new(what, "no answer"));
        }
        Ok(())
    }

    /// The answer gets back, or is lost.
    async fn answered<T>(&self, what: &'static str, answer: T) -> Result<T, CarrierError> {
        if self.broker.weather.strikes(Mishap::BrokerSilent) {
            sleep(PATIENCE).await;
            return Err(CarrierError::new(what, "the answer is lost"));
        }
        self.process.hop(&self.broker.weather).await;
        Ok(answer)
    }
}

impl Carrier for CarrierAccess {
    fn reach(&self) -> BoxFuture<'_, Lost> {
        // The other end of a connection only ever vanishes.
        self.connect().map(|()| self.broker.lost().map(drop).boxed()).boxed()
    }

    fn is_reached(&self) -> bool {
        self.broker.connection().is_ok()
    }

    fn find_stream(
        &self,
        _wanted: EventsSettings,
    ) -> BoxFuture<'_, Result<Option<Position>, CarrierError>> {
        Box::pin(async {
            self.call("the stream is not found").await?;
            self.answered("the stream is not found", self.broker.last()).await
        })
    }

    fn create_stream(
        &self,
        wanted: EventsSettings,
        first: Position,
    ) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            self.call("the stream is not created").await?;
            self.broker.create(first, wanted.retained)?;
            self.answered("the stream is not created", ()).await
        })
    }

    fn delete_stream(&self) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async {
            self.call("the stream is not deleted").await?;
            self.broker.delete();
            self.broker.trace.tell(format_args!("{} deletes the stream", self.process.name));
            self.answered("the stream is not deleted", ()).await
        })
    }

    fn message_at(&self, sequence: Position) -> BoxFuture<'_, Result<Option<Bytes>, CarrierError>> {
        Box::pin(async move {
            self.call("no message is read").await?;
            let message = self.broker.message_at(sequence)?;
            self.answered("no message is read", message).await
        })
    }

    fn publisher(&self, _most: usize) -> Box<dyn Publisher> {
        Box::new(FaultyPublisher::new(self.clone()))
    }

    fn messages_from(
        &self,
        first: Position,
    ) -> BoxFuture<'_, Result<Coming<Result<Incoming, CarrierError>>, CarrierError>> {
        Box::pin(async move {
            self.call("the stream can't be read").await?;
            reader::from(self.clone(), first)
        })
    }

    fn announce(&self, text: Bytes) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            self.process.pass().await;
            self.broker.announces(&text);
            Ok(())
        })
    }

    fn announcements(&self) -> BoxFuture<'_, Result<Coming<Bytes>, CarrierError>> {
        Box::pin(async {
            self.process.pass().await;
            Ok(self.broker.hears_announcements(&self.process))
        })
    }

    fn questions(&self, question: Question) -> BoxFuture<'_, Result<Coming<Asked>, CarrierError>> {
        Box::pin(async move {
            self.process.pass().await;
            Ok(self.broker.hears_questions(&self.process, question))
        })
    }

    fn answer(&self, asker: String, text: Bytes) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            self.process.pass().await;
            self.broker.answers(&asker, text);
            Ok(())
        })
    }

    fn ask(
        &self,
        question: Question,
        text: Bytes,
    ) -> BoxFuture<'_, Result<Coming<Answer>, CarrierError>> {
        Box::pin(async move {
            self.process.pass().await;
            Ok(self.broker.asks(&self.process, question, text))
        })
    }
}
