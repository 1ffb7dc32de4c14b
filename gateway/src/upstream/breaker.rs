//! The circuit breaker of one process: while it answers nothing, nobody is made to wait for it.
//!
//! It hears of two things: what became of requests, and whether the process answers when it is
//! [asked how it does](crate::watching). The second is the trial of an open breaker, so that no client's request has to be. A kept
//! library would do for the first alone, and tells nobody its state.
//!
//! **Invariant:** it opens only after so many failures in a row without an answer between them, and an answer closes it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// It opens after so many requests in a row that were not answered.
const REQUESTS_IN_VAIN: u32 = 5;
/// Or after so many questions how it does.
const LOOKS_IN_VAIN: u32 = 3;
/// For how long it is open at first, and at most, while the process answers when it is asked how it does.
const OPEN_FOR: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// What it lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Everything.
    Closed,
    /// One request, as a trial.
    HalfOpen,
    /// Nothing.
    Open,
}

/// One breaker.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Requests in a row that were not answered.
    requests: u32,
    /// Questions how it does in a row that were not answered.
    looks: u32,
    open: Option<Open>,
    /// How often it was opened since a request was answered.
    times: u32,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    /// Whether a request is let through as a trial now.
    trial: bool,
}

/// The leave to send one request. What became of it is to be said; nothing is learned of one that is dropped.
#[derive(Debug)]
pub(crate) struct Pass<'b> {
    breaker: &'b Breaker,
    trial: bool,
}

impl Breaker {
    /// Leave to send a request; or for how long there is none, as far as is known.
    pub(crate) fn admit(&self) -> Result<Pass<'_>, Duration> {
        let mut known = self.known();
        let trial = match known.phase() {
            Phase::Closed => false,
            Phase::HalfOpen => true,
            Phase::Open => {
                let open = known.open.map_or(Duration::ZERO, |open| open.until - Instant::now());
                return Err(open.max(OPEN_FOR.0));
            }
        };
        if let Some(open) = &mut known.open {
            open.trial = trial;
        }
        Ok(Pass { breaker: self, trial })
    }

    /// The process was asked how it does. True when the breaker opened or closed of it.
    pub(crate) fn looked(&self, answers: bool) -> bool {
        let mut known = self.known();
        if !answers {
            known.looks = known.looks.saturating_add(1);
            return known.looks >= LOOKS_IN_VAIN && known.opens();
        }
        // Back after it was away: it is as new. One that answered all the while has to bide its time.
        let was_away = std::mem::take(&mut known.looks) > 0;
        let closes = was_away && known.open.is_some();
        if closes {
            *known = Known::default();
        }
        closes
    }

    /// What it lets through now.
    pub(crate) fn phase(&self) -> Phase {
        self.known().phase()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Numbers are whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn phase(&self) -> Phase {
        match self.open {
            None => Phase::Closed,
            Some(open) if open.trial || self.looks > 0 || Instant::now() < open.until => {
                Phase::Open
            }
            Some(_) => Phase::HalfOpen,
        }
    }

    /// True when it was closed.
    fn opens(&mut self) -> bool {
        let longer = OPEN_FOR.0.saturating_mul(1 << self.times.min(8));
        let until = Instant::now() + longer.min(OPEN_FOR.1);
        self.times = self.times.saturating_add(1);
        self.open.replace(Open { until, trial: false }).is_none()
    }
}

impl Pass<'_> {
    /// It was answered, whatever the answer was. True when the breaker closed of it.
    pub(crate) fn answered(self) -> bool {
        let mut known = self.breaker.known();
        let closes = known.open.is_some();
        *known = Known::default();
        closes
    }

    /// It was not. True when the breaker opened of it. One that was `away` is back as soon as it answers when it is asked how it does.
    pub(crate) fn failed(mut self, away: bool) -> bool {
        let mut known = self.breaker.known();
        known.requests = known.requests.saturating_add(1);
        if away {
            known.looks = known.looks.max(1);
        }
        if std::mem::take(&mut self.trial) {
            known.opens();
            return false;
        }
        // What was let through before it opened prolongs nothing.
        known.open.is_none() && known.requests >= REQUESTS_IN_VAIN && known.opens()
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.trial
            && let Some(open) = &mut self.breaker.known().open
        {
            open.trial = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(breaker: &Breaker, times: u32) {
        for _ in 0..times {
            breaker.admit().unwrap().failed(false);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_and_not_before() {
        let breaker = Breaker::default();
        fail(&breaker, REQUESTS_IN_VAIN - 1);
        assert!(!breaker.admit().unwrap().answered());
        fail(&breaker, REQUESTS_IN_VAIN - 1);
        assert_eq!(breaker.phase(), Phase::Closed);
        assert!(breaker.admit().unwrap().failed(false), "it says that it opens");
        assert_eq!(breaker.admit().unwrap_err(), OPEN_FOR.0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_is_one_request_and_its_answer_closes() {
        let breaker = Breaker::default();
        fail(&breaker, REQUESTS_IN_VAIN);
        tokio::time::advance(OPEN_FOR.0).await;
        assert_eq!(breaker.phase(), Phase::HalfOpen);
        let trial = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "one at a time");
        drop(trial);
        let trial = breaker.admit().unwrap();
        assert!(trial.answered(), "it says that it closes");
        assert_eq!(breaker.phase(), Phase::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_in_vain_opens_it_for_longer_each_time_up_to_the_most() {
        let breaker = Breaker::default();
        fail(&breaker, REQUESTS_IN_VAIN);
        for seconds in [1, 2, 4, 8, 15, 15] {
            tokio::time::advance(Duration::from_millis(seconds * 1_000 - 1)).await;
            assert_eq!(breaker.phase(), Phase::Open, "{seconds}");
            tokio::time::advance(Duration::from_millis(1)).await;
            breaker.admit().unwrap().failed(false);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_away_is_asked_how_it_does_and_no_client_has_to_try() {
        let breaker = Breaker::default();
        assert!(!breaker.looked(false));
        assert!(!breaker.looked(false));
        assert!(breaker.looked(false), "it says that it opens");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(breaker.phase(), Phase::Open);
        assert!(breaker.looked(true), "it says that it closes");
        assert_eq!(breaker.phase(), Phase::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_that_it_does_well_and_answers_no_request_is_kept_out_all_the_same() {
        let breaker = Breaker::default();
        for _ in 0..REQUESTS_IN_VAIN {
            breaker.looked(true);
            breaker.admit().unwrap().failed(false);
        }
        assert!(!breaker.looked(true));
        assert_eq!(breaker.phase(), Phase::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_who_still_answers_requests_is_away_however_busy() {
        let breaker = Breaker::default();
        for _ in 0..10 {
            breaker.looked(false);
            breaker.looked(false);
            breaker.admit().unwrap().answered();
        }
        assert_eq!(breaker.phase(), Phase::Closed);
    }
}
