//! Events into the stream, many on their way at once.

use std::collections::HashMap;
use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::{ContextBuilder, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::{Client, HeaderMap, HeaderValue, Subject, header};
use futures::future::BoxFuture;

use crate::jetstream::carrier::{
    Acknowledged, CarrierError, Outgoing, PublishError, Publisher, failed,
};
use crate::jetstream::names::Names;

/// How long one publish, and any question about the stream, may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The header of a trace's context.
const TRACEPARENT: &str = "traceparent";
/// Beyond this, types are no longer a handful.
const MOST_KNOWN: usize = 10_000;

/// Publishes over a context of its own: publishes that nobody answers any more hold room in it until they time out.
pub(super) struct NatsPublisher {
    client: Client,
    context: Context,
    names: Names,
    stream: String,
    /// The subjects seen so far: a handful of contexts and types, made once.
    subjects: HashMap<(String, Arc<str>), Subject>,
}

impl NatsPublisher {
    /// Room for `most` publishes, and as many that wait for their end.
    pub(super) fn new(client: &Client, names: Names, most: usize) -> Self {
        let context = ContextBuilder::new()
            .timeout(PATIENCE)
            .ack_timeout(PATIENCE)
            .max_ack_inflight(most * 2)
            .build(client.clone());
        let stream = names.events();
        Self { client: client.clone(), context, names, stream, subjects: HashMap::new() }
    }

    /// Says which stream it is meant for, and which sequence has to stand before it there.
    fn headers(&self, event: &Outgoing<'_>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_EXPECTED_STREAM, self.stream.as_str());
        headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, HeaderValue::from(event.after));
        if let Some(traceparent) = event.traceparent {
            headers.insert(TRACEPARENT, traceparent);
        }
        headers
    }

    fn subject(&mut self, log: &str, context: String, event_type: &Arc<str>) -> Subject {
        if self.subjects.len() > MOST_KNOWN {
            self.subjects.clear();
        }
        let names = &self.names;
        self.subjects
            .entry((context, Arc::clone(event_type)))
            .or_insert_with_key(|(context, kind)| names.event(log, context, kind).into())
            .clone()
    }
}

impl Publisher for NatsPublisher {
    fn send<'a>(
        &'a mut self,
        event: Outgoing<'a>,
    ) -> BoxFuture<'a, Result<Acknowledged, CarrierError>> {
        Box::pin(async move {
            let headers = self.headers(&event);
            let subject = self.subject(&event.log.log, event.context, event.event_type);
            let message = PublishMessage::build().headers(headers).payload(event.envelope);
            let sent = self.context.send_publish(subject, message).await;
            let sent = sent.map_err(failed("an event can't be sent"))?.into_future();
            let acknowledged: Acknowledged = Box::pin(async move {
                match sent.await {
                    Ok(ack) => Ok(ack.sequence),
                    Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                        Err(PublishError::WrongLastSequence)
                    }
                    Err(error) => {
                        Err(failed("the stream of events did not take an event")(error).into())
                    }
                }
            });
            Ok(acknowledged)
        })
    }

    fn send_unanswered<'a>(
        &'a mut self,
        event: Outgoing<'a>,
    ) -> BoxFuture<'a, Result<(), CarrierError>> {
        Box::pin(async move {
            let headers = self.headers(&event);
            let subject = self.subject(&event.log.log, event.context, event.event_type);
            let sent = self.client.publish_with_headers(subject, headers, event.envelope);
            let sent = tokio::time::timeout(PATIENCE, sent).await;
            let sent = sent.map_err(failed("an event can't be sent in time"))?;
            sent.map_err(failed("an event can't be sent"))
        })
    }
}
