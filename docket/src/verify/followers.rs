//! Who follows the log, and how far behind it they are.

use event_store::{LogIdentity, Mark, Position};
use invariants::{Follower, Rule};
use projection_service::offline::ModelSnapshot;
use saga_orchestrator::Audit;
use serde::Serialize;

use crate::numbers::{counted, grouped};

/// Where somebody stands who follows the log.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    name: String,
    position: Position,
    /// Events of the log that they have not read.
    behind: u64,
}

impl Standing {
    pub(super) fn as_text(&self) -> String {
        let Self { name, position, behind } = self;
        let position = grouped(*position);
        match behind {
            0 => format!("{name}: at position {position}"),
            behind => {
                format!("{name}: at position {position}, {} behind", counted(*behind, "event"))
            }
        }
    }
}

/// All of them, as they were found.
pub(super) fn all(
    audit: Option<&Audit>,
    notifications: Option<&Mark>,
    models: &[ModelSnapshot],
) -> Vec<Follower> {
    let status = || "docket status".to_owned();
    let sagas = audit.map(|audit| Follower {
        name: "the sagas".to_owned(),
        rule: Rule::Outbox,
        mark: Mark { log: audit.log.clone(), position: audit.position, event_id: audit.event_id },
        look: status(),
    });
    let notifications = notifications.map(|mark| Follower {
        name: "the notifications".to_owned(),
        rule: Rule::Outbox,
        mark: mark.clone(),
        look: status(),
    });
    let models = models.iter().map(|model| Follower {
        name: format!("the read model `{}`", model.projector.name()),
        rule: Rule::ReadModels,
        mark: Mark { log: model.log.clone(), position: model.position, event_id: model.event_id },
        look: format!("docket replay --projection {}", model.projector.name()),
    });
    sagas.into_iter().chain(notifications).chain(models).collect()
}

/// Where they stand before the end of the log.
pub(super) fn standings(followers: &[Follower], head: Position) -> Vec<Standing> {
    let standing = |follower: &Follower| {
        let position = follower.mark.position;
        Standing { name: follower.name.clone(), position, behind: head.saturating_sub(position) }
    };
    followers.iter().map(standing).collect()
}

/// Who is of an earlier epoch than the log: they look where they stand at their next start.
pub(super) fn notes(followers: &[Follower], log: &LogIdentity) -> Vec<String> {
    let earlier = followers.iter().filter(|follower| follower.mark.log.epoch < log.epoch);
    let told = earlier.map(|Follower { name, mark, .. }| {
        let (theirs, ours) = (mark.log.epoch, log.epoch);
        format!(
            "In epoch {theirs} stood {name}, and the log is in epoch {ours}: at their next start they look where they stand."
        )
    });
    told.collect()
}
