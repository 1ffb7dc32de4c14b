//! disintegrate over its PostgreSQL store: a decision on the events that a query finds, validated in a serialisable
//! transaction. It has no place for metadata.
//!
//! Its own migration is not understood by PostgreSQL before 16; there, the rest of it is done by a statement of ours.

use disintegrate::serde::json::Json;
use disintegrate::{
    Decision, DecisionError, Event, EventStore as _, NoSnapshot, StateMutate, StateQuery,
    StreamItem, query,
};
use disintegrate_postgres::{
    Error, PgDecisionMaker, PgEventId, PgEventStore, PgSnapshotter, WithPgSnapshot,
};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sqlx::{Executor as _, PgPool};

use crate::event::{Stock, TooMuch, Whole};
use crate::peer::{Attempt, Peer, Site, Stream};
use crate::row::Shape;
use crate::sql::{self, DISINTEGRATE_EVENTS, DISINTEGRATE_REST, DISINTEGRATE_SEQUENCE};

/// What PostgreSQL says when transactions would not have been serialisable.
const SERIALIZATION_FAILURE: &str = "40001";

type Store = PgEventStore<LogEvent, Json<LogEvent>>;

enum Maker {
    Plain(PgDecisionMaker<LogEvent, Json<LogEvent>, NoSnapshot>),
    Snapshots(PgDecisionMaker<LogEvent, Json<LogEvent>, WithPgSnapshot>),
}

/// Its decision maker, and its store for what the maker has no function for.
pub(crate) struct Disintegrate {
    maker: Maker,
    store: Store,
}

impl Disintegrate {
    /// Opens it over loaded streams; `snapshot_every` so many events, if at all.
    pub(crate) async fn open(site: Site, snapshot_every: Option<u32>) -> anyhow::Result<Self> {
        let pool = sql::connect(site.database.clone(), site.clients).await?;
        let store = create(&pool).await?;
        let (streams, events) = (site.shape.streams, site.shape.events_each);
        let payloads = (0..streams).map(|number| serde_json::to_vec(&LogEvent::of(number)));
        sqlx::query(DISINTEGRATE_EVENTS)
            .bind((0..streams).map(name).collect::<Vec<_>>())
            .bind(i64::from(events))
            .bind(payloads.collect::<Result<Vec<_>, _>>()?)
            .bind(i64::from(streams))
            .bind(EVENT_NAME)
            .execute(&pool)
            .await?;
        sqlx::query(DISINTEGRATE_SEQUENCE).execute(&pool).await?;
        let plain = disintegrate_postgres::decision_maker(store.clone(), NoSnapshot);
        let Some(every) = snapshot_every else {
            return Ok(Self { maker: Maker::Plain(plain), store });
        };
        let snapshotter = PgSnapshotter::try_new(pool, u64::from(every)).await?;
        let with_snapshots = WithPgSnapshot::new(snapshotter);
        let maker = disintegrate_postgres::decision_maker(store.clone(), with_snapshots);
        let opened = Self { maker: Maker::Snapshots(maker), store };
        if events > every {
            opened.take_snapshots(site.shape).await?;
        }
        Ok(opened)
    }

    /// A command takes one where there is none yet.
    async fn take_snapshots(&self, shape: Shape) -> anyhow::Result<()> {
        for number in 0..shape.streams {
            self.command(Stream::of(number, 1)).await?;
        }
        Ok(())
    }
}

/// Creates its tables and functions.
async fn create(pool: &PgPool) -> anyhow::Result<Store> {
    match Store::try_new(pool.clone(), Json::default()).await {
        Ok(store) => Ok(store),
        Err(Error::Migration(_)) => {
            pool.execute(DISINTEGRATE_REST).await?;
            Ok(Store::new_uninitialized(pool.clone(), Json::default()))
        }
        Err(error) => Err(error.into()),
    }
}

impl Peer for Disintegrate {
    /// The events of all streams alternate, and are numbered together.
    fn expected_at_first(&self, stream: Stream, shape: Shape) -> u64 {
        let before = u64::from(shape.events_each.saturating_sub(1)) * u64::from(shape.streams);
        before + u64::from(stream.number) + 1
    }

    async fn append(&self, stream: Stream, expected: u64) -> anyhow::Result<Attempt> {
        let sku = name(stream.number);
        let own = query!(LogEvent; sku == sku);
        let events = vec![LogEvent::of(stream.number)];
        match self.store.append(events, own, PgEventId::try_from(expected)?).await {
            Ok(stored) => {
                let last = stored.last().map(|event| u64::try_from(event.id()));
                Ok(Attempt::Done(last.transpose()?.unwrap_or(expected)))
            }
            Err(error) if is_conflict(&error) => Ok(Attempt::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    async fn command(&self, stream: Stream) -> anyhow::Result<Attempt> {
        let decision = Receive { sku: name(stream.number) };
        let made = match &self.maker {
            Maker::Plain(maker) => maker.make(decision).await,
            Maker::Snapshots(maker) => maker.make(decision).await,
        };
        match made {
            Ok(_) => Ok(Attempt::Done(0)),
            Err(DecisionError::StateStore(error) | DecisionError::EventStore(error)) => {
                match error.downcast_ref::<Error>() {
                    Some(known) if is_conflict(known) => Ok(Attempt::Conflict),
                    Some(_) | None => Err(anyhow::Error::from_boxed(error)),
                }
            }
            Err(DecisionError::Domain(refused)) => Err(refused.into()),
        }
    }

    async fn read_all(&self) -> anyhow::Result<u64> {
        let everything = query!(LogEvent);
        let items = self.store.stream(&everything);
        let count = items.try_fold(0, |count, item| async move {
            Ok(match item {
                StreamItem::Event(_) => count + 1,
                StreamItem::End(_) => count,
            })
        });
        Ok(count.await?)
    }
}

/// A serialisation failure that comes before the commit is not named as a conflict by the store.
fn is_conflict(error: &Error) -> bool {
    match error {
        Error::Concurrency => true,
        Error::Database(sqlx::Error::Database(database)) => {
            database.code().as_deref() == Some(SERIALIZATION_FAILURE)
        }
        _ => false,
    }
}

fn name(stream: u32) -> String {
    format!("stock-{stream:08}")
}

/// The name of [`LogEvent`]'s one variant in the table.
const EVENT_NAME: &str = "Received";

/// Every event of the log.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
pub(crate) enum LogEvent {
    Received {
        #[id]
        sku: String,
        whole: Whole,
    },
}

impl LogEvent {
    fn of(stream: u32) -> Self {
        Self::Received { sku: name(stream), whole: Whole::sample() }
    }
}

/// What a command is decided on.
#[derive(Debug, Clone, Default, StateQuery, Serialize, Deserialize)]
#[state_query(LogEvent)]
pub(crate) struct StockState {
    #[id]
    sku: String,
    stock: Stock,
}

impl StateMutate for StockState {
    fn mutate(&mut self, event: Self::Event) {
        let LogEvent::Received { whole, .. } = event;
        self.stock.apply(whole.data);
    }
}

/// The one command.
#[derive(Debug)]
struct Receive {
    sku: String,
}

impl Decision for Receive {
    type Event = LogEvent;
    type StateQuery = StockState;
    type Error = TooMuch;

    fn state_query(&self) -> StockState {
        StockState { sku: self.sku.clone(), ..StockState::default() }
    }

    fn process(&self, state: &StockState) -> Result<Vec<LogEvent>, TooMuch> {
        let data = state.stock.receive()?;
        let whole = Whole { data, ..Whole::sample() };
        Ok(vec![LogEvent::Received { sku: self.sku.clone(), whole }])
    }
}
