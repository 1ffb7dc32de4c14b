//! Folds the events of a batch into the rows that they touch, without writing any.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::event::Event;
use domain::stream::Stream;

use super::applier::{Applier, Stopped};
use super::apply::Fault;
use super::stored::{Rows, Writing as _};
use crate::decoded::Decoded;
use crate::folds::{FoldError, Seen};
use crate::model::{ReadModel, Touched};
use crate::storage::parked::{HeldEvent, MOST_EVENTS, Parked};

/// A row before the batch and as it is folded.
type BeforeAfter<R> = (Option<R>, Option<R>);

/// What a batch comes to.
pub(super) struct Folded<R> {
    pub(super) rows: Vec<Touched<R>>,
    pub(super) held: Vec<HeldEvent>,
}

impl<M: ReadModel, G: Rows<M>> Applier<M, G> {
    /// The rows that the events touch and the cache lacks.
    pub(super) async fn load(
        &self,
        writing: &mut G::Writing,
        events: &[&Decoded],
    ) -> Result<HashMap<String, M::Row>, Stopped> {
        let mut missing: Vec<&str> = events
            .iter()
            .filter_map(|event| M::key(event.event.as_ref().ok()?))
            .filter(|key| self.cache.get(*key).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = writing.load(&missing).await?;
        Ok(rows.into_iter().map(|row| (M::key_of(&row).to_owned(), row)).collect())
    }

    pub(super) fn fold(
        &self,
        mut loaded: HashMap<String, M::Row>,
        events: &[&Decoded],
        parked: &Parked,
    ) -> Result<Folded<M::Row>, Stopped> {
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(events.len());
        let mut rows: Vec<BeforeAfter<M::Row>> = Vec::new();
        let mut held = Vec::new();
        for decoded in events {
            let position = decoded.position;
            let key = key_of::<M>(decoded);
            let stop = |cause: String| {
                let key = key.as_deref().map(str::to_owned);
                Stopped::At(Fault { position, cause, key })
            };
            if let Some(key) = key.as_deref().filter(|key| parked.holds(key, position)) {
                if parked.events() + held.len() as u64 >= MOST_EVENTS {
                    return Err(Stopped::At(Fault::of_model(position, full())));
                }
                held.push((position, key.to_owned()));
                continue;
            }
            let event = decoded.event.as_ref().map_err(|unread| stop(unread.to_string()))?;
            let Some(key) = M::key(event) else { continue };
            let place = *places.entry(key).or_insert_with(|| {
                let before = loaded.remove(key).or_else(|| self.cache.get(key).cloned());
                rows.push((before.clone(), before));
                rows.len() - 1
            });
            let row = rows[place].1.take();
            rows[place].1 = fold_one::<M>(row, event, Seen::from(*decoded))
                .map_err(|error| stop(error.to_string()))?;
        }
        let touched =
            rows.into_iter().filter_map(|(before, after)| Some(Touched { before, after: after? }));
        Ok(Folded { rows: touched.collect(), held })
    }
}

/// The key of the row that an event touches, as far as that is known.
fn key_of<M: ReadModel>(decoded: &Decoded) -> Option<Cow<'_, str>> {
    match &decoded.event {
        Ok(event) => M::key(event).map(Cow::Borrowed),
        Err(unread) => Stream::parse(&unread.stream)
            .and_then(|stream| M::key_of_stream(&stream))
            .map(Cow::Owned),
    }
}

/// Why nothing more is held.
fn full() -> String {
    format!("{MOST_EVENTS} events wait for parked keys, and more are not kept: replay or rebuild")
}

fn fold_one<M: ReadModel>(
    row: Option<M::Row>,
    event: &Event,
    seen: Seen,
) -> Result<Option<M::Row>, FoldError> {
    M::fold(row, event, seen)
}
