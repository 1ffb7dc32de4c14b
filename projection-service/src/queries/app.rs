//! What every handler is given.

use std::sync::Arc;

use event_store::keys::Vault;
use messaging::feed::Feed;
use messaging::record::Recorder;
use service_kit::clock::Clock;
use service_kit::hearing::Hearing;
use tokio::sync::Mutex;

use super::sagas::SagaStates;
use crate::projectors::Projector;
use crate::runner::handle::Handle;
use crate::runner::rebuild::Rebuilder;

/// The models and what opens and completes their answers.
#[derive(Clone)]
pub struct App {
    pub(crate) handles: Arc<[Arc<Handle>]>,
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) sagas: Arc<dyn SagaStates>,
    /// Where operators' actions are recorded before they are carried out.
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) clock: Clock,
    pub(crate) hearing: Hearing,
    pub(crate) rebuilder: Rebuilder,
    /// Held while an operator's request is carried out, so that two with the same key can't both be first.
    pub(crate) deciding: Arc<Mutex<()>>,
}

impl App {
    /// The handle of a projector. They stand in the order of [`Projector::ALL`].
    pub(crate) fn handle(&self, projector: Projector) -> &Arc<Handle> {
        &self.handles[projector as usize]
    }
}
