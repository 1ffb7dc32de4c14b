//! What a process needs beside itself: its database, NATS, JetStream, the log's owner. Shown in its health, and said in its log
//! while it waits for one of them.
//!
//! **Invariant:** a process is not ready while it can't use its database; liveness says nothing of any of this.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::connection::State as Connection;
use event_store::postgres::PostgresLog;
use messaging::jetstream::{Names, carries_events};
use service_kit::dependency::{Dependency, Need, Pace};
use service_kit::health::Health;
use storage::postgres::PostgresPool;

use super::process::Process;

/// After so many looks in vain an operator is told.
const LOOKS_IN_VAIN: u32 = 10;
/// How often is looked whether NATS is there.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A start that waits longer says for what.
const WAITS_IN_SILENCE: Duration = Duration::from_secs(3);

/// Whom a reader of the log waits for.
pub(super) const LOG_OWNER: &str = "the command-service to say which log it is, over NATS";

/// A database that is killed is said to be away after two seconds, one that falls silent after four.
const DATABASE: Pace = Pace {
    every: Duration::from_millis(500),
    within: Duration::from_millis(1_500),
    bears: Duration::from_secs(2),
};
/// A cluster that chooses a new leader takes some seconds to do so.
const JETSTREAM: Pace = Pace {
    every: Duration::from_secs(1),
    within: Duration::from_secs(2),
    bears: Duration::from_secs(5),
};

/// Tells of a database for as long as the process lives, over a pool that nobody else uses: one that is busy is not away.
pub(super) async fn watch_database(health: Health, part: &'static str, pool: PostgresPool) {
    let dependency = Dependency::new(health, part, Need::Required, DATABASE);
    let answers = || {
        let pool = pool.clone();
        async move { pool.answers().await.map_err(|error| error.to_string()) }
    };
    dependency.watch(answers).await;
}

/// Tells for as long as the process lives whether the log takes appends: not by a connection of its own, which may be there while
/// no append gets one. One that has no answer is said after about four seconds, one that fails after three.
pub(super) async fn watch_appends(health: Health, log: Arc<PostgresLog>) {
    let dependency = Dependency::new(health, "event_log", Need::Required, DATABASE);
    let answers = || {
        let log = Arc::clone(&log);
        async move { log.takes_appends().await.map_err(|why| why.to_string()) }
    };
    dependency.watch(answers).await;
}

/// Tells of the connection to NATS for as long as the process lives. Without it a process that `needs` it is not ready;
/// another one only works less well. Without JetStream both do: the log's owner still answers over NATS itself.
pub(super) async fn watch_nats(health: Health, client: Client, names: Names, needs: bool) {
    let jetstream = Dependency::new(health.clone(), "jetstream", Need::Useful, JETSTREAM);
    let carries = || {
        let (client, names) = (client.clone(), names.clone());
        async move { carries_events(&client, &names).await.map_err(|why| why.to_string()) }
    };
    let without = if needs { Without::NotReady } else { Without::Degraded(APPENDS) };
    tokio::join!(watch_connection(health, client.clone(), without), jetstream.watch(carries));
}

/// The same of a process that only asks where others are.
pub(super) async fn watch_discovery(health: Health, client: Client) {
    watch_connection(health, client, Without::Degraded(WHERE_THEY_WERE)).await;
}

/// What a process is without NATS.
#[derive(Debug, Clone, Copy)]
enum Without {
    NotReady,
    Degraded(&'static str),
}

const APPENDS: &str = "degraded: not connected; what is appended waits in the log";
const WHERE_THEY_WERE: &str =
    "degraded: not connected; the services are asked where they were last";

async fn watch_connection(health: Health, client: Client, without: Without) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut in_vain = 0_u32;
    loop {
        looks.tick().await;
        if client.connection_state() == Connection::Connected {
            in_vain = 0;
            health.up("nats");
            continue;
        }
        in_vain = in_vain.saturating_add(1);
        if in_vain == LOOKS_IN_VAIN {
            tracing::warn!(
                "NATS can't be reached where nats_url says that it is, or refuses who it says; it is tried on"
            );
        }
        match without {
            Without::NotReady => health.down("nats", "not connected"),
            Without::Degraded(how) => health.degraded("nats", how),
        }
    }
}

/// Waits for another process during the start, and says so when that takes long.
pub(super) async fn waiting<T>(
    process: &Process,
    waits_for: &'static str,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(WAITS_IN_SILENCE, &mut work).await {
        return done;
    }
    let (health, name) = (&process.health, process.name);
    let jetstream = health.says("jetstream");
    tracing::warn!(waits_for, jetstream, "the start waits, and goes on by itself");
    health.down(name, format!("waits for {waits_for}"));
    let done = work.await;
    tracing::info!(waits_for, "the start goes on");
    health.down(name, "starts");
    done
}
