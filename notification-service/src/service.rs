//! The service as its host sees it: started, asked, stopped.

use std::sync::Arc;

use messaging::feed::Feed;
use messaging::record::Recorder;
use service_kit::access::Access;
use service_kit::clock::Clock;
use sqlx::migrate::MigrateError;
use storage::{Held, Lease, LeaseSettings, Store, Told};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use utoipa_axum::router::OpenApiRouter;

use crate::book::Book;
use crate::delivery::{Dispatcher, DispatcherParts};
use crate::egress::{EgressError, Sender};
use crate::ends::Ends;
use crate::fold::{Mailing, Reader, ReaderParts};
use crate::http::{self, Api, ApiParts};
use crate::hub::Hub;
use crate::mail::{MailError, MailSettings, Mailer};
use crate::settings::Settings;
use crate::status::{Phase, Status};
use crate::storage as tables;
use crate::streams::{self, Streams};
use crate::webhooks::SecretBox;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The tables can't be made or brought up to date.
    #[error("the database of the notifications can't be opened")]
    Tables(#[from] MigrateError),
    /// The tables can't be read.
    #[error("the endpoints can't be read")]
    Endpoints(#[from] sqlx::Error),
    /// Requests can't go out.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// Mail can't go out.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The key that seals secrets has another length.
    #[error("secrets can't be sealed with a key that does not have 32 bytes")]
    SealingKey,
}

/// The running service. Dropping it stops it.
pub struct Notifications {
    api: Api,
    streams: Streams,
    /// Every stream ends.
    end: CancellationToken,
    store: Store,
    status: watch::Receiver<Status>,
    stop: DropGuard,
    ends: Ends,
    tasks: Vec<JoinHandle<()>>,
    keeping: JoinHandle<()>,
}

impl Notifications {
    /// Opens the tables, waits for the lease if there is one, and starts to read and to tell.
    pub async fn start(
        settings: Settings,
        feed: Arc<dyn Feed>,
        recorder: Arc<dyn Recorder>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let sealing = SecretBox::new(&settings.sealing_key).map_err(|_| StartError::SealingKey)?;
        let deadline = settings.egress.deadline;
        let sender = Sender::new(settings.egress, settings.names)?;
        let mailer = mailer(settings.mail, &feed, &clock)?;
        let store = tables::open(&settings.location).await?;
        let held = acquire(&store, settings.lease, &settings.told).await?;
        let fence = held.fence();
        let book = Arc::new(Book::open(&store, sealing).await?);
        put_back(&store, &book, &clock).await?;
        let mailing = begin_or_end_mail(&store, &clock, mailer.clone()).await?;
        let told = Arc::new(Notify::new());
        let (tell, status) = watch::channel(Status { phase: Phase::Starting, position: 0 });
        let (hub, end) = (Hub::new(), CancellationToken::new());
        let ends = Ends::telling(tell.clone());
        let reader = Reader::new(ReaderParts {
            store: store.clone(),
            fence: fence.clone(),
            feed: Arc::clone(&feed),
            book: Arc::clone(&book),
            clock: Arc::clone(&clock),
            told: Arc::clone(&told),
            status: tell,
            hub: hub.clone(),
            mailing,
            retention: settings.retention,
        });
        let dispatching = DispatcherParts {
            store: store.clone(),
            fence: fence.clone(),
            sender: sender.clone(),
            book: Arc::clone(&book),
            mailer: mailer.clone(),
            clock: Arc::clone(&clock),
            told: Arc::clone(&told),
            schedule: settings.schedule,
            deadline,
            per_endpoint: settings.per_endpoint,
            retention: settings.retention,
        };
        let streams = Streams::new(Arc::clone(&feed), hub, Arc::clone(&clock), end.clone());
        let api = Api::new(ApiParts {
            store: store.clone(),
            fence,
            book,
            sender,
            mailer,
            feed,
            recorder,
            clock,
            told,
            status: status.clone(),
        });
        let tasks = vec![
            ends.run(reader.run(ends.stop.clone())),
            ends.run(Dispatcher::run(dispatching, ends.stop.clone())),
        ];
        let keeping = tokio::spawn(ends.clone().keep(held));
        Ok(Self {
            api,
            streams,
            end,
            store,
            status,
            stop: ends.stop.clone().drop_guard(),
            ends,
            tasks,
            keeping,
        })
    }

    /// The API, without `/v1`, for those whom `access` lets in.
    pub fn router(&self, access: &Access) -> OpenApiRouter {
        let streams = streams::router(self.streams.clone(), access);
        http::router(self.api.clone(), access).merge(streams)
    }

    /// Where it stands.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Where it stands, as it changes.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Returns when another process has taken over: nothing is told here any more.
    pub async fn superseded(&self) {
        self.ends.taken.cancelled().await;
    }

    /// Returns when a part of it has broken off, which is a mistake in it: it has let everything go, also its lease.
    pub async fn broken(&self) {
        self.ends.broken.cancelled().await;
    }

    /// Ends every stream, and takes no more: before the server waits for requests to end.
    pub fn end_streams(&self) {
        self.end.cancel();
    }

    /// Notes how far it came and what came of attempts, gives the lease back, and closes the tables. Attempts under way are made
    /// again at the next start.
    pub async fn shutdown(self) {
        drop(self.stop);
        for task in self.tasks {
            ended_well(task.await);
        }
        ended_well(self.keeping.await);
        self.store.close().await;
    }

    /// Ends at once, wherever it is, as a crash would: for tests.
    pub async fn kill(self) {
        for task in &self.tasks {
            task.abort();
        }
        self.keeping.abort();
        for task in self.tasks {
            drop(task.await);
        }
        drop(self.keeping.await);
        self.store.close().await;
    }
}

fn ended_well(task: Result<(), tokio::task::JoinError>) {
    if let Err(error) = task {
        tracing::error!(%error, "a task of the notifications ended badly");
    }
}

/// Waits for the lease, if there is one.
async fn acquire(
    store: &Store,
    lease: Option<LeaseSettings>,
    told: &Told,
) -> Result<Held, StartError> {
    let lease = match lease {
        Some(lease) => Lease::shared(store.clone(), lease).await?,
        None => Lease::always(),
    };
    Ok(lease.acquire_telling(told).await)
}

/// Who sends mail, where customers get any.
fn mailer(
    mail: Option<MailSettings>,
    feed: &Arc<dyn Feed>,
    clock: &Clock,
) -> Result<Option<Mailer>, MailError> {
    mail.map(|mail| Mailer::new(mail, Arc::clone(feed), Arc::clone(clock))).transpose()
}

/// What was under way when whoever was before us ended is due; and what waits by a clock that was ahead of ours waits by ours.
async fn put_back(store: &Store, book: &Book, clock: &Clock) -> Result<(), sqlx::Error> {
    let mut transaction = store.begin().await?;
    let endpoints = book.endpoints();
    for channel in endpoints.iter().map(|endpoint| &*endpoint.id).chain([tables::MAIL]) {
        tables::put_back(&mut transaction, channel, clock()).await?;
    }
    tables::bring_back(&mut transaction, clock()).await?;
    transaction.commit().await
}

/// Notes whether customers get mail, and since when.
async fn begin_or_end_mail(
    store: &Store,
    clock: &Clock,
    mailer: Option<Mailer>,
) -> Result<Option<Mailing>, sqlx::Error> {
    let mut transaction = store.begin_durable().await?;
    let mailing = if let Some(mailer) = mailer {
        let since = tables::begin_mail(&mut transaction, clock()).await?;
        Some(Mailing { mailer, since })
    } else {
        tables::end_mail(&mut transaction).await?;
        None
    };
    transaction.commit().await?;
    Ok(mailing)
}
