//! `docket gateway`: one address before the services. It hands requests on by path, and explains the API of all of them.
//!
//! **Invariant:** it is ready while commands can be taken. What else is missing makes it less good, and takes no command away.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use gateway::{Addresses, Services};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::process::{Process, nothing};
use crate::api::base_url;
use crate::config::ProcessArgs;
use crate::dev::{DESCRIPTION, explained, home};
use crate::numbers::whole;

/// How often the read models are asked where the log ends, for the home page, and how long they may take.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Start the one address before the services
#[derive(Debug, clap::Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    process: ProcessArgs,
    /// Where the command-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_COMMAND_SERVICE_URL", value_name = "URLS", value_parser = base_url, value_delimiter = ',',
        default_value = "http://127.0.0.1:8081")]
    command_service_url: Vec<String>,
    /// Where the projection-service is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_PROJECTION_SERVICE_URL", value_name = "URLS", value_parser = base_url, value_delimiter = ',',
        default_value = "http://127.0.0.1:8082")]
    projection_service_url: Vec<String>,
    /// Where the saga-orchestrator is; of several processes, separated by commas, one that is ready is asked
    #[arg(long, env = "DOCKET_SAGA_ORCHESTRATOR_URL", value_name = "URLS", value_parser = base_url, value_delimiter = ',',
        default_value = "http://127.0.0.1:8083")]
    saga_orchestrator_url: Vec<String>,
    /// Where the payment simulator is, to look at its ledger
    #[arg(long, env = "DOCKET_PAYMENT_SIMULATOR_URL", value_name = "URL", value_parser = base_url,
        default_value = "http://127.0.0.1:8084")]
    payment_simulator_url: String,
    /// Milliseconds that a service may take to answer: longer than the longest wait that a client may ask for
    #[arg(long, env = "DOCKET_UPSTREAM_DEADLINE_MS", value_name = "MS", default_value = "35000",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    upstream_deadline_ms: u64,
}

impl GatewayArgs {
    /// Runs until a signal.
    pub(crate) async fn run(self) -> Result<()> {
        let deadline = Duration::from_millis(self.upstream_deadline_ms);
        let client = gateway::client(deadline).context("services can't be asked over HTTP")?;
        let addresses = Addresses {
            commands: self.command_service_url,
            models: self.projection_service_url,
            sagas: self.saga_orchestrator_url,
            simulator: vec![self.payment_simulator_url],
        };
        let relies = self.process.auth_file.is_some();
        let services = Arc::new(Services::at(addresses, &client, deadline, relies));
        let process = Process::begin("gateway", &self.process).await?;
        let mut watched = JoinSet::new();
        services.watch(&mut watched, &process.health);
        // With tokens the gateway has none of its own to ask with.
        let head = process.access.is_open().then(|| {
            let (told, head) = watch::channel(0);
            watched.spawn(follow_head(Arc::clone(&services), told));
            head
        });
        let router = process.access.identify(services.router());
        let described = gateway::description(&services, DESCRIPTION);
        process.ready(router.merge(described).merge(explained()).merge(home(head)))?;
        let ended = process.until_stopped(nothing()).await;
        process.drain().await;
        ended
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
