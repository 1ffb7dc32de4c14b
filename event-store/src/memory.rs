//! A log in memory, for tests and simulation. It forgets everything when it is dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use tokio::sync::watch;

use crate::batch::{self, IntentChanges};
use crate::clock::{self, Clock};
use crate::contract::EventLog;
use crate::error::{AppendError, StoreError};
use crate::event_id::{self, Ids};
use crate::head;
use crate::judge::{Accepted, Known, judge};
use crate::types::{
    AppendTransaction, Intent, KnownCommand, LoadRequest, Loaded, LoadedStream, LogIdentity,
    Position, RecordedEvent, Snapshot, StreamId, Verdict, Version,
};

/// A log in memory, as one of its writers has it.
pub struct MemoryLog {
    kept: Arc<Kept>,
    /// Of the writer that this is.
    token: u64,
}

/// What all writers of a log share.
struct Kept {
    clock: Clock,
    ids: Ids,
    tables: Mutex<Tables>,
    head: watch::Sender<Position>,
}

struct Tables {
    identity: LogIdentity,
    /// Of the writer that may append.
    token: u64,
    events: Vec<RecordedEvent>,
    /// Places in `events`, by stream.
    streams: HashMap<StreamId, Vec<usize>>,
    commands: HashMap<Arc<str>, KnownCommand>,
    intents: Vec<Intent>,
    snapshots: HashMap<StreamId, (u64, Snapshot)>,
}

impl MemoryLog {
    /// An empty log on the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(clock::system())
    }

    /// An empty log on another clock.
    pub fn with_clock(clock: Clock) -> Self {
        Self::with(clock, Arc::new(event_id::draw))
    }

    /// An empty log on another clock, which names itself and its events from here.
    pub fn with(clock: Clock, ids: Ids) -> Self {
        let identity = LogIdentity { log: event_id::log_name(ids()), epoch: 1 };
        let (head, _) = watch::channel(0);
        let kept = Kept { clock, ids, tables: Mutex::new(Tables::of(identity)), head };
        Self { kept: Arc::new(kept), token: 0 }
    }

    /// The same log for another writer. From now on whoever wrote it before is refused.
    #[must_use]
    pub fn taken_over(&self) -> Self {
        let mut tables = self.tables();
        tables.token += 1;
        Self { kept: Arc::clone(&self.kept), token: tables.token }
    }

    /// Begins a new epoch, if this is who may append: what was said of positions before counts no more.
    pub fn raise_epoch(&self) -> Result<LogIdentity, AppendError> {
        let mut tables = self.tables();
        if tables.token != self.token {
            return Err(AppendError::Superseded);
        }
        tables.identity.epoch += 1;
        Ok(tables.identity.clone())
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic while the lock was held is a bug that its test reports; the tables are written without any.
        self.kept.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append_now(&self, batch: &[AppendTransaction]) -> Result<Vec<Verdict>, AppendError> {
        batch::check_sizes(batch)?;
        let now = clock::read(&self.kept.clock);
        let mut tables = self.tables();
        if tables.token != self.token {
            return Err(AppendError::Superseded);
        }
        let judgement = judge(batch, tables.known(batch));
        for accepted in &judgement.accepted {
            tables.write(accepted, now, &self.kept.ids);
        }
        let committed =
            judgement.accepted.iter().flat_map(|accepted| &accepted.transaction.intents);
        tables.change_intents(&IntentChanges::of(committed), now);
        // Inside the lock, or two appends could set the head in the wrong order.
        head::raise(&self.kept.head, judgement.head);
        Ok(judgement.verdicts)
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl Tables {
    fn of(identity: LogIdentity) -> Self {
        Self {
            identity,
            token: 0,
            events: Vec::new(),
            streams: HashMap::new(),
            commands: HashMap::new(),
            intents: Vec::new(),
            snapshots: HashMap::new(),
        }
    }

    fn known(&self, batch: &[AppendTransaction]) -> Known {
        let known = |id: &Arc<str>| Some((Arc::clone(id), self.commands.get(id)?.clone()));
        let version = |stream: &StreamId| (Arc::clone(stream), self.version(stream));
        Known {
            commands: batch::command_ids(batch).into_iter().filter_map(known).collect(),
            versions: batch::streams(batch).into_iter().map(version).collect(),
            head: self.events.len() as Position,
        }
    }

    fn version(&self, stream: &StreamId) -> Version {
        self.streams.get(stream).map_or(0, |places| places.len() as Version)
    }

    fn write(&mut self, accepted: &Accepted<'_>, now: DateTime<Utc>, ids: &Ids) {
        let transaction = accepted.transaction;
        let positions = accepted.after + 1..;
        let numbered = positions.zip(&accepted.versions).zip(&transaction.events);
        for ((position, &version), event) in numbered {
            self.streams.entry(Arc::clone(&event.stream)).or_default().push(self.events.len());
            self.events.push(RecordedEvent {
                position,
                stream: Arc::clone(&event.stream),
                version,
                id: ids(),
                event_type: Arc::clone(&event.event_type),
                schema_version: event.schema_version,
                payload: event.payload.clone(),
                metadata: Arc::clone(&transaction.metadata),
                recorded_at: now,
            });
        }
        if let Some(answer) = &accepted.answer {
            let known =
                KnownCommand { request_hash: transaction.request_hash, answer: answer.clone() };
            self.commands.insert(Arc::clone(&transaction.command_id), known);
        }
    }

    fn change_intents(&mut self, changes: &IntentChanges<'_>, now: DateTime<Utc>) {
        self.intents.retain(|intent| !changes.closed.contains(&intent.id));
        for (id, payload) in &changes.opened {
            if self.intents.iter().all(|intent| intent.id != **id) {
                let payload = (*payload).to_owned();
                self.intents.push(Intent { id: Arc::clone(id), payload, opened_at: now });
            }
        }
    }

    fn load(&self, request: LoadRequest) -> Loaded {
        let known = |id: Arc<str>| self.commands.get(&id).cloned().map(|known| (id, known));
        let commands = request.commands.into_iter().filter_map(known).collect();
        let stream = |stream: StreamId| {
            let loaded = self.load_stream(&stream, request.schema_hash);
            (stream, loaded)
        };
        Loaded { commands, streams: request.streams.into_iter().map(stream).collect() }
    }

    fn load_stream(&self, stream: &StreamId, schema_hash: u64) -> LoadedStream {
        let usable = self.snapshots.get(stream).filter(|(hash, _)| *hash == schema_hash);
        let snapshot = usable.map(|(_, snapshot)| snapshot.clone());
        let after = snapshot.as_ref().map_or(0, |snapshot| snapshot.version);
        LoadedStream { snapshot, events: self.stream_after(stream, after, usize::MAX) }
    }

    fn stream_after(&self, stream: &StreamId, after: Version, limit: usize) -> Vec<RecordedEvent> {
        let places = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let rest = places.iter().skip(index(after)).take(limit);
        rest.map(|&place| self.events[place].clone()).collect()
    }

    fn all_after(&self, after: Position, limit: usize) -> Vec<RecordedEvent> {
        self.events.iter().skip(index(after)).take(limit).cloned().collect()
    }

    fn save_snapshots(&mut self, schema_hash: u64, snapshots: Vec<Snapshot>) {
        for snapshot in snapshots {
            // One that is ahead of its stream can't be a fold of it.
            let real = snapshot.version <= self.version(&snapshot.stream);
            let kept = self.snapshots.get(&snapshot.stream);
            let newer = kept
                .is_none_or(|(hash, kept)| *hash != schema_hash || kept.version < snapshot.version);
            if real && newer {
                self.snapshots.insert(Arc::clone(&snapshot.stream), (schema_hash, snapshot));
            }
        }
    }
}

fn index(counted_from_one: u64) -> usize {
    usize::try_from(counted_from_one).unwrap_or(usize::MAX)
}

impl EventLog for MemoryLog {
    fn identity(&self) -> LogIdentity {
        self.tables().identity.clone()
    }

    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        async move { self.append_now(&batch) }.boxed()
    }

    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        ready(Ok(self.tables().load(request))).boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        ready(Ok(self.tables().stream_after(stream, after, limit))).boxed()
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        ready(Ok(self.tables().all_after(after, limit))).boxed()
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.kept.head.subscribe()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        ready(Ok(self.tables().intents.clone())).boxed()
    }

    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.tables().save_snapshots(schema_hash, snapshots);
        ready(Ok(())).boxed()
    }
}
