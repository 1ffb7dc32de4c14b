//! A nats-server, the log's owner, and feeds that read from it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::stream::{Info, Stream};
use event_store::EventLog;
use messaging::feed::Place;
use messaging::jetstream::{
    Announcer, Carrier, ConnectionSettings, EpochKeeper, EventsSettings, HistoryServer,
    JetStreamFeed, Names, NatsCarrier, OwnedLog, Relay, RelaySettings, connect,
};
use test_servers::Nats;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::log::TestLog;
use crate::reader::Reader;

/// Longer than anything here takes: what is waited for in vain fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// Waits until something is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut so: impl FnMut() -> F) {
    let looks = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        loop {
            looks.tick().await;
            if so().await {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, looks).await;
    assert!(waited.is_ok(), "waited in vain until {what}");
}

pub(crate) async fn client(url: &str) -> Client {
    connect(&ConnectionSettings::new(url, "test")).await.unwrap()
}

/// Relay, announcer and history of a log. They stop when this is dropped.
pub(crate) struct Owner {
    _stop: DropGuard,
}

impl Owner {
    pub(crate) fn start<L: EventLog + EpochKeeper>(
        client: &Client,
        log: &Arc<L>,
        settings: RelaySettings,
    ) -> Self {
        let stop = CancellationToken::new();
        let owned = OwnedLog::new(Arc::clone(log) as _, Arc::clone(log) as _);
        Self::start_over(client, &owned, settings, &stop);
        Self { _stop: stop.drop_guard() }
    }

    pub(crate) fn start_over(
        client: &Client,
        owned: &Arc<OwnedLog>,
        settings: RelaySettings,
        stop: &CancellationToken,
    ) {
        let carrier = NatsCarrier::over(client.clone(), Names::default());
        let relay = Relay::new(Arc::clone(&carrier), Arc::clone(owned), settings);
        tokio::spawn(relay.run(stop.clone()));
        let announcer = Announcer::new(Arc::clone(&carrier), Arc::clone(owned));
        tokio::spawn(announcer.run(stop.clone()));
        let history = HistoryServer::new(carrier, Arc::clone(owned));
        tokio::spawn(history.run(stop.clone()));
    }
}

/// As in production, but impatient.
pub(crate) fn settings() -> RelaySettings {
    RelaySettings { look_every: Duration::from_millis(200), ..RelaySettings::default() }
}

/// The stream keeps only the newest events.
pub(crate) fn retaining(retained: u64) -> RelaySettings {
    RelaySettings { events: EventsSettings { retained, ..EventsSettings::default() }, ..settings() }
}

/// Everything, on a nats-server of its own.
pub(crate) struct Platform {
    pub(crate) client: Client,
    pub(crate) log: Arc<TestLog>,
    pub(crate) owner: Option<Owner>,
    pub(crate) nats: Nats,
}

impl Platform {
    /// `None` when nats-server can't be had.
    pub(crate) async fn start(events: u64, settings: RelaySettings) -> Option<Self> {
        Some(Self::start_on(test_servers::nats()?, events, settings).await)
    }

    pub(crate) async fn start_on(nats: Nats, events: u64, settings: RelaySettings) -> Self {
        let client = client(&nats.url()).await;
        let log = TestLog::of(events);
        let owner = Some(Owner::start(&client, &log, settings));
        Self { client, log, owner, nats }
    }

    pub(crate) fn carrier(&self) -> Arc<dyn Carrier> {
        NatsCarrier::over(self.client.clone(), Names::default())
    }

    pub(crate) async fn feed(&self) -> JetStreamFeed {
        // A process of its own has a connection of its own.
        let client = client(&self.nats.url()).await;
        let opened = JetStreamFeed::open(NatsCarrier::over(client, Names::default()));
        tokio::time::timeout(PATIENCE, opened).await.unwrap()
    }

    /// A reader from the beginning.
    pub(crate) async fn reader(&self) -> Reader {
        Reader::start(Arc::new(self.feed().await), Place::default()).await
    }

    pub(crate) async fn stream(&self) -> Option<Stream> {
        async_nats::jetstream::new(self.client.clone()).get_stream("EVENTS").await.ok()
    }

    pub(crate) async fn info(&self) -> Option<Info> {
        Some(self.stream().await?.cached_info().clone())
    }

    /// Waits until the stream ends at a position.
    pub(crate) async fn published(&self, position: u64) {
        until(&format!("{position} is published"), || async {
            self.info().await.is_some_and(|info| info.state.last_sequence == position)
        })
        .await;
    }
}
