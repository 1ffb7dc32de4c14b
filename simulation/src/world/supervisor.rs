//! Whatever keeps processes running: it starts those anew that end by themselves, as they do when their log begins another
//! epoch. It asks the read models, too, as a health check and people do.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::state::World;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl World {
    /// Looks after all who read the log.
    pub(crate) async fn supervise(self: Arc<Self>) {
        loop {
            sleep(LOOK_EVERY).await;
            for place in 0..2 {
                let running = self.orchestrating()[place].clone();
                if running.is_some_and(|one| one.has_ended()) {
                    self.kill_orchestrator(place);
                    self.start_orchestrator(place);
                }
            }
            let Some(running) = self.projecting().clone() else { continue };
            if running.has_ended() {
                self.kill_projectors();
                self.start_projectors();
            }
        }
    }
}
