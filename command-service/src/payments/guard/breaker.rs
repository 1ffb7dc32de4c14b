//! The circuit breaker: while a provider does not answer, it is asked one question at a time, less and less often.
//!
//! It counts the last questions that ended. When too many of them had no answer it opens; after a rest one question is
//! let through, and its answer closes the breaker or makes the rest longer. It knows no payment.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// When the breaker opens, and how long it rests.
#[derive(Debug, Clone)]
pub struct BreakerSettings {
    /// How many of the last questions count.
    pub window: usize,
    /// How many of them there have to be.
    pub least: usize,
    /// It opens when so many of a hundred had no answer.
    pub opens_at_percent: usize,
    /// How long nobody is asked after it opened; doubles each time that the question after it has no answer either.
    pub rest_first: Duration,
    /// The longest rest.
    pub rest_most: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: 20,
            least: 10,
            opens_at_percent: 50,
            rest_first: Duration::from_secs(2),
            rest_most: Duration::from_secs(30),
        }
    }
}

/// The breaker of one provider.
#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    state: Mutex<State>,
    /// Whether everybody may ask.
    closed: watch::Sender<bool>,
}

#[derive(Debug)]
enum State {
    /// Everybody may ask; whether the last questions had an answer.
    Closed { answered: VecDeque<bool> },
    /// Nobody may ask until then.
    Open { until: Instant, rest: Duration },
    /// One question is out, and decides.
    HalfOpen { rest: Duration },
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen { .. } => "half_open",
        }
    }
}

/// Leave to ask one question. Given up without an answer it decides nothing.
#[derive(Debug)]
pub(super) struct Leave<'b> {
    breaker: &'b Breaker,
    /// The breaker rested: the answer decides.
    is_trial: bool,
    ended: bool,
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings) -> Self {
        let breaker =
            Self { settings, state: Mutex::new(closed()), closed: watch::Sender::new(true) };
        tell(&breaker.state());
        breaker
    }

    /// Whether everybody may ask, as it changes.
    pub(super) fn closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Leave to ask now, or how long nobody is asked at least.
    pub(super) fn enter(&self) -> Result<Leave<'_>, Duration> {
        let mut state = self.state();
        let is_trial = match &*state {
            State::Closed { .. } => false,
            State::HalfOpen { .. } => return Err(Duration::ZERO),
            State::Open { until, rest } => {
                let left = until.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    return Err(left);
                }
                let rest = *rest;
                self.turn(&mut state, State::HalfOpen { rest });
                true
            }
        };
        Ok(Leave { breaker: self, is_trial, ended: false })
    }

    fn answered(&self, is_trial: bool, had_answer: bool) {
        let mut state = self.state();
        let next = match &mut *state {
            State::HalfOpen { .. } if is_trial && had_answer => closed(),
            State::HalfOpen { rest } if is_trial => open((*rest * 2).min(self.settings.rest_most)),
            State::Closed { answered } => {
                answered.push_back(had_answer);
                if answered.len() > self.settings.window {
                    answered.pop_front();
                }
                let failed = answered.iter().filter(|had_answer| !**had_answer).count();
                let too_many = failed * 100 >= answered.len() * self.settings.opens_at_percent;
                if had_answer || answered.len() < self.settings.least || !too_many {
                    return;
                }
                open(self.settings.rest_first)
            }
            // Asked before it opened: what came of it is no news.
            State::Open { .. } | State::HalfOpen { .. } => return,
        };
        self.turn(&mut state, next);
    }

    fn turn(&self, state: &mut State, next: State) {
        turn(state, next);
        self.closed.send_replace(matches!(state, State::Closed { .. }));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// The question had an answer or none.
    pub(super) fn ends(mut self, had_answer: bool) {
        self.ended = true;
        self.breaker.answered(self.is_trial, had_answer);
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.ended || !self.is_trial {
            return;
        }
        let mut state = self.breaker.state();
        if let State::HalfOpen { rest } = *state {
            self.breaker.turn(&mut state, State::Open { until: Instant::now(), rest });
        }
    }
}

fn open(rest: Duration) -> State {
    State::Open { until: Instant::now() + rest, rest }
}

fn closed() -> State {
    State::Closed { answered: VecDeque::new() }
}

fn turn(state: &mut State, next: State) {
    let to = next.name();
    metrics::counter!("docket_provider_breaker_changes_total", "to" => to).increment(1);
    match &next {
        State::Closed { .. } => tracing::info!("the payment provider answers again"),
        State::Open { rest, .. } => {
            tracing::warn!(
                ?rest,
                "the payment provider does not answer; it is not asked for a while"
            );
        }
        State::HalfOpen { .. } => tracing::debug!("the payment provider is asked one question"),
    }
    *state = next;
    tell(state);
}

fn tell(state: &State) {
    for name in ["closed", "open", "half_open"] {
        let is_it = f64::from(u8::from(state.name() == name));
        metrics::gauge!("docket_provider_breaker", "state" => name).set(is_it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings { window: 4, least: 4, ..BreakerSettings::default() })
    }

    fn ask(breaker: &Breaker, had_answer: bool) {
        breaker.enter().unwrap().ends(had_answer);
    }

    fn opened() -> Breaker {
        let breaker = breaker();
        for _ in 0..4 {
            ask(&breaker, false);
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_when_half_of_the_last_questions_had_no_answer_and_not_before() {
        let breaker = breaker();
        for had_answer in [false, false, true] {
            ask(&breaker, had_answer);
        }
        assert!(breaker.enter().is_ok(), "three questions tell nothing");
        for had_answer in [true, true, true, true, false] {
            ask(&breaker, had_answer);
        }
        assert!(breaker.enter().is_ok(), "one of four");
        ask(&breaker, false);
        assert_eq!(breaker.enter().unwrap_err(), BreakerSettings::default().rest_first);
    }

    #[tokio::test(start_paused = true)]
    async fn who_watches_it_sees_that_it_is_open_until_a_question_was_answered() {
        let breaker = opened();
        let closed = breaker.closed();
        assert!(!*closed.borrow());
        tokio::time::advance(Duration::from_secs(2)).await;
        let trial = breaker.enter().unwrap();
        assert!(!*closed.borrow(), "one question is let through");
        trial.ends(true);
        assert!(*closed.borrow());
    }

    #[tokio::test(start_paused = true)]
    async fn after_its_rest_one_question_is_let_through_and_decides() {
        let breaker = opened();
        tokio::time::advance(Duration::from_secs(2)).await;
        let trial = breaker.enter().unwrap();
        assert_eq!(breaker.enter().unwrap_err(), Duration::ZERO, "one at a time");
        trial.ends(false);
        assert_eq!(breaker.enter().unwrap_err(), Duration::from_secs(4), "a longer rest");
        tokio::time::advance(Duration::from_secs(4)).await;
        ask(&breaker, true);
        for _ in 0..3 {
            ask(&breaker, false);
        }
        assert!(breaker.enter().is_ok(), "what was before is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn no_rest_is_longer_than_the_longest() {
        let breaker = opened();
        for _ in 0..10 {
            tokio::time::advance(Duration::from_secs(30)).await;
            ask(&breaker, false);
        }
        assert_eq!(breaker.enter().unwrap_err(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trial_that_nobody_waits_for_makes_room_for_the_next() {
        let breaker = opened();
        tokio::time::advance(Duration::from_secs(2)).await;
        drop(breaker.enter().unwrap());
        ask(&breaker, true);
        assert!(breaker.enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_before_it_opened_decides_nothing_afterwards() {
        let breaker = breaker();
        let early: Vec<_> = (0..6).map(|_| breaker.enter().unwrap()).collect();
        let mut early = early.into_iter();
        for leave in early.by_ref().take(4) {
            leave.ends(false);
        }
        early.next().unwrap().ends(true);
        assert!(breaker.enter().is_err(), "an answer from before does not close it");
        tokio::time::advance(Duration::from_secs(2)).await;
        let trial = breaker.enter().unwrap();
        early.next().unwrap().ends(true);
        assert!(breaker.enter().is_err(), "the trial decides");
        trial.ends(true);
        assert!(breaker.enter().is_ok());
    }
}
