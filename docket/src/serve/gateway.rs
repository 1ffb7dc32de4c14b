//! `docket gateway`: one address before the services. It hands requests on by path, and explains the API of all of them.
//!
//! **Invariant:** it is ready once commands could be taken. What is missing later makes it less good, and takes away nothing
//! else; it is not ready where nobody is there.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use gateway::{
    Addresses, Base, Behind, Client, Discovery, Dns, NoBase, Passage, Policy, Service, Services,
};
use service_kit::health::Health;
use service_kit::tls::Trust;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::args::{Broker, NatsArgs};
use super::dependencies::watch_discovery;
use super::process::{Process, nothing};
use super::registered::Registered;
use crate::api::base_url;
use crate::config::{ClientTlsArgs, EntranceArgs, ProcessArgs};
use crate::connect;
use crate::dev::{DESCRIPTION, HomePage, explained, home};
use crate::numbers::whole;

/// How often the read models are asked where the log ends, for the home page, and how long they may take.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Start the one address before the services
#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    entrance: EntranceArgs,
    /// Where the command-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_COMMAND_SERVICE_URL", value_name = "URLS", value_parser = base, value_delimiter = ',',
        default_value = "http://127.0.0.1:8081")]
    command_service_url: Vec<Base>,
    /// Where the projection-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_PROJECTION_SERVICE_URL", value_name = "URLS", value_parser = base, value_delimiter = ',',
        default_value = "http://127.0.0.1:8082")]
    projection_service_url: Vec<Base>,
    /// Where the saga-orchestrator is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_SAGA_ORCHESTRATOR_URL", value_name = "URLS", value_parser = base, value_delimiter = ',',
        default_value = "http://127.0.0.1:8083")]
    saga_orchestrator_url: Vec<Base>,
    /// Where the notification-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_NOTIFICATION_SERVICE_URL", value_name = "URLS", value_parser = base, value_delimiter = ',',
        default_value = "http://127.0.0.1:8085")]
    notification_service_url: Vec<Base>,
    /// Where the payment simulator is, to look at its ledger
    #[arg(long, env = "DOCKET_PAYMENT_SIMULATOR_URL", value_name = "URL", value_parser = base,
        default_value = "http://127.0.0.1:8084")]
    payment_simulator_url: Base,
    /// How the processes of a service are found: at these addresses, or, but for the simulator, where they say over NATS that they are
    #[arg(long, env = "DOCKET_DISCOVERY", value_enum, default_value = "static")]
    discovery: FoundBy,
    #[command(flatten)]
    nats: NatsArgs,
    /// Milliseconds that a service may take to answer: longer than the longest wait that a client may ask for
    #[arg(long, env = "DOCKET_UPSTREAM_DEADLINE_MS", value_name = "MS", default_value = "35000",
        value_parser = deadline_ms, allow_negative_numbers = true)]
    upstream_deadline_ms: u64,
    /// Commands of clients that a service may have from here at the same time, as many other requests, and as many that only wait; one more is told to come again
    #[arg(long, env = "DOCKET_UPSTREAM_IN_FLIGHT", value_name = "COUNT", default_value = "1000",
        value_parser = most_in_flight, allow_negative_numbers = true)]
    upstream_in_flight: usize,
    #[command(flatten)]
    tls: ClientTlsArgs,
}

impl GatewayArgs {
    /// Runs until a signal.
    pub(crate) async fn run(self) -> Result<()> {
        let deadline = Duration::from_millis(self.upstream_deadline_ms);
        let policy = Policy { deadline, most_in_flight: self.upstream_in_flight };
        let client = Client::new(deadline, connect::tls(&self.tls, Trust::Named)?);
        let mut addresses = Addresses {
            commands: self.command_service_url,
            models: self.projection_service_url,
            sagas: self.saga_orchestrator_url,
            notifications: self.notification_service_url,
            simulator: vec![self.payment_simulator_url],
        };
        let broker = match self.discovery {
            FoundBy::Nats => Some(self.nats.resolve()?),
            FoundBy::Static | FoundBy::Dns => None,
        };
        let relies = self.process.auth_file.is_some();
        let dns = (self.discovery == FoundBy::Dns).then(|| dns(&addresses));
        if broker.is_some() {
            let simulator = addresses.simulator;
            addresses = Addresses { simulator, ..Addresses::default() };
        }
        let services = Arc::new(Services::at(addresses, &client, policy, relies));
        let entrance = self.entrance.entrance(!relies);
        let process = Process::begin_at(entrance.clone(), "gateway", &self.process).await?;
        let mut watched = JoinSet::new();
        services.watch(&mut watched, &process.health);
        let discovery = match (dns, broker) {
            (Some(dns), _) => Some(Arc::new(dns) as Arc<dyn Discovery>),
            (None, Some(broker)) => Some(registered(&broker, &process.health, &mut watched).await?),
            (None, None) => None,
        };
        if let Some(discovery) = discovery {
            watched.spawn(gateway::follow(Arc::clone(&services), discovery));
        }
        // With tokens the gateway has none of its own to ask with.
        let head = process.access.is_open().then(|| {
            let (told, head) = watch::channel(0);
            watched.spawn(follow_head(Arc::clone(&services), told));
            head
        });
        let access = &process.access;
        let behind = Behind::Remote(Arc::clone(&services));
        let aggregates = gateway::aggregates(behind, &access.behind_an_entrance());
        let aggregates = Router::new().nest("/v1", aggregates.into());
        let asked = Arc::clone(&services);
        let behind = Arc::new(move || asked.behind());
        let guard = entrance.guard(access, behind);
        let passage = Passage::new(&guard, &services);
        let own = gateway::aggregates_described(access);
        let described = gateway::description(&services, DESCRIPTION, own);
        // Who takes the money, the command-service knows.
        let home = home(HomePage { head, payment_method: None, open: access.is_open() });
        let open = services.notices().merge(described).merge(explained()).merge(home);
        let router = guard.around(aggregates).merge(open);
        process.ready_before(services.valve(), passage, router)?;
        let ended = process.until_stopped(nothing()).await;
        client.end_streams();
        process.drain().await;
        ended
    }
}

/// How processes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FoundBy {
    /// Each address is a process.
    Static,
    /// Each address that a name has, now and later, is a process.
    Dns,
    /// Each process says over NATS where it is.
    Nats,
}

/// Asks NATS where the processes are, and says in the health whether it can.
async fn registered(
    broker: &Broker,
    health: &Health,
    watched: &mut JoinSet<()>,
) -> Result<Arc<dyn Discovery>> {
    let client = broker.connect("gateway").await?;
    watched.spawn(watch_discovery(health.clone(), client.clone()));
    Ok(Arc::new(Registered::over(client, broker.names.clone())))
}

fn dns(addresses: &Addresses) -> Dns {
    Dns::new(|service| match service {
        Service::Commands => addresses.commands.clone(),
        Service::Models => addresses.models.clone(),
        Service::Sagas => addresses.sagas.clone(),
        Service::Notifications => addresses.notifications.clone(),
        Service::Simulator => addresses.simulator.clone(),
    })
}

/// Reads an address of a process.
fn base(text: &str) -> Result<Base, String> {
    base_url(text)?.parse().map_err(|wrong: NoBase| wrong.to_string())
}

/// Time in which something can be answered at all.
fn deadline_ms(text: &str) -> Result<u64, String> {
    match whole(text)? {
        0 => Err("is not at least 1: nobody could answer in time".to_owned()),
        deadline => Ok(deadline),
    }
}

/// As many requests as a process can have connections.
fn most_in_flight(text: &str) -> Result<usize, String> {
    let most = whole::<usize>(text)?;
    if (1..=1_000_000).contains(&most) {
        Ok(most)
    } else {
        Err("is not from 1 to 1,000,000".to_owned())
    }
}

/// Follows where the log ends, as the read models know it.
async fn follow_head(services: Arc<Services>, head: watch::Sender<u64>) {
    let mut ticks = tokio::time::interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(position) = services.head(ASK_EVERY).await {
            head.send_replace(position);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_of_nothing_is_refused() {
        assert_eq!((deadline_ms("1"), most_in_flight("1")), (Ok(1), Ok(1)));
        for wrong in ["0", "-1", "1.5", ""] {
            deadline_ms(wrong).unwrap_err();
            most_in_flight(wrong).unwrap_err();
        }
    }
}
