//! A log that a test grows, cuts short and reads.

use std::sync::{Arc, Mutex};

use chrono::DateTime;
use event_store::{
    AppendError, AppendTransaction, EventLog, Intent, LoadRequest, Loaded, LogIdentity, Metadata,
    Position, RecordedEvent, Snapshot, StoreError, StreamId, Verdict, Version,
};
use futures::future::BoxFuture;
use messaging::jetstream::EpochKeeper;
use tokio::sync::watch;
use uuid::Uuid;

/// Events as a test wants them; its database is its memory.
pub(crate) struct TestLog {
    events: Mutex<Vec<RecordedEvent>>,
    head: watch::Sender<Position>,
    epoch: Mutex<(u32, Vec<String>)>,
    /// Differs in another history of the same log.
    history: Mutex<u64>,
}

impl TestLog {
    pub(crate) fn of(events: Position) -> Arc<Self> {
        let log = Arc::new(Self {
            events: Mutex::default(),
            head: watch::Sender::default(),
            epoch: Mutex::new((1, Vec::new())),
            history: Mutex::new(1),
        });
        log.grow(events);
        log
    }

    /// Appends this many events.
    pub(crate) fn grow(&self, by: u64) {
        let history = *self.history.lock().unwrap();
        let mut events = self.events.lock().unwrap();
        for _ in 0..by {
            let position = events.len() as Position + 1;
            events.push(event(position, history));
        }
        let head = events.len() as Position;
        drop(events);
        self.head.send_replace(head);
    }

    /// Appends one event with a payload of this size.
    pub(crate) fn grow_by_one_of(&self, bytes: usize) {
        let mut events = self.events.lock().unwrap();
        let mut large = event(events.len() as Position + 1, 1);
        large.payload = format!("{{\"x\":\"{}\"}}", "x".repeat(bytes - 8));
        events.push(large);
        let head = events.len() as Position;
        drop(events);
        self.head.send_replace(head);
    }

    /// What a restore from an older backup does: the end is gone, and what comes now is another history.
    pub(crate) fn restore_to(&self, head: Position) {
        self.events.lock().unwrap().truncate(usize::try_from(head).unwrap());
        *self.history.lock().unwrap() += 1;
        self.head.send_replace(head);
    }

    /// Events in it.
    pub(crate) fn count(&self) -> u64 {
        self.events.lock().unwrap().len() as u64
    }

    /// Whether these are the first events of this log, each once, in order.
    pub(crate) fn begins_with(&self, read: &[RecordedEvent]) -> bool {
        let events = self.events.lock().unwrap();
        read.len() <= events.len() && events[..read.len()] == *read
    }

    pub(crate) fn id_at(&self, position: Position) -> Uuid {
        self.events.lock().unwrap()[usize::try_from(position).unwrap() - 1].id
    }

    /// Why the epoch was raised, each time.
    pub(crate) fn raised(&self) -> Vec<String> {
        self.epoch.lock().unwrap().1.clone()
    }

    fn read(&self, keep: impl Fn(&RecordedEvent) -> bool, limit: usize) -> Vec<RecordedEvent> {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| keep(event))
            .take(limit)
            .cloned()
            .collect()
    }
}

/// Every event's id tells position and history, so that the same event never differs between two logs.
fn event(position: Position, history: u64) -> RecordedEvent {
    let stream = ["order-1", "stock-x y", "payment-1"][usize::try_from(position % 3).unwrap()];
    RecordedEvent {
        position,
        stream: stream.into(),
        version: position.div_ceil(3),
        id: Uuid::from_u64_pair(history, position),
        event_type: "Happened".into(),
        schema_version: 1,
        payload: format!("{{\"number\": {position}}}"),
        metadata: Arc::new(Metadata {
            command_id: "command".into(),
            actor: "test".into(),
            correlation_id: "correlation".into(),
            causation_id: None,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            occurred_at: DateTime::UNIX_EPOCH,
        }),
        recorded_at: DateTime::UNIX_EPOCH,
    }
}

impl EpochKeeper for TestLog {
    fn current(
        &self,
    ) -> BoxFuture<'_, Result<LogIdentity, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async { Ok(self.identity()) })
    }

    fn raise_above<'a>(
        &'a self,
        seen: u32,
        why: &'a str,
    ) -> BoxFuture<'a, Result<LogIdentity, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move {
            let mut epoch = self.epoch.lock().unwrap();
            epoch.0 = epoch.0.max(seen) + 1;
            epoch.1.push(why.to_owned());
            drop(epoch);
            Ok(self.identity())
        })
    }
}

impl EventLog for TestLog {
    fn identity(&self) -> LogIdentity {
        LogIdentity { log: "testlog".into(), epoch: self.epoch.lock().unwrap().0 }
    }

    fn append(
        &self,
        _batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn load(&self, _request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>> {
        Box::pin(async { Ok(Loaded::default()) })
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>> {
        let page = self.read(|event| event.stream == *stream && event.version > after, limit);
        Box::pin(async { Ok(page) })
    }

    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>> {
        let page = self.read(|event| event.position > after, limit);
        Box::pin(async { Ok(page) })
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn save_snapshots(
        &self,
        _schema_hash: u64,
        _snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }
}
