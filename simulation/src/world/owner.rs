//! What the log's owner tells others where processes are apart: the real relay, announcer and history.

use std::sync::Arc;

use futures::future::join3;
use messaging::jetstream::{
    Announcer, Carrier, EventsSettings, HistoryServer, OwnedLog, Relay, RelaySettings,
};
use tokio_util::sync::CancellationToken;

use super::state::World;
use crate::ports::{CarrierAccess, FaultyLog};
use crate::process::Process;

impl World {
    /// How a process reaches the broker of events.
    pub(super) fn carrier(&self, process: &Arc<Process>) -> CarrierAccess {
        CarrierAccess { broker: Arc::clone(&self.events), process: Arc::clone(process) }
    }

    /// Tells others of the log, from the process that owns it, or believes so.
    pub(super) fn tell_others(&self, log: &FaultyLog) {
        let Some(retained) = self.plan.retained else { return };
        let carrier: Arc<dyn Carrier> = Arc::new(self.carrier(&log.process));
        let owned = OwnedLog::new(Arc::new(log.clone()), Arc::new(log.clone()));
        let settings = RelaySettings {
            events: EventsSettings { retained, ..EventsSettings::default() },
            window_events: 16,
            ..RelaySettings::default()
        };
        let relay = Relay::new(Arc::clone(&carrier), Arc::clone(&owned), settings);
        let announcer = Announcer::new(Arc::clone(&carrier), Arc::clone(&owned));
        let history = HistoryServer::new(carrier, owned);
        let never = CancellationToken::new();
        // One task: the order in which several are woken that wait for one channel is drawn by the runtime.
        tokio::spawn(join3(
            relay.run(never.clone()),
            announcer.run(never.clone()),
            history.run(never),
        ));
    }
}
