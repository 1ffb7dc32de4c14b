//! Opens what the read models stand in: the catalog, and each projector's live generation and the one kept beside it.
//!
//! **Invariant:** what is damaged is set aside, never written to; a new generation takes its place and catches up.

use std::io;

use ::storage::is_damaged;

use crate::projectors::Projector;
use crate::runner::apply::Apply;
use crate::runner::rebuild::Rebuilder;
use crate::service::StartError;
use crate::storage::catalog::{Catalog, Entry, Role};
use crate::storage::generation::Generation;
use crate::storage::home::Home;
use crate::storage::parked::{self, Parked, ParkedKey};

/// The catalog; a new one when the file is damaged.
pub(crate) async fn open_catalog(home: &Home) -> Result<Catalog, StartError> {
    match Catalog::open(home).await {
        Err(error) if is_damaged(&error) => {
            home.start_over(&error)?;
            Ok(Catalog::open(home).await?)
        }
        Err(source) => {
            let location = home.catalog().to_string();
            Err(StartError::Model { location, source })
        }
        Ok(catalog) => Ok(catalog),
    }
}

/// A projector, opened: the live generation, and the one that is kept beside it.
pub(crate) struct Opened {
    pub(crate) applier: Box<dyn Apply>,
    pub(crate) beside: Option<(Box<dyn Apply>, Role)>,
    pub(crate) entry: Entry,
}

/// Opens the live generation and the one kept beside it. A live one of another definition can be neither fed nor read any
/// more: a new one takes its place at once, and catches up.
pub(crate) async fn open(
    projector: Projector,
    rebuilder: &Rebuilder,
) -> Result<Opened, StartError> {
    let definition = projector.definition();
    let (home, catalog) = (&rebuilder.home, &rebuilder.catalog);
    let found = catalog.find(definition.name).await?;
    let before = match &found {
        Some(entry) if entry.version != definition.version => {
            parked_in(projector, rebuilder, entry.live).await
        }
        _ => Vec::new(),
    };
    let entry = match found {
        Some(entry) if entry.version == definition.version => entry,
        other => begin_anew(projector, rebuilder, other.as_ref()).await?,
    };
    // What a process left behind that ended between a decision and its file's end.
    let named = [Some(entry.live), entry.building, entry.kept.map(|kept| kept.generation)];
    for number in (1..entry.next_generation()).filter(|number| !named.contains(&Some(*number))) {
        home.remove(definition.name, number).await;
    }
    let (mut applier, entry) = open_live(projector, rebuilder, entry).await?;
    applier.park(&before).await.map_err(io::Error::other)?;
    let beside = open_beside(projector, rebuilder, &entry).await?;
    Ok(Opened { applier, beside, entry })
}

/// Opens the live generation; a new one when its file is damaged, or is of another history of its log.
async fn open_live(
    projector: Projector,
    rebuilder: &Rebuilder,
    entry: Entry,
) -> Result<(Box<dyn Apply>, Entry), StartError> {
    if let Some(applier) = open_one(projector, rebuilder, entry.live).await? {
        if !is_of_an_older_epoch(&*applier, rebuilder) {
            return Ok((applier, entry));
        }
        tracing::warn!(
            name = projector.name(),
            position = applier.checkpoint().position,
            "the log began a new epoch, as after a restore: the read model is built anew"
        );
        applier.generation().database.close().await;
    }
    let entry = begin_anew(projector, rebuilder, Some(&entry)).await?;
    let opened = open_one(projector, rebuilder, entry.live).await?;
    let applier = opened.ok_or_else(|| io::Error::other("a file that was just made is damaged"))?;
    Ok((applier, entry))
}

/// A model of another log is left alone: somebody mixed up the addresses.
fn is_of_an_older_epoch(applier: &dyn Apply, rebuilder: &Rebuilder) -> bool {
    let (mine, its) = (&applier.checkpoint().identity, rebuilder.feed.identity());
    mine.log == its.log && mine.epoch < its.epoch
}

/// Opens the generation that is kept beside the live one; none when its file is damaged.
async fn open_beside(
    projector: Projector,
    rebuilder: &Rebuilder,
    entry: &Entry,
) -> Result<Option<(Box<dyn Apply>, Role)>, StartError> {
    let Some(kept) = entry.kept else { return Ok(None) };
    let opened = open_one(projector, rebuilder, kept.generation).await?;
    if opened.is_none() {
        rebuilder.catalog.drop_kept(projector.name(), kept.generation, None).await?;
    }
    Ok(opened.map(|applier| (applier, kept.role)))
}

/// What is parked in a generation that another version of its definition built: only an operator lets a key go on.
async fn parked_in(projector: Projector, rebuilder: &Rebuilder, number: u32) -> Vec<ParkedKey> {
    let found = async {
        let old = Generation::look(&rebuilder.home, projector.definition(), number).await?;
        let mut reader = old.database.reader().await?;
        let parked = parked::read(&mut reader).await;
        drop(reader);
        old.database.close().await;
        parked
    };
    let found: Result<Parked, sqlx::Error> = found.await;
    match found {
        Ok(parked) => parked.all(),
        Err(error) => {
            let name = projector.name();
            tracing::warn!(%error, name, "what was parked before can't be read; it is met again");
            Vec::new()
        }
    }
}

/// A new generation takes the live one's place, and no other is kept or built.
async fn begin_anew(
    projector: Projector,
    rebuilder: &Rebuilder,
    old: Option<&Entry>,
) -> Result<Entry, sqlx::Error> {
    let definition = projector.definition();
    let live = old.map_or(1, Entry::next_generation);
    rebuilder.home.remove(definition.name, live).await;
    rebuilder.catalog.register(definition.name, definition.version, live).await?;
    Ok(Entry { version: definition.version, live, building: None, kept: None, outcome: None })
}

/// Opens a generation; `None` when its file was damaged, and is set aside.
async fn open_one(
    projector: Projector,
    rebuilder: &Rebuilder,
    number: u32,
) -> Result<Option<Box<dyn Apply>>, StartError> {
    let home = &rebuilder.home;
    match projector.open(home, number, &rebuilder.feed.identity()).await {
        Ok(applier) => Ok(Some(applier)),
        Err(error) if is_damaged(&error) => {
            home.set_aside(projector.name(), number, &error)?;
            Ok(None)
        }
        Err(source) => {
            let location = home.generation(projector.name(), number).to_string();
            Err(StartError::Model { location, source })
        }
    }
}
