//! Where the processes of a service are, when nobody says it once and for all.
//!
//! **Invariant:** who does not know takes nothing away: as long as nothing is heard of a service, its processes are those that were heard
//! of last.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use tokio::net::lookup_host;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::routes::Service;
use crate::services::Services;
use crate::upstream::Base;

/// How often is asked where they are.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Knows where the processes of services are.
pub trait Discovery: Send + Sync {
    /// Where those of a service are; nothing when it is not known now.
    fn places(&self, service: Service) -> BoxFuture<'_, Option<Vec<Base>>>;
}

/// Asks again and again until it is dropped, and lets the services be where they are.
pub async fn follow(services: Arc<Services>, discovery: Arc<dyn Discovery>) {
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let asked = Service::ALL.map(async |service| {
            let places = timeout(ANSWER_WITHIN, discovery.places(service)).await.ok().flatten();
            (service, places.filter(|places| !places.is_empty()))
        });
        for (service, places) in join_all(asked).await {
            if let Some(places) = places {
                services.are_at(service, &places);
            }
        }
    }
}

/// Each address that a name has is a process.
#[derive(Debug, Clone)]
pub struct Dns {
    names: [Vec<Base>; Service::ALL.len()],
}

impl Dns {
    /// The services behind these names.
    pub fn new(names: impl Fn(Service) -> Vec<Base>) -> Self {
        Self { names: Service::ALL.map(names) }
    }
}

impl Discovery for Dns {
    fn places(&self, service: Service) -> BoxFuture<'_, Option<Vec<Base>>> {
        Box::pin(async move {
            let found = self.names[service as usize].iter().map(addresses_of);
            let found: Option<Vec<_>> = join_all(found).await.into_iter().collect();
            // The same process under two names is one, and the order of an answer means nothing.
            let found: BTreeSet<Base> = found?.into_iter().flatten().collect();
            Some(found.into_iter().collect())
        })
    }
}

/// The addresses of a name. One with a certificate has to be called by its name.
async fn addresses_of(name: &Base) -> Option<Vec<Base>> {
    if name.is_https() {
        return Some(vec![name.clone()]);
    }
    let found = lookup_host((name.host(), name.port())).await;
    let found = found.inspect_err(|error| {
        tracing::warn!(name = name.name(), %error, "the name can't be looked up; its addresses stay as they were");
    });
    Some(found.ok()?.map(|address| name.at(address)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(names: &[&str]) -> Dns {
        let names: Vec<Base> = names.iter().map(|name| name.parse().unwrap()).collect();
        Dns::new(move |service| if service == Service::Models { names.clone() } else { Vec::new() })
    }

    async fn found(names: &[&str]) -> Option<Vec<String>> {
        let found = dns(names).places(Service::Models).await?;
        Some(found.iter().map(Base::name).collect())
    }

    #[tokio::test]
    async fn each_address_of_a_name_is_a_process_and_the_same_twice_is_one() {
        let found =
            found(&["http://127.0.0.1:81/below", "http://127.0.0.1:81/below", "http://[::1]:82"])
                .await;
        assert_eq!(found.unwrap(), ["http://127.0.0.1:81/below", "http://[::1]:82"]);
    }

    #[tokio::test]
    async fn a_name_without_a_port_has_that_of_its_scheme_and_one_with_a_certificate_stays_a_name()
    {
        assert_eq!(found(&["http://127.0.0.1"]).await.unwrap(), ["http://127.0.0.1:80"]);
        assert_eq!(found(&["https://shop.example"]).await.unwrap(), ["https://shop.example"]);
    }

    #[tokio::test]
    async fn nothing_is_known_while_one_of_the_names_can_t_be_looked_up() {
        assert_eq!(found(&["http://127.0.0.1:81", "http://no..where:82"]).await, None);
    }
}
