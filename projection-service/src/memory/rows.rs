//! The rows of one model with their checkpoint, and what the last commits changed.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use event_store::{LogIdentity, Position};

use super::generation::Parking;
use crate::decoded::Page;
use crate::folds::Seen;
use crate::model::{ReadModel, Touched};
use crate::storage::checkpoint::Checkpoint;
use crate::storage::parked::Parked;

/// So many commits may be lost at once.
const MOST_LOST: usize = 64;

/// The rows of some model.
pub(crate) trait AnyRows: Any + Send + Sync {
    /// Where they stand.
    fn checkpoint(&self) -> Checkpoint;

    /// What is parked.
    fn parked(&self) -> Parked;

    /// The positions of a parked key's events that wait.
    fn waiting(&self, key: &str) -> Vec<Position>;

    /// Loses the last commits, as a crash of the server may do. How many it had.
    fn lose_last(&self, commits: usize) -> usize;

    /// What is not as the fold of all events makes it.
    fn differences(&self, page: &Page, bit: u32) -> Vec<String>;
}

/// The rows of `M`.
pub(crate) struct MemoryRows<M: ReadModel>(Mutex<Kept<M>>);

pub(super) struct Kept<M: ReadModel> {
    pub(super) checkpoint: Checkpoint,
    pub(super) rows: BTreeMap<String, M::Row>,
    parked: Parked,
    held: BTreeMap<Position, String>,
    commits: Vec<Undo<M>>,
}

/// What takes a commit back.
struct Undo<M: ReadModel> {
    checkpoint: Checkpoint,
    rows: Vec<(String, Option<M::Row>)>,
    parked: Parked,
    held: BTreeMap<Position, String>,
}

impl<M: ReadModel> MemoryRows<M> {
    pub(crate) fn new(identity: &LogIdentity) -> Self {
        let checkpoint = Checkpoint { position: 0, event_id: None, identity: identity.clone() };
        let (rows, parked, held, commits) = Default::default();
        Self(Mutex::new(Kept { checkpoint, rows, parked, held, commits }))
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: ReadModel> Kept<M> {
    pub(super) fn commit(
        &mut self,
        to: Checkpoint,
        touched: Vec<(String, M::Row)>,
        parking: Vec<Parking>,
    ) {
        let (parked, held) = (self.parked.clone(), self.held.clone());
        for change in parking {
            match change {
                Parking::Holds(events) => {
                    self.parked.hold(&events);
                    self.held.extend(events);
                }
                Parking::Parks(key) => self.parked.add(&key),
                Parking::Forgets(key) => {
                    self.parked.forget(&key);
                    self.held.retain(|_, held| *held != key);
                }
            }
        }
        let checkpoint = std::mem::replace(&mut self.checkpoint, to);
        let mut rows = Vec::with_capacity(touched.len());
        for (key, row) in touched {
            let before = self.rows.insert(key.clone(), row);
            rows.push((key, before));
        }
        if self.commits.len() >= MOST_LOST {
            self.commits.remove(0);
        }
        self.commits.push(Undo { checkpoint, rows, parked, held });
    }

    /// Everything up to here is on disk: no crash loses it.
    pub(super) fn settle(&mut self) {
        self.commits.clear();
    }

    /// Whether a writer believes of the rows what they are.
    pub(super) fn has_before(&self, touched: &[Touched<M::Row>]) -> bool {
        touched.iter().all(|row| self.rows.get(M::key_of(&row.after)) == row.before.as_ref())
    }

    fn undo_last(&mut self) -> bool {
        let Some(undo) = self.commits.pop() else { return false };
        (self.checkpoint, self.parked, self.held) = (undo.checkpoint, undo.parked, undo.held);
        for (key, before) in undo.rows {
            match before {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
        true
    }
}

impl<M: ReadModel> AnyRows for MemoryRows<M> {
    fn checkpoint(&self) -> Checkpoint {
        self.kept().checkpoint.clone()
    }

    fn parked(&self) -> Parked {
        self.kept().parked.clone()
    }

    fn waiting(&self, key: &str) -> Vec<Position> {
        let kept = self.kept();
        let held = kept.held.iter().filter(|(_, held)| *held == key);
        held.map(|(position, _)| *position).collect()
    }

    fn lose_last(&self, commits: usize) -> usize {
        let mut kept = self.kept();
        (0..commits).take_while(|_| kept.undo_last()).count()
    }

    fn differences(&self, page: &Page, bit: u32) -> Vec<String> {
        let mut folded: BTreeMap<String, M::Row> = BTreeMap::new();
        let mut found = Vec::new();
        for decoded in page.events.iter().filter(|event| event.readers & bit != 0) {
            let Ok(event) = &decoded.event else { continue };
            let Some(key) = M::key(event) else { continue };
            match M::fold(folded.remove(key), event, Seen::from(&**decoded)) {
                Ok(Some(row)) => drop(folded.insert(key.to_owned(), row)),
                Ok(None) => {}
                Err(error) => found.push(format!("position {}: {error}", decoded.position)),
            }
        }
        let kept = self.kept();
        let keys = folded.keys().chain(kept.rows.keys().filter(|key| !folded.contains_key(*key)));
        for key in keys {
            let (row, fold) = (kept.rows.get(key), folded.get(key));
            if row != fold {
                found.push(format!("{key}: the row is {row:?}, the fold of the log {fold:?}"));
            }
        }
        found
    }
}
