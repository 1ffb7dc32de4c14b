//! What a process can't do without, or only less well: asked again and again whether it can be used, and shown in the health.
//!
//! Not a retry of anybody's call. **Invariant:** one question that fails says nothing; what could not be used for as long as is
//! allowed is said at the next failure, and the first answer takes it back. A process that slept for long judges by what it hears
//! after it woke.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::health::Health;

/// How often it is asked, and what is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From one question to the next.
    pub every: Duration,
    /// How long an answer may take.
    pub within: Duration,
    /// How long there may be none.
    pub bears: Duration,
}

/// What the process is without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Not ready.
    Required,
    /// Ready, and degraded.
    Useful,
}

/// One thing that is needed, under its name in the health.
#[derive(Debug, Clone)]
pub struct Dependency {
    health: Health,
    part: &'static str,
    need: Need,
    pace: Pace,
}

/// What was heard of it.
#[derive(Debug)]
struct Heard {
    answered: Instant,
    failures: u32,
    /// What the health says; `None` before anything was said.
    usable: Option<bool>,
}

impl Dependency {
    /// Nothing is asked yet.
    pub fn new(health: Health, part: &'static str, need: Need, pace: Pace) -> Self {
        Self { health, part, need, pace }
    }

    /// Asks for as long as the process lives. An error says why it can't be used now.
    pub async fn watch<F>(self, mut ask: impl FnMut() -> F)
    where
        F: Future<Output = Result<(), String>>,
    {
        let mut ticks = interval(self.pace.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Heard { answered: Instant::now(), failures: 0, usable: None };
        loop {
            ticks.tick().await;
            let answer = timeout(self.pace.within, ask()).await;
            let answer = answer.unwrap_or_else(|_| Err("it does not answer in time".to_owned()));
            self.hear(&mut heard, answer);
        }
    }

    fn hear(&self, heard: &mut Heard, answer: Result<(), String>) {
        match answer {
            Ok(()) => {
                (heard.answered, heard.failures) = (Instant::now(), 0);
                if heard.usable.replace(true) == Some(false) {
                    tracing::info!(part = self.part, "it can be used again");
                }
                self.health.up(self.part);
            }
            Err(why) => {
                heard.failures += 1;
                if heard.failures > 1 && heard.answered.elapsed() >= self.pace.bears {
                    if heard.usable.replace(false) != Some(false) {
                        tracing::warn!(part = self.part, why, "it can't be used; it is asked on");
                    }
                    self.lacks(&why);
                }
            }
        }
    }

    fn lacks(&self, why: &str) {
        match self.need {
            Need::Required => self.health.down(self.part, format!("can't be used: {why}")),
            Need::Useful => self.health.degraded(self.part, format!("degraded: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use tokio::task::JoinHandle;
    use tokio::time::sleep;

    use super::*;
    use crate::health::Readiness;

    const PACE: Pace = Pace {
        every: Duration::from_millis(500),
        within: Duration::from_secs(1),
        bears: Duration::from_secs(2),
    };

    /// Answers, refuses, or is silent.
    const ANSWERS: u8 = 0;
    const REFUSES: u8 = 1;
    const SILENT: u8 = 2;

    struct Watched {
        health: Health,
        does: Arc<AtomicU8>,
        task: JoinHandle<()>,
    }

    impl Watched {
        fn start(need: Need) -> Self {
            let (health, does) = (Health::default(), Arc::<AtomicU8>::default());
            let asked = Arc::clone(&does);
            let ask = move || {
                let does = asked.load(Ordering::Relaxed);
                async move {
                    match does {
                        ANSWERS => Ok(()),
                        REFUSES => Err("refused".to_owned()),
                        _ => std::future::pending().await,
                    }
                }
            };
            let watch = Dependency::new(health.clone(), "database", need, PACE).watch(ask);
            Self { health, does, task: tokio::spawn(watch) }
        }

        /// From now on it does this; returns how long the health took to change to `expected`.
        async fn becomes(&self, does: u8, expected: Readiness) -> Duration {
            self.does.store(does, Ordering::Relaxed);
            let begun = Instant::now();
            while self.health.readiness() != expected {
                assert!(begun.elapsed() < Duration::from_mins(1), "it stays");
                sleep(Duration::from_millis(10)).await;
            }
            begun.elapsed()
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            self.task.abort();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_away_is_said_within_seconds_and_so_is_its_return() {
        let watched = Watched::start(Need::Required);
        watched.becomes(ANSWERS, Readiness::Ready).await;
        for away in [REFUSES, SILENT] {
            let said = watched.becomes(away, Readiness::NotReady).await;
            assert!((Duration::from_secs(1)..=Duration::from_secs(4)).contains(&said), "{said:?}");
            let back = watched.becomes(ANSWERS, Readiness::Ready).await;
            assert!(back <= Duration::from_secs(2), "{back:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_fails_is_no_reason() {
        let watched = Watched::start(Need::Required);
        watched.becomes(ANSWERS, Readiness::Ready).await;
        for away in [REFUSES, SILENT] {
            watched.does.store(away, Ordering::Relaxed);
            sleep(PACE.every + Duration::from_millis(10)).await;
            watched.does.store(ANSWERS, Ordering::Relaxed);
            for _ in 0..400 {
                sleep(Duration::from_millis(10)).await;
                assert!(watched.health.is_ready());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_slept_judges_by_what_it_hears_when_it_is_awake() {
        let pace = Pace { bears: Duration::ZERO, ..PACE };
        let dependency = Dependency::new(Health::default(), "database", Need::Required, pace);
        let mut heard = Heard { answered: Instant::now(), failures: 0, usable: None };
        dependency.hear(&mut heard, Ok(()));
        sleep(Duration::from_mins(1)).await;
        dependency.hear(&mut heard, Err("the connection is gone".to_owned()));
        assert!(dependency.health.is_ready());
        dependency.hear(&mut heard, Err("and so is the server".to_owned()));
        assert!(!dependency.health.is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn without_what_is_only_useful_the_process_stays_ready() {
        let watched = Watched::start(Need::Useful);
        watched.becomes(ANSWERS, Readiness::Ready).await;
        watched.does.store(REFUSES, Ordering::Relaxed);
        sleep(Duration::from_secs(10)).await;
        assert!(watched.health.is_ready());
        assert_eq!(watched.health.says("database").as_deref(), Some("degraded: refused"));
    }
}
