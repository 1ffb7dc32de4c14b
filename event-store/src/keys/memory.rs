//! Keys in memory, for tests and simulation. Everyone's data is lost when it is dropped.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use chrono::{DateTime, Utc};
use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};

use crate::error::StoreError;
use crate::types::Mark;

use super::contract::{DataKey, KeyError, KeyState, KeyStore, MasterCheck, Tombstone};

/// Keys in memory.
#[derive(Default)]
pub struct MemoryKeys {
    people: Mutex<BTreeMap<String, KeyState>>,
    master_check: OnceLock<MasterCheck>,
    erasures_applied: Mutex<Option<Mark>>,
}

impl MemoryKeys {
    /// A store without keys.
    pub fn new() -> Self {
        Self::default()
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<String, KeyState>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_now(&self, from: Option<&Mark>, to: &Mark) -> bool {
        let mut noted = self.erasures_applied.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.as_ref() != from {
            return false;
        }
        *noted = Some(to.clone());
        true
    }

    fn get_or_insert_now(&self, person: &str, candidate: DataKey) -> Result<DataKey, KeyError> {
        let mut people = self.people();
        match people.get(person) {
            Some(KeyState::Present(key)) => Ok(key.clone()),
            Some(KeyState::Erased { .. }) => Err(KeyError::Erased),
            Some(KeyState::Absent) | None => {
                people.insert(person.to_owned(), KeyState::Present(candidate.clone()));
                Ok(candidate)
            }
        }
    }

    fn erase_now(&self, person: &str, at: DateTime<Utc>) {
        let mut people = self.people();
        if !matches!(people.get(person), Some(KeyState::Erased { .. })) {
            people.insert(person.to_owned(), KeyState::Erased { at });
        }
    }
}

impl KeyStore for MemoryKeys {
    fn get_or_insert<'a>(
        &'a self,
        person: &'a str,
        candidate: DataKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        ready(self.get_or_insert_now(person, candidate)).boxed()
    }

    fn find<'a>(&'a self, person: &'a str) -> BoxFuture<'a, Result<KeyState, StoreError>> {
        ready(Ok(self.people().get(person).cloned().unwrap_or(KeyState::Absent))).boxed()
    }

    fn erase<'a>(
        &'a self,
        person: &'a str,
        at: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.erase_now(person, at);
        ready(Ok(())).boxed()
    }

    fn tombstones(&self) -> BoxFuture<'_, Result<Vec<Tombstone>, StoreError>> {
        let people = self.people();
        let erased = people.iter().filter_map(|(person, state)| match state {
            KeyState::Erased { at } => Some((person.clone(), *at)),
            KeyState::Absent | KeyState::Present(_) => None,
        });
        ready(Ok(erased.collect())).boxed()
    }
    fn any_key(&self) -> BoxFuture<'_, Result<Option<(String, DataKey)>, StoreError>> {
        let people = self.people();
        let key = people.iter().find_map(|(person, state)| match state {
            KeyState::Present(key) => Some((person.clone(), key.clone())),
            KeyState::Absent | KeyState::Erased { .. } => None,
        });
        ready(Ok(key)).boxed()
    }

    fn master_check(&self) -> BoxFuture<'_, Result<Option<MasterCheck>, StoreError>> {
        ready(Ok(self.master_check.get().cloned())).boxed()
    }

    fn keep_master_check(
        &self,
        candidate: MasterCheck,
    ) -> BoxFuture<'_, Result<MasterCheck, StoreError>> {
        ready(Ok(self.master_check.get_or_init(|| candidate).clone())).boxed()
    }

    fn erasures_applied(&self) -> BoxFuture<'_, Result<Option<Mark>, StoreError>> {
        let noted = self.erasures_applied.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ready(Ok(noted)).boxed()
    }

    fn note_erasures_applied<'a>(
        &'a self,
        from: Option<&'a Mark>,
        to: &'a Mark,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        ready(Ok(self.note_now(from, to))).boxed()
    }
}
