//! Starts the projectors and answers queries.

use std::path::PathBuf;
use std::sync::Arc;

use event_store::keys::Vault;
use messaging::feed::Feed;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use utoipa_axum::router::OpenApiRouter;

use crate::projectors::{Projector, readers};
use crate::queries::projections::{ProjectionAnswer, describe};
use crate::queries::sagas::SagaStates;
use crate::queries::{self, App};
use crate::runner::applier::Apply;
use crate::runner::handle::Handle;
use crate::runner::rebuild::{RebuildError, Rebuilder};
use crate::runner::{Hub, KeepFor, Live, NEAR, Surroundings};
use crate::sqlite::catalog::{Catalog, Entry, Role};
use crate::sqlite::generation;

/// How the service is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the read models' files.
    pub folder: PathBuf,
    /// How long a generation is kept beside the live one, for a rollback or a decision.
    pub keep_for: KeepFor,
}

impl Settings {
    /// With its defaults, in this folder.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder, keep_for: KeepFor::default() }
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
}

/// The projectors, running, and their queries.
pub struct ProjectionService {
    app: App,
    catalog: Catalog,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl ProjectionService {
    /// Opens the models, goes on from their checkpoints, and goes on with rebuilds that were under way.
    pub async fn start(
        settings: Settings,
        feed: Arc<dyn Feed>,
        vault: Arc<Vault>,
        sagas: Arc<dyn SagaStates>,
    ) -> Result<Self, StartError> {
        tokio::fs::create_dir_all(&settings.folder).await?;
        let catalog = Catalog::open(&settings.folder).await?;
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let rebuilder = Rebuilder {
            feed: Arc::clone(&feed),
            readers: readers(),
            folder: settings.folder,
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
        let first = first_position(&opened, head);
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
        let handles = handles.into();
        let deciding = Arc::default();
        let app = App { handles, feed, vault, sagas, rebuilder, deciding };
        Ok(Self { app, catalog, tasks, stop })
    }

    /// The queries, without a prefix, with their description.
    pub fn router(&self) -> OpenApiRouter {
        queries::router(self.app.clone())
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

    /// Ends every projector after the batch it is at, and closes the files.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.catalog.close().await;
    }
}

/// A projector, opened: the live generation, and the one that is kept beside it.
struct Opened {
    applier: Box<dyn Apply>,
    beside: Option<(Box<dyn Apply>, Role)>,
    entry: Entry,
}

/// Opens the live generation and the one kept beside it. A live one of another definition can be neither fed nor read any
/// more: a new one takes its place at once, and catches up.
async fn open(projector: Projector, rebuilder: &Rebuilder) -> Result<Opened, sqlx::Error> {
    let definition = projector.definition();
    let (folder, catalog) = (&rebuilder.folder, &rebuilder.catalog);
    let found = catalog.find(definition.name).await?;
    let entry = match found {
        Some(entry) if entry.version == definition.version => entry,
        other => {
            let live = other.map_or(1, |old| old.next_generation());
            generation::remove(&generation::path(folder, definition.name, live));
            catalog.register(definition.name, definition.version, live).await?;
            let version = definition.version;
            Entry { version, live, building: None, kept: None, outcome: None }
        }
    };
    // What a process left behind that ended between a decision and its file's end.
    let named = [Some(entry.live), entry.building, entry.kept.map(|kept| kept.generation)];
    for number in (1..entry.next_generation()).filter(|number| !named.contains(&Some(*number))) {
        generation::remove(&generation::path(folder, definition.name, number));
    }
    let identity = rebuilder.feed.identity();
    let applier = projector.open(folder, entry.live, &identity).await?;
    let beside = match entry.kept {
        Some(kept) => Some((projector.open(folder, kept.generation, &identity).await?, kept.role)),
        None => None,
    };
    Ok(Opened { applier, beside, entry })
}

/// Where the shared reader begins: at the last of those projectors that are close to the foremost one. The others
/// catch up on their own.
fn first_position(opened: &[Opened], head: u64) -> u64 {
    let positions = opened.iter().map(|one| one.applier.checkpoint().position);
    let known: Vec<u64> = positions.filter(|position| *position <= head).collect();
    let foremost = known.iter().copied().max().unwrap_or_default();
    known.into_iter().filter(|position| position + NEAR >= foremost).min().unwrap_or_default()
}
