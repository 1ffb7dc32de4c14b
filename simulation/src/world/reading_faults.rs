//! What breaks for those who read the log.

use std::sync::Arc;

use tokio::time::{Instant, sleep};

use super::state::World;
use crate::reading_faults::{EventFault, ModelFault};

impl World {
    pub(super) fn strike_events(&self, fault: EventFault) {
        match fault {
            EventFault::Away(time) => self.events.goes_away(time),
            EventFault::Wiped(time) => {
                self.events.goes_away(time);
                self.events.is_wiped();
            }
            EventFault::GoesBack(which, time) => {
                self.events.goes_away(time);
                self.events.goes_back(which);
            }
            EventFault::ForgetsTail(count, time) => {
                self.events.goes_away(time);
                self.events.forgets_last(count);
            }
            EventFault::Loses { back, count } => self.events.loses(back, count),
            EventFault::Purged => self.events.is_purged(),
            EventFault::GetsStray(stray) => self.events.gets_stray(stray),
        }
    }

    pub(super) async fn strike_models(self: &Arc<Self>, fault: ModelFault) {
        match fault {
            ModelFault::Crash(down) => {
                self.kill_projectors();
                sleep(down).await;
                if self.projecting().is_none() {
                    self.start_projectors();
                }
            }
            ModelFault::TakeOver(asleep) => {
                if let Some(old) = &*self.projecting() {
                    old.sleeps_until(Instant::now() + asleep);
                }
                self.start_projectors();
                self.trace.happened("a takeover of the read models");
            }
            ModelFault::OldBuild(time) => {
                self.build.is_old();
                sleep(time).await;
                self.build.is_upgraded();
                self.kill_projectors();
                self.start_projectors();
            }
            ModelFault::LoseCommits(commits) => self.lose_models(commits),
        }
    }

    /// The database of the read models crashes.
    pub(super) fn lose_models(&self, commits: usize) {
        let lost = self.models.lose_last(commits);
        self.trace.tell(format_args!("{lost} commits of the read models are lost"));
        if lost > 0 {
            self.trace.happened("commits of the read models lost by their database");
        }
    }
}
