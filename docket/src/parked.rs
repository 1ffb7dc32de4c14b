//! What is parked in read models, for commands that look at them or build them anew.

use std::collections::HashMap;

use projection_service::Projector;
use projection_service::offline::ModelSnapshot;
use projection_service::storage::parked::{Parked, ParkedKey};

use crate::numbers::grouped;

/// Keys that are named.
const NAMED: usize = 3;

/// What is parked in each model.
#[derive(Debug, Default)]
pub(crate) struct ParkedIn(HashMap<Projector, Parked>);

impl ParkedIn {
    /// Notes what is parked in a model.
    pub(crate) fn add(&mut self, model: &ModelSnapshot) {
        self.0.insert(model.projector, model.parked.clone());
    }

    /// What is parked in a model, to be parked in one that is built anew: so it can be compared.
    pub(crate) fn of(&self, projector: Projector) -> Vec<ParkedKey> {
        self.0.get(&projector).map(Parked::all).unwrap_or_default()
    }

    /// A sentence for each model in which something is.
    pub(crate) fn notes(&self) -> Vec<String> {
        let models = Projector::ALL.iter().filter_map(|model| Some((model, self.0.get(model)?)));
        models.filter_map(|(model, parked)| in_words(model.name(), parked)).collect()
    }
}

/// What is parked in a model; `None` when nothing is.
pub(crate) fn in_words(model: &str, parked: &Parked) -> Option<String> {
    let (keys, events) = (parked.keys().len(), parked.events());
    let first = parked.keys().next()?;
    let named: Vec<&str> =
        parked.keys().take(NAMED).map(|waiting| waiting.parked.key.as_str()).collect();
    let more = if keys > NAMED { ", …" } else { "" };
    Some(format!(
        "Read model `{model}`: {keys} parked ({}{more}), the first at position {}; {} events wait for a replay of their key.",
        named.join(", "),
        grouped(first.parked.position),
        grouped(events),
    ))
}
