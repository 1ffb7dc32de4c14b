//! Everything that outlives a process, and the processes that run now.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta};
use command_service::RequestHasher;
use event_store::keys::memory::MemoryKeys;
use event_store::keys::{MasterKey, Vault};
use event_store::memory::MemoryLog;
use projection_service::memory::MemoryModels;
use saga_orchestrator::MemoryTables;
use service_kit::clock::Clock;
use tokio::time::Instant;
use uuid::Uuid;

use super::orchestrators::Orchestrating;
use super::projectors::Projecting;
use super::services::Serving;
use crate::journal::Journal;
use crate::plan::Plan;
use crate::ports::{Bank, Broker, Build, EventBroker, FaultyLog, Heads, Late};
use crate::process::Process;
use crate::trace::Trace;
use crate::violation::Violations;
use crate::weather::Weather;

/// Under which requests are hashed.
pub(super) const SECRET: &[u8] = b"the secret of a simulation";
/// 2026-01-01, when every run begins.
const BEGINNING_S: i64 = 1_767_225_600;

/// The log for its newest writer, for whoever has to know which one that is.
pub(crate) type Writer = Arc<Mutex<Arc<MemoryLog>>>;

/// The world of one run.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) trace: Arc<Trace>,
    pub(crate) weather: Arc<Weather>,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    /// What was seen to be wrong on the way.
    pub(crate) violations: Arc<Violations>,
    pub(super) hasher: RequestHasher,
    pub(super) vault: Arc<Vault>,
    pub(super) heads: Arc<Heads>,
    pub(super) bank: Arc<Bank>,
    pub(super) broker: Arc<Broker>,
    pub(super) events: Arc<EventBroker>,
    pub(super) tables: MemoryTables,
    pub(super) models: MemoryModels,
    /// That of the projectors.
    pub(super) build: Arc<Build>,
    /// Keys that an operator was told to be parked: the model, the number of its generation, and the key.
    pub(super) parked: Mutex<BTreeSet<(&'static str, u32, String)>>,
    /// Sagas that an operator was told to have acted on.
    pub(super) helped: Mutex<BTreeSet<String>>,
    /// The log for its newest writer.
    writer: Writer,
    lives: AtomicU64,
    serving: Mutex<Vec<Arc<Serving>>>,
    orchestrating: Mutex<[Option<Arc<Orchestrating>>; 2]>,
    projecting: Mutex<Option<Arc<Projecting>>>,
}

impl World {
    /// Nothing runs yet.
    pub(crate) fn new(plan: Plan, keep_lines: bool) -> Arc<Self> {
        let seed = plan.seed;
        let began = Instant::now();
        let clock: Clock = Arc::new(move || {
            let elapsed = TimeDelta::from_std(began.elapsed()).unwrap_or_default();
            DateTime::from_timestamp(BEGINNING_S, 0).unwrap_or_default() + elapsed
        });
        let trace = Arc::new(Trace::new(keep_lines));
        let weather = Arc::new(Weather::new(seed, plan.is_rough));
        let drawn = AtomicU64::new(1);
        let ids = move || Uuid::from_u64_pair(seed, drawn.fetch_add(1, Ordering::Relaxed));
        let log = MemoryLog::with(Arc::clone(&clock), Arc::new(ids));
        let bank = Bank::new(Arc::clone(&clock), Arc::clone(&weather), Arc::clone(&trace));
        let (log, violations) = (Arc::new(log), Arc::<Violations>::default());
        let watched = (Arc::clone(&log), Arc::clone(&violations));
        let broker = Broker::new(Arc::clone(&weather), Arc::clone(&trace), watched);
        let events = EventBroker::new(Arc::clone(&weather), Arc::clone(&trace));
        let vault = Vault::new(Arc::new(MemoryKeys::new()), MasterKey::from_bytes([7; 32]));
        Arc::new(Self {
            plan,
            trace,
            weather,
            journal: Journal::new(Arc::clone(&violations)),
            violations,
            hasher: RequestHasher::new(SECRET),
            vault: Arc::new(vault),
            heads: Arc::default(),
            bank,
            broker,
            events,
            tables: MemoryTables::new(Arc::clone(&clock)),
            models: MemoryModels::default(),
            build: Arc::default(),
            parked: Mutex::default(),
            clock,
            helped: Mutex::default(),
            writer: Arc::new(Mutex::new(log)),
            lives: AtomicU64::new(0),
            serving: Mutex::default(),
            orchestrating: Mutex::default(),
            projecting: Mutex::default(),
        })
    }

    /// A new process.
    pub(super) fn process(&self, kind: &str) -> Arc<Process> {
        let life = self.lives.fetch_add(1, Ordering::Relaxed);
        let process = Process::new(format!("{kind} {life}"));
        self.trace.tell(format_args!("{} starts", process.name));
        Arc::new(process)
    }

    /// The log itself.
    pub(crate) fn log(&self) -> Arc<MemoryLog> {
        Arc::clone(&self.writer.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The log for a new writer.
    pub(super) fn taken_over(&self) -> Arc<MemoryLog> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        *writer = Arc::new(writer.taken_over());
        Arc::clone(&writer)
    }

    /// The log as a process reaches it.
    pub(super) fn faulty(&self, log: Arc<MemoryLog>, process: &Arc<Process>) -> FaultyLog {
        FaultyLog {
            log,
            newest: Arc::clone(&self.writer),
            violations: Arc::clone(&self.violations),
            heads: Arc::clone(&self.heads),
            late: Arc::<Late>::default(),
            process: Arc::clone(process),
            weather: Arc::clone(&self.weather),
            trace: Arc::clone(&self.trace),
        }
    }

    /// The command-services, the active one last.
    pub(super) fn serving(&self) -> MutexGuard<'_, Vec<Arc<Serving>>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The orchestrators.
    pub(super) fn orchestrating(&self) -> MutexGuard<'_, [Option<Arc<Orchestrating>>; 2]> {
        self.orchestrating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The projectors.
    pub(super) fn projecting(&self) -> MutexGuard<'_, Option<Arc<Projecting>>> {
        self.projecting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
