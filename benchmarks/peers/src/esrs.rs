//! esrs over its PostgreSQL store: a table per aggregate, no snapshots, no place for metadata.

use esrs::manager::AggregateManager;
use esrs::store::EventStore as _;
use esrs::store::postgres::{PgStore, PgStoreBuilder, PgStoreError, UuidFormat};
use esrs::{Aggregate, AggregateState};
use futures::TryStreamExt as _;
use sqlx::PgPool;
use uuid::Uuid;

use crate::event::{Stock, TooMuch, Whole};
use crate::peer::{Attempt, Peer, Site, Stream};
use crate::row::Shape;
use crate::sql::{self, ESRS_EVENTS};

/// The code of a conflict: esrs leaves it to a unique index to find out.
const UNIQUE_VIOLATION: &str = "23505";

/// How it keeps others off a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locking {
    /// It does not; who comes second is refused.
    Optimistic,
    /// An advisory lock from load to commit, on a connection of its own.
    Advisory,
}

/// Its manager, and its store for what the manager has no function for.
pub(crate) struct Esrs {
    manager: AggregateManager<PgStore<StockAggregate>>,
    store: PgStore<StockAggregate>,
    pool: PgPool,
    locking: Locking,
    ids: Vec<Uuid>,
}

impl Esrs {
    /// Opens it over loaded streams.
    pub(crate) async fn open(site: Site, locking: Locking) -> anyhow::Result<Self> {
        let connections = match locking {
            Locking::Optimistic => site.clients,
            Locking::Advisory => site.clients * 2,
        };
        let pool = sql::connect(site.database.clone(), connections).await?;
        let store = PgStoreBuilder::<StockAggregate>::new(pool.clone())
            .with_event_id_format(UuidFormat::V7)
            .try_build()
            .await?;
        // The lock's key is the first half of the id: these differ in it.
        let mut random = fastrand::Rng::with_seed(1);
        let ids: Vec<Uuid> =
            (0..site.shape.streams).map(|_| Uuid::from_u128(random.u128(..))).collect();
        sqlx::query(ESRS_EVENTS)
            .bind(&ids)
            .bind(i32::try_from(site.shape.events_each)?)
            .bind(serde_json::to_string(&Whole::sample())?)
            .execute(&pool)
            .await?;
        Ok(Self { manager: AggregateManager::new(store.clone()), store, pool, locking, ids })
    }

    fn id(&self, stream: Stream) -> anyhow::Result<Uuid> {
        let id = self.ids.get(usize::try_from(stream.number)?);
        id.copied().ok_or_else(|| anyhow::anyhow!("there is no stream {}", stream.number))
    }

    async fn load(&self, id: Uuid) -> Result<AggregateState<Stock>, PgStoreError> {
        Ok(match self.locking {
            Locking::Optimistic => self.manager.load(id).await?.unwrap_or_default(),
            Locking::Advisory => self.manager.lock_and_load(id).await?.unwrap_or_default(),
        })
    }
}

impl Peer for Esrs {
    fn expected_at_first(&self, _: Stream, shape: Shape) -> u64 {
        u64::from(shape.events_each)
    }

    async fn append(&self, stream: Stream, expected: u64) -> anyhow::Result<Attempt> {
        let mut state = AggregateState::<Stock>::with_id(self.id(stream)?);
        for _ in 0..expected {
            state.next_sequence_number();
        }
        match self.store.persist(&mut state, vec![Whole::sample()]).await {
            Ok(_) => Ok(Attempt::Done(expected + 1)),
            Err(error) if is_conflict(&error) => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn command(&self, stream: Stream) -> anyhow::Result<Attempt> {
        let state = self.load(self.id(stream)?).await?;
        match self.manager.handle_command(state, Receive).await {
            Ok(decided) => decided.map(|_| Attempt::Done(0)).map_err(Into::into),
            Err(error) if is_conflict(&error) => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn read_all(&self) -> anyhow::Result<u64> {
        let events = self.store.stream_events(&self.pool);
        Ok(events.try_fold(0, |count, _| async move { Ok(count + 1) }).await?)
    }
}

fn is_conflict(error: &PgStoreError) -> bool {
    let PgStoreError::Sqlx(sqlx::Error::Database(database)) = error else { return false };
    database.code().as_deref() == Some(UNIQUE_VIOLATION)
}

/// The one command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Receive;

/// The rules of a stock.
pub(crate) struct StockAggregate;

impl Aggregate for StockAggregate {
    const NAME: &'static str = "stock";
    type State = Stock;
    type Command = Receive;
    type Event = Whole;
    type Error = TooMuch;

    fn handle_command(state: &Stock, Receive: Receive) -> Result<Vec<Whole>, TooMuch> {
        state.receive().map(|data| vec![Whole { data, ..Whole::sample() }])
    }

    fn apply_event(mut state: Stock, event: Whole) -> Stock {
        state.apply(event.data);
        state
    }
}
