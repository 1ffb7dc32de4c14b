//! Starts the projectors and answers queries.

use std::sync::Arc;

use ::storage::{Held, Lease, LeaseSettings, Told};
use event_store::keys::Vault;
use messaging::feed::Feed;
use messaging::record::Recorder;
use service_kit::access::Access;
use service_kit::hearing::Hearing;
use sqlx::migrate::MigrateError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

use crate::opening::{Opened, open, open_catalog};
use crate::projectors::{Projector, readers};
use crate::queries::projections::{ProjectionAnswer, describe};
use crate::queries::sagas::SagaStates;
use crate::queries::{self, App};
use crate::runner::handle::Handle;
use crate::runner::rebuild::{RebuildError, Rebuilder};
use crate::runner::{Hub, KeepFor, Live, NEAR, Surroundings};
use crate::storage::catalog::Catalog;
use crate::storage::home::Home;

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the read models are: a folder of files, or schemas of a PostgreSQL database.
    pub home: Home,
    /// Where several services run on the same models, one of them is active: whoever holds this lease. `None` where there
    /// is one only, as over a folder.
    pub lease: Option<LeaseSettings>,
    /// Who hears that another has the lease.
    pub told: Told,
    /// How long a generation is kept beside the live one, for a rollback or a decision.
    pub keep_for: KeepFor,
}

impl Settings {
    /// With its defaults, with the models here, for the only service on them.
    pub fn at(home: impl Into<Home>) -> Self {
        let (told, keep_for) = (Told::default(), KeepFor::default());
        Self { home: home.into(), lease: None, told, keep_for }
    }
}

/// Why the service can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder can't be made.
    #[error("the folder of the read models can't be made")]
    Folder(#[from] std::io::Error),
    /// A database can't be opened.
    #[error("a read model's database can't be opened")]
    Database(#[from] sqlx::Error),
    /// This database can't be opened.
    #[error("{location} can't be opened as a read model's database")]
    Model {
        /// Which one.
        location: String,
        /// Why.
        source: sqlx::Error,
    },
    /// A lease was asked for where there can be one service only.
    #[error("read models in files have one service; a lease is for those in PostgreSQL")]
    NotShared,
    /// The table of leases can't be made.
    #[error("the lease of the read models can't be asked for")]
    Lease(#[from] MigrateError),
}

/// The projectors, running, and their queries.
pub struct ProjectionService {
    app: App,
    catalog: Catalog,
    held: Arc<Held>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl ProjectionService {
    /// Waits for the lease where there is one; whoever starts it may stop waiting at any time. Then opens the models, goes on
    /// from their checkpoints, and goes on with rebuilds that were under way.
    pub async fn start(
        settings: Settings,
        feed: Arc<dyn Feed>,
        vault: Arc<Vault>,
        sagas: Arc<dyn SagaStates>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, StartError> {
        settings.home.make().await?;
        let catalog = open_catalog(&settings.home).await?;
        if settings.lease.is_some() && !settings.home.is_shared() {
            return Err(StartError::NotShared);
        }
        let right = Arc::new(acquire(&catalog, settings.lease, &settings.told).await?);
        let catalog = catalog.guarded(right.fence());
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        // A start that fails keeps no lease.
        let unless_started = stop.clone().drop_guard();
        tasks.spawn(stop_when_taken(Arc::clone(&right), stop.clone()));
        let rebuilder = Rebuilder {
            feed: Arc::clone(&feed),
            readers: readers(),
            home: settings.home.guarded(right.fence()),
            catalog: catalog.clone(),
            tasks: tasks.clone(),
            stop: stop.clone(),
            gathered: Arc::default(),
        };
        let mut opened = Vec::new();
        for &projector in Projector::ALL {
            opened.push(open(projector, &rebuilder).await?);
        }
        let head = *feed.head().borrow();
        let checkpoints = opened.iter().map(|one| one.applier.checkpoint().position);
        let first = first_position(checkpoints, head);
        let around = Surroundings {
            feed: Arc::clone(&feed),
            readers: readers(),
            hub: Hub::start(Arc::clone(&feed), readers(), first, stop.clone()),
            catalog: catalog.clone(),
            keep_for: settings.keep_for,
            stop: stop.clone(),
        };
        let mut handles = Vec::new();
        let mut building = Vec::new();
        for (&projector, Opened { applier, beside, entry }) in Projector::ALL.iter().zip(opened) {
            let live = Live::new(projector, applier, beside, around.clone());
            let handle = live.handle();
            if let Some(ended) = &entry.outcome {
                handle.tell_outcome(ended);
            }
            if let Some(number) = entry.building {
                building.push((Arc::clone(&handle), number));
            }
            handles.push(handle);
            tasks.spawn(live.run());
        }
        if !building.is_empty() {
            rebuilder.go_on(building);
        }
        unless_started.disarm();
        let handles = handles.into();
        let (deciding, hearing) = (Arc::default(), Hearing::default());
        let clock = service_kit::clock::system();
        let app =
            App { handles, feed, vault, sagas, recorder, clock, hearing, rebuilder, deciding };
        Ok(Self { app, catalog, held: right, tasks, stop })
    }

    /// The queries, without a prefix, with their description, for those whom `access` lets in.
    pub fn router(&self, access: &Access) -> OpenApiRouter {
        queries::router(self.app.clone(), access)
    }

    /// Where every projector stands.
    pub fn status(&self) -> Vec<ProjectionAnswer> {
        let head = *self.app.feed.head().borrow();
        self.app.handles.iter().map(|handle| describe(handle, head)).collect()
    }

    /// The live projectors.
    pub fn handles(&self) -> &[Arc<Handle>] {
        &self.app.handles
    }

    /// Begins to rebuild these models together, reading the log once for all of them.
    pub async fn rebuild(&self, projectors: &[Projector]) -> Result<(), RebuildError> {
        let handles = projectors.iter().map(|&one| Arc::clone(self.app.handle(one))).collect();
        self.app.rebuilder.begin(handles, None).await
    }

    /// Returns when it ends by itself: another service has taken the lease. What it shows grows stale from then on; it has
    /// to be shut down, and may be started anew as a standby.
    pub async fn ended(&self) {
        self.stop.cancelled().await;
    }

    /// Ends every projector after the batch it is at, lets a standby take over, and closes the databases.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.held.give_back().await;
        self.catalog.close().await;
    }
}

/// The right to write, as soon as it can be had.
async fn acquire(
    catalog: &Catalog,
    lease: Option<LeaseSettings>,
    told: &Told,
) -> Result<Held, MigrateError> {
    match lease {
        Some(lease) => Ok(Lease::shared(catalog.store(), lease).await?.acquire_telling(told).await),
        None => Ok(Lease::always().acquire().await),
    }
}

async fn stop_when_taken(held: Arc<Held>, stop: CancellationToken) {
    tokio::select! {
        () = held.taken() => {
            tracing::error!("the lease of the read models is taken: another service is active");
            stop.cancel();
        }
        () = stop.cancelled() => {}
    }
}

/// Where the shared reader begins: at the last of those projectors that are close to the foremost one. The others
/// catch up on their own.
pub(crate) fn first_position(positions: impl Iterator<Item = u64>, head: u64) -> u64 {
    let known: Vec<u64> = positions.filter(|position| *position <= head).collect();
    let foremost = known.iter().copied().max().unwrap_or_default();
    known.into_iter().filter(|position| position + NEAR >= foremost).min().unwrap_or_default()
}
