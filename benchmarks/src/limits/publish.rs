//! Publishing to JetStream: no log, but what a broker takes.

use anyhow::Result;
use async_nats::jetstream::{self, stream};
use bytes::Bytes;
use test_servers::Nats;

use super::{METADATA, PAYLOAD};
use crate::clients::{Done, Load};
use crate::harness::Measurement;
use crate::subjects::Asked;

/// This many at a time, each waiting for its acknowledgement.
pub(super) async fn measure(asked: &Asked, clients: u32) -> Result<Measurement> {
    let nats = Nats::start()?;
    let context = jetstream::new(async_nats::connect(nats.url()).await?);
    let created = context.create_stream(stream::Config {
        name: "LIMIT".to_owned(),
        subjects: vec!["limit.>".to_owned()],
        ..stream::Config::default()
    });
    created.await?;
    let body = Bytes::from(format!("{PAYLOAD}{METADATA}"));
    let outcome = Load::of(clients, asked.seconds).closed(move |client, number| {
        let (context, body) = (context.clone(), body.clone());
        async move {
            let subject = format!("limit.{}", (number * 64 + u64::from(client)) % 10_000);
            context.publish(subject, body).await?.await?;
            Ok(Done::Yes)
        }
    });
    let measured = outcome.await?.measured(&asked.subject, &asked.row, clients)?;
    Ok(measured.note("default sync_interval: acknowledged before it is on disk"))
}
