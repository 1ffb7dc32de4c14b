//! Where the services are, as they tell over NATS.
//!
//! **Invariant:** one that was heard and is not heard any more stays for a moment, as its health says how it is: a single answer may be
//! lost. While nobody of a service is heard, all stay.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::Client;
use futures::future::BoxFuture;
use gateway::{Base, Discovery, Service};
use messaging::jetstream::{self, Names};
use tokio::time::Instant;

/// How long the answers may take.
const WITHIN: Duration = Duration::from_secs(2);
/// How long one stays that was heard: several questions.
const STAYS: Duration = Duration::from_secs(10);

/// Asks NATS for the processes of each service.
pub(super) struct Registered {
    client: Client,
    names: Names,
    heard: Mutex<HashMap<Service, Heard>>,
}

/// When each of a service was heard last.
#[derive(Debug, Default)]
struct Heard(BTreeMap<Base, Instant>);

impl Registered {
    pub(super) fn over(client: Client, names: Names) -> Self {
        Self { client, names, heard: Mutex::default() }
    }

    async fn ask(&self, service: Service) -> Option<Vec<Base>> {
        let (client, names) = (&self.client, &self.names);
        let found = jetstream::registered(client, names, service.name(), WITHIN).await;
        let found = found.inspect_err(
            |error| tracing::debug!(service = service.name(), %error, "its processes stay as they were"),
        );
        let bases = found.ok()?.into_iter().filter_map(|one| {
            let base = one.url.parse::<Base>();
            let told = |_: &_| {
                tracing::warn!(
                    service = service.name(),
                    id = one.id,
                    url = one.url,
                    "it says that it is where nothing can be"
                );
            };
            base.inspect_err(told).ok()
        });
        let bases: Vec<Base> = bases.collect();
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.entry(service).or_default().now(bases, Instant::now())
    }
}

impl Discovery for Registered {
    fn places(&self, service: Service) -> BoxFuture<'_, Option<Vec<Base>>> {
        Box::pin(async move {
            match service {
                // It is no part of what talks over NATS.
                Service::Simulator => None,
                Service::Commands | Service::Models | Service::Sagas | Service::Notifications => {
                    self.ask(service).await
                }
            }
        })
    }
}

impl Heard {
    /// These were heard now; gives those that count, or nothing where nobody was.
    fn now(&mut self, bases: Vec<Base>, now: Instant) -> Option<Vec<Base>> {
        if bases.is_empty() {
            return None;
        }
        self.0.extend(bases.into_iter().map(|base| (base, now)));
        self.0.retain(|_, at| now.duration_since(*at) < STAYS);
        Some(self.0.keys().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(names: &[&str]) -> Vec<Base> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn one_that_is_not_heard_any_more_stays_a_moment_and_all_stay_while_nobody_is_heard() {
        let (one, two) = ("http://127.0.0.1:1", "http://127.0.0.1:2");
        let begun = Instant::now();
        let mut heard = Heard::default();
        assert_eq!(heard.now(Vec::new(), begun), None);
        assert_eq!(heard.now(bases(&[two, one]), begun), Some(bases(&[one, two])));
        let later = begun + STAYS / 2;
        assert_eq!(heard.now(bases(&[one]), later), Some(bases(&[one, two])));
        let last = begun + STAYS;
        assert_eq!(heard.now(Vec::new(), last), None, "as they were");
        assert_eq!(heard.now(bases(&[one]), last), Some(bases(&[one])));
    }
}
