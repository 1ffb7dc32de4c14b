//! A process of the platform, as the world sees it: whatever it says to the world passes here.
//!
//! **Invariant:** a dead process reaches nothing and hears nothing, whatever its tasks still do; one that sleeps does both
//! when it wakes, late.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::{Instant, sleep, sleep_until};

use crate::weather::Weather;

/// One life of a process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    dead: AtomicBool,
    asleep_until: Mutex<Option<Instant>>,
}

impl Process {
    /// A process that has just started.
    pub(crate) fn new(name: String) -> Self {
        Self { name, dead: AtomicBool::new(false), asleep_until: Mutex::default() }
    }

    /// It is gone.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// It is stopped, or cut off, until then.
    pub(crate) fn sleep_until(&self, until: Instant) {
        *self.asleep_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Returns while the process lives and is awake; never when it is dead.
    pub(crate) async fn pass(&self) {
        loop {
            if self.is_dead() {
                std::future::pending::<()>().await;
            }
            let until = *self.asleep_until.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// A hop between the process and the world.
    pub(crate) async fn hop(&self, weather: &Weather) {
        self.pass().await;
        sleep(weather.delay()).await;
        self.pass().await;
    }
}
