//! cqrs-es over postgres-es: an aggregate per stream, one table of events, snapshots if wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use cqrs_es::event_sink::EventSink;
use cqrs_es::persist::{
    PersistedEventRepository as _, PersistenceError, QueryReplay, SerializedEvent,
};
use cqrs_es::{Aggregate, AggregateError, DomainEvent, EventEnvelope, Query};
use postgres_es::{PostgresCqrs, PostgresEventRepository, postgres_cqrs, postgres_snapshot_cqrs};
use serde_json::Value;
use sqlx::{Executor as _, PgPool};

use crate::event::{EVENT_TYPE, Metadata, Stock, StockReceived, TooMuch};
use crate::peer::{Attempt, Peer, Site, Stream};
use crate::row::Shape;
use crate::sql::{self, CQRS_ES_EVENTS, CQRS_ES_SCHEMA, CQRS_ES_SNAPSHOTS};

/// What the type of the aggregate is called in the tables.
const AGGREGATE: &str = "stock";
/// The name that `postgres_es` gives to the version of the event.
const VERSION: &str = "1.0";

/// The framework, and its repository for what the framework has no function for.
pub(crate) struct CqrsEs {
    framework: PostgresCqrs<Stock>,
    pool: PgPool,
    payload: Value,
    metadata: Value,
}

impl CqrsEs {
    /// Opens it over loaded streams; `snapshot_every` so many events, if at all.
    pub(crate) async fn open(site: Site, snapshot_every: Option<u32>) -> anyhow::Result<Self> {
        let pool = sql::connect(site.database.clone(), site.clients).await?;
        pool.execute(CQRS_ES_SCHEMA).await?;
        let payload = serde_json::to_value(StockReceived::sample())?;
        let metadata = serde_json::to_value(Metadata::sample())?;
        let ids: Vec<String> = (0..site.shape.streams).map(name).collect();
        sqlx::query(CQRS_ES_EVENTS)
            .bind(&ids)
            .bind(i32::try_from(site.shape.events_each)?)
            .bind(AGGREGATE)
            .bind(EVENT_TYPE)
            .bind(serde_json::to_string(&StockReceived::sample())?)
            .bind(serde_json::to_string(&Metadata::sample())?)
            .execute(&pool)
            .await?;
        let framework = match snapshot_every {
            None => postgres_cqrs(pool.clone(), vec![], ()),
            Some(every) => {
                load_snapshots(&pool, &ids, site.shape.events_each / every, every).await?;
                postgres_snapshot_cqrs(pool.clone(), vec![], usize::try_from(every)?, ())
            }
        };
        Ok(Self { framework, pool, payload, metadata })
    }

    fn repository(&self) -> PostgresEventRepository {
        PostgresEventRepository::new(self.pool.clone())
    }
}

async fn load_snapshots(
    pool: &PgPool,
    ids: &[String],
    snapshots: u32,
    every: u32,
) -> anyhow::Result<()> {
    if snapshots == 0 {
        return Ok(());
    }
    let events = snapshots * every;
    sqlx::query(CQRS_ES_SNAPSHOTS)
        .bind(ids)
        .bind(i64::from(events))
        .bind(i64::from(snapshots))
        .bind(AGGREGATE)
        .bind(serde_json::to_string(&Stock::after(events))?)
        .execute(pool)
        .await?;
    Ok(())
}

impl Peer for CqrsEs {
    fn expected_at_first(&self, _: Stream, shape: Shape) -> u64 {
        u64::from(shape.events_each)
    }

    /// As the framework's event store does it once it has loaded and decided.
    async fn append(&self, stream: Stream, expected: u64) -> anyhow::Result<Attempt> {
        let event = SerializedEvent::new(
            name(stream.number),
            usize::try_from(expected + 1)?,
            AGGREGATE.to_owned(),
            EVENT_TYPE.to_owned(),
            VERSION.to_owned(),
            self.payload.clone(),
            self.metadata.clone(),
        );
        match self.repository().persist::<Stock>(&[event], None).await {
            Ok(()) => Ok(Attempt::Done(expected + 1)),
            Err(PersistenceError::OptimisticLockError) => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn command(&self, stream: Stream) -> anyhow::Result<Attempt> {
        let metadata = Metadata::sample().entries();
        let id = name(stream.number);
        match self.framework.execute_with_metadata(&id, Receive, metadata).await {
            Ok(()) => Ok(Attempt::Done(0)),
            Err(AggregateError::AggregateConflict) => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn read_all(&self) -> anyhow::Result<u64> {
        let seen = Arc::new(AtomicU64::new(0));
        let replay = QueryReplay::new(self.repository(), Counting(Arc::clone(&seen)));
        replay.replay_all().await?;
        Ok(seen.load(Ordering::Relaxed))
    }
}

fn name(stream: u32) -> String {
    format!("stock-{stream:08}")
}

/// The one command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receive;

impl Aggregate for Stock {
    const TYPE: &'static str = AGGREGATE;
    type Command = Receive;
    type Event = StockReceived;
    type Error = TooMuch;
    type Services = ();

    async fn handle(
        &mut self,
        Receive: Receive,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TooMuch> {
        let event = self.receive()?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: StockReceived) {
        Self::apply(self, event);
    }
}

impl DomainEvent for StockReceived {
    fn event_type(&self) -> String {
        EVENT_TYPE.to_owned()
    }

    fn event_version(&self) -> String {
        VERSION.to_owned()
    }
}

/// Counts what it is shown.
struct Counting(Arc<AtomicU64>);

#[async_trait]
impl Query<Stock> for Counting {
    async fn dispatch(&self, _: &str, events: &[EventEnvelope<Stock>]) {
        self.0.fetch_add(events.len() as u64, Ordering::Relaxed);
    }
}
