//! The stream of events, questions, answers and announcements on one connection to NATS.

use std::sync::{Arc, Mutex, PoisonError};

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream::{Info, LastRawMessageErrorKind};
use async_nats::{Client, Message, StatusCode, Subscriber};
use bytes::Bytes;
use event_store::Position;
use futures::future::{BoxFuture, ready};
use futures::{FutureExt as _, StreamExt as _};

use super::publisher::{NatsPublisher, PATIENCE};
use super::reader;
use crate::jetstream::carrier::{
    Answer, Asked, Carrier, CarrierError, Coming, Incoming, Lost, Publisher, Question, failed,
};
use crate::jetstream::connection;
use crate::jetstream::names::Names;
use crate::jetstream::streams::{self, EventsSettings};

/// Events over NATS.
pub struct NatsCarrier {
    client: Client,
    names: Names,
    /// For what is asked of the stream itself.
    context: Context,
    told: Mutex<Told>,
}

/// What was said of the stream.
#[derive(Default)]
struct Told {
    /// When the stream was created that was told of.
    created: Option<String>,
    /// Its settings can't be put right, and it was said.
    unfit: bool,
}

impl NatsCarrier {
    /// Carries over this connection, under these names.
    pub fn over(client: Client, names: Names) -> Arc<dyn Carrier> {
        let context = ContextBuilder::new().timeout(PATIENCE).build(client.clone());
        Arc::new(Self { client, names, context, told: Mutex::default() })
    }

    async fn find(&self, wanted: EventsSettings) -> Result<Option<Position>, CarrierError> {
        let Some(info) = streams::find(&self.context, &self.names.events()).await? else {
            return Ok(None);
        };
        let mut unfit = self.tell_once(&info);
        let wanted = streams::events(&self.names, wanted, None);
        streams::put_right(&self.context, &info, &wanted, &mut unfit).await;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).unfit = unfit;
        Ok(Some(info.state.last_sequence))
    }

    /// How the stream is kept is said at the start and whenever it was created anew.
    fn tell_once(&self, info: &Info) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let created = info.created.to_string();
        if told.created.as_ref() != Some(&created) {
            streams::tell(info);
            told.created = Some(created);
        }
        told.unfit
    }

    async fn read_one(&self, sequence: Position) -> Result<Option<Bytes>, CarrierError> {
        let stream = self.context.get_stream_no_info(self.names.events()).await;
        let stream = stream.map_err(failed("the stream can't be named"))?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(message.payload)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed("the stream's last message can't be read")(error)),
        }
    }

    async fn send_question(
        &self,
        question: Question,
        text: Bytes,
    ) -> Result<Subscriber, CarrierError> {
        if connection::is_away(&self.client) {
            return Err(CarrierError::new("the question can't be sent", connection::AWAY));
        }
        let inbox = self.client.new_inbox();
        let answers = self.client.subscribe(inbox.clone()).await;
        let answers = answers.map_err(failed("the answer can't be heard"))?;
        let subject = self.subject(question);
        let sent = self.client.publish_with_reply(subject, inbox, text).await;
        sent.map_err(failed("the question can't be sent"))?;
        Ok(answers)
    }

    fn subject(&self, question: Question) -> String {
        match question {
            Question::Head => self.names.announce(),
            Question::History => self.names.history(),
        }
    }
}

impl Carrier for NatsCarrier {
    fn reach(&self) -> BoxFuture<'_, Lost> {
        connection::there(&self.client).map(|()| connection::lost(&self.client).boxed()).boxed()
    }

    fn is_reached(&self) -> bool {
        connection::is_there(&self.client)
    }

    fn find_stream(
        &self,
        wanted: EventsSettings,
    ) -> BoxFuture<'_, Result<Option<Position>, CarrierError>> {
        Box::pin(self.find(wanted))
    }

    fn create_stream(
        &self,
        wanted: EventsSettings,
        first: Position,
    ) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            let config = streams::events(&self.names, wanted, Some(first));
            streams::create(&self.context, config).await.map(drop)
        })
    }

    fn delete_stream(&self) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async { streams::delete(&self.context, &self.names.events()).await })
    }

    fn message_at(&self, sequence: Position) -> BoxFuture<'_, Result<Option<Bytes>, CarrierError>> {
        Box::pin(self.read_one(sequence))
    }

    fn publisher(&self, most: usize) -> Box<dyn Publisher> {
        Box::new(NatsPublisher::new(&self.client, self.names.clone(), most))
    }

    fn messages_from(
        &self,
        first: Position,
    ) -> BoxFuture<'_, Result<Coming<Result<Incoming, CarrierError>>, CarrierError>> {
        Box::pin(reader::from(&self.client, &self.names, first))
    }

    fn announce(&self, text: Bytes) -> BoxFuture<'_, Result<(), CarrierError>> {
        self.answer(self.names.announcements(), text)
    }

    fn announcements(&self) -> BoxFuture<'_, Result<Coming<Bytes>, CarrierError>> {
        Box::pin(async {
            let told = self.client.subscribe(self.names.announcements()).await;
            let told = told.map_err(failed("announcements can't be heard"))?;
            Ok(told.map(|message| message.payload).boxed())
        })
    }

    fn questions(&self, question: Question) -> BoxFuture<'_, Result<Coming<Asked>, CarrierError>> {
        Box::pin(async move {
            // Every process that has the log hears it, and the first answer counts: in a group NATS gives it to one of them, and that may be
            // one that is paused and was replaced.
            let asked = self.client.subscribe(self.subject(question)).await;
            let asked = asked.map_err(failed("questions can't be heard"))?;
            Ok(asked.filter_map(|message| ready(asked_in(message))).boxed())
        })
    }

    fn answer(&self, asker: String, text: Bytes) -> BoxFuture<'_, Result<(), CarrierError>> {
        Box::pin(async move {
            let sent = self.client.publish(asker, text).await;
            sent.map_err(failed("it can't be sent"))
        })
    }

    fn ask(
        &self,
        question: Question,
        text: Bytes,
    ) -> BoxFuture<'_, Result<Coming<Answer>, CarrierError>> {
        Box::pin(async move {
            let answers = self.send_question(question, text).await?;
            Ok(answers.map(answered).boxed())
        })
    }
}

/// A question without an address for the answer is none.
fn asked_in(message: Message) -> Option<Asked> {
    let asker = message.reply?.to_string();
    Some(Asked { text: message.payload, asker })
}

fn answered(message: Message) -> Answer {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        Answer::Nobody
    } else {
        Answer::Text(message.payload)
    }
}
