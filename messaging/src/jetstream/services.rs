//! Which processes there are of a service, and where: told and asked by the services protocol of NATS (`$SRV`, its ADR-32), which the
//! `nats` command line speaks too.
//!
//! **Invariant:** nothing is kept. Whoever asks hears those that are there now, and nothing of one that does not answer.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::service::{Service, ServiceExt as _};
use async_nats::{Client, Message, StatusCode, Subscriber};
use futures::{FutureExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::names::Names;
use super::trouble::Cause;

/// The name under which a process says where it is.
const URL: &str = "url";
/// Longer than the answers of one question lie apart.
const NO_MORE_AFTER: Duration = Duration::from_millis(250);
/// More than there are processes of a service.
const MOST: usize = 1_000;

/// A process that tells of itself. It does until this is dropped.
#[derive(Debug)]
pub struct Registration(Option<Service>);

impl Drop for Registration {
    fn drop(&mut self) {
        // It ends without waiting for anything.
        drop(self.0.take().and_then(|service| service.stop().now_or_never()));
    }
}

/// A process can't tell of itself.
#[derive(Debug, thiserror::Error)]
#[error("this process can't be registered with NATS as {name}")]
pub struct RegisterError {
    name: String,
    source: Cause,
}

/// Answers whoever asks for this service: with its version, and with the address where this process is reached over HTTP. While NATS
/// is away nobody hears it, and afterwards everybody does again.
pub async fn register(
    client: &Client,
    names: &Names,
    service: &str,
    version: &str,
    url: &str,
) -> Result<Registration, RegisterError> {
    let name = names.service(service);
    let metadata = HashMap::from([(URL.to_owned(), url.to_owned())]);
    let described = client.service_builder().description(format!("docket {service}"));
    let started = described.metadata(metadata).start(&name, version).await;
    let started = started.map_err(|source| RegisterError { name, source })?;
    tracing::info!(name = started.info().await.name, url, "says over NATS where it is");
    Ok(Registration(Some(started)))
}

/// A process of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its own.
    pub id: String,
    /// What it was built of.
    pub version: String,
    /// Where it is reached over HTTP, as it says.
    pub url: String,
}

/// It is not known which processes there are.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is no connection.
    #[error("NATS is not connected")]
    NotConnected,
    /// The question can't be asked.
    #[error("the services can't be asked for")]
    Unreachable(#[source] Cause),
}

#[derive(Deserialize)]
struct Info {
    name: String,
    id: String,
    version: String,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// The processes of a service that answer within this time.
pub async fn registered(
    client: &Client,
    names: &Names,
    service: &str,
    within: Duration,
) -> Result<Vec<Registered>, FindError> {
    if client.connection_state() != State::Connected {
        return Err(FindError::NotConnected);
    }
    let name = names.service(service);
    let inbox = client.new_inbox();
    let answers = client.subscribe(inbox.clone()).await;
    let answers = answers.map_err(|error| FindError::Unreachable(Box::new(error)))?;
    let asked = client.publish_with_reply(format!("$SRV.INFO.{name}"), inbox, "".into()).await;
    asked.map_err(|error| FindError::Unreachable(Box::new(error)))?;
    Ok(gather(answers, &name, Instant::now() + within).await)
}

async fn gather(mut answers: Subscriber, name: &str, ends: Instant) -> Vec<Registered> {
    let mut found = Vec::new();
    let mut no_more = ends;
    while found.len() < MOST
        && let Ok(Some(answer)) = timeout_at(no_more, answers.next()).await
        && answer.status != Some(StatusCode::NO_RESPONDERS)
    {
        no_more = ends.min(Instant::now() + NO_MORE_AFTER);
        found.extend(read(&answer, name));
    }
    found
}

fn read(answer: &Message, name: &str) -> Option<Registered> {
    let info = serde_json::from_slice::<Info>(&answer.payload);
    let info = info.inspect_err(
        |error| tracing::warn!(name, %error, "an answer about the services can't be read"),
    );
    let Info { name: said, id, version, mut metadata } = info.ok()?;
    let url = metadata.remove(URL);
    if said != name || url.is_none() {
        tracing::warn!(
            name,
            said,
            id,
            "a service that was not asked for answers, or says not where it is"
        );
        return None;
    }
    Some(Registered { id, version, url: url? })
}
