//! What a rebuild tells: how far it is, how it ended, why it was given up.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use event_store::Position;

use super::build::{Building, OnProgress};
use super::compare::Comparison;
use super::handle::Handle;
use super::status::{Progress, Rebuilt, tenths};

/// A generation that was built.
#[derive(Clone, Copy)]
pub(super) struct Built {
    pub(super) generation: u32,
    pub(super) events: u64,
    pub(super) begun: Instant,
}

/// How a rebuild ended that was not given up.
pub(super) fn outcome(name: &str, built: Built, comparison: Option<Comparison>) -> Rebuilt {
    let Built { generation, events, begun } = built;
    let seconds = tenths(begun.elapsed().as_secs_f64());
    match comparison {
        None => {
            let (equal, compared_at, digests) = (None, None, Vec::new());
            Rebuilt::Switched { generation, events, seconds, equal, compared_at, digests }
        }
        Some(Comparison { position, digests, differing_tables, .. })
            if differing_tables.is_empty() =>
        {
            let (equal, compared_at) = (Some(true), Some(position));
            Rebuilt::Switched { generation, events, seconds, equal, compared_at, digests }
        }
        Some(Comparison { position: compared_at, digests, differing_tables, differences }) => {
            tracing::error!(
                name,
                ?differing_tables,
                "a model built anew differs from the live one, which stays; an operator has to decide"
            );
            let differences = differences.into_iter().map(Into::into).collect();
            Rebuilt::Differs {
                generation,
                events,
                seconds,
                compared_at,
                digests,
                differing_tables,
                differences,
            }
        }
    }
}

/// Tells each model's status how far its new generation is.
pub(super) fn told(
    begun: Instant,
    handles: &[Arc<Handle>],
    opened: &[Building],
    target: Position,
) -> OnProgress {
    let handles = handles.to_vec();
    let from: Vec<Position> =
        opened.iter().map(|(_, applier)| applier.checkpoint().position).collect();
    let last = Mutex::new(());
    Arc::new(move |name, position| {
        let _guard = last.lock().unwrap_or_else(PoisonError::into_inner);
        let found = handles.iter().position(|handle| handle.projector.name() == name);
        let Some(at) = found else { return };
        let seconds = begun.elapsed().as_secs_f64();
        let progress = Progress::after(seconds, from[at], position, target);
        handles[at].update(|status| status.rebuild = Some(progress));
    })
}

/// An error and what caused it, in one line.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
