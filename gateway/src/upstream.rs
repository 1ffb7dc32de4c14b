//! A service behind the gateway, in one or several processes, and what becomes of a request that is handed on to it.
//!
//! What is known of the processes comes from [`watching`](crate::watching) them, never from how long a request takes.
//! **Invariant:** a request is sent a second time only where that can't do anything twice: a read, a command with its key,
//! or one that never left.

mod asking;
mod breaker;
mod client;
mod connection;
mod handed;
mod instance;
mod kept;
mod retries;
mod said;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use service_kit::problem::Problem;
use tokio::time::Instant;

use crate::places::{NoPlace, Places};
use crate::whose::Who;

pub use self::client::{Base, Client, NoBase};

pub(crate) use self::breaker::Phase;
pub(crate) use self::handed::Handed;
pub(crate) use self::instance::{Instance, Instances, Member, State};
pub(crate) use self::said::{no_place, unanswered};

use self::asking::Unanswered;
use self::retries::Budget;
use self::said::refused;

/// How long a request waits for a process that stands by to take over: the four seconds of a lease, and a start.
const TAKEOVER_WITHIN: Duration = Duration::from_secs(8);
/// How long it waits at least before all are asked again.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// How a service is asked.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// How long a request may be under way.
    pub deadline: Duration,
    /// How many may be under way at the same time; one more is told to come again.
    pub most_in_flight: usize,
}

/// One service.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) name: &'static str,
    pub(crate) instances: Instances,
    pub(crate) client: Client,
    policy: Policy,
    takeover_within: Duration,
    places: Places,
    budget: Budget,
    /// Whether any process of it was ready since this one began.
    pub(crate) was_there: AtomicBool,
}

/// A request on its way, and what is to be said of it if nobody answers it any more.
struct Going {
    request: Handed,
    ends: Instant,
    /// Whether whoever is late may be so without a reason: it was given a moment only.
    short: bool,
    /// It may have been carried out: no other that is merely away covers that up.
    unknown: Option<Problem>,
    /// What the last one said, or what is said of the last one.
    last: Option<Response>,
    /// Whether somebody was asked in vain, who may be back in a moment.
    in_vain: bool,
    /// For how long nobody is asked, of those who were not asked.
    shut_for: Option<Duration>,
}

impl Upstream {
    /// The service whose processes are here, of which nothing is known yet.
    pub(crate) fn new(
        name: &'static str,
        bases: Vec<Base>,
        client: Client,
        policy: Policy,
    ) -> Self {
        Self {
            name,
            instances: Instances::new(name, bases),
            client,
            policy,
            takeover_within: TAKEOVER_WITHIN,
            places: Places::of(policy.most_in_flight),
            budget: Budget::default(),
            was_there: AtomicBool::new(false),
        }
    }

    /// Hands a request on and its answer back. Where a process is away or stands by, the next one is asked; and where one
    /// turns out to be while the request is there, the request goes to another that is ready. Where nobody took it and one
    /// stands by, it waits until that one has taken over.
    pub(crate) async fn hand_on(&self, mut request: Handed, who: Who<'_>) -> Response {
        let Handed { method, path, headers, .. } = &mut request;
        let _place = match self.places.take(method, path, headers, who) {
            Ok(place) => place,
            Err(none) => return no_place(self.name, none).into_response(),
        };
        self.budget.deposit();
        self.hand_on_within(request, self.policy.deadline).await
    }

    /// What is said as long as it has all that it may have.
    pub(crate) fn refusal(&self, method: &Method, path: &str) -> Option<Problem> {
        self.places.is_full(method, path).then(|| no_place(self.name, NoPlace::Full))
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.places.in_flight()
    }

    async fn hand_on_within(&self, request: Handed, deadline: Duration) -> Response {
        let now = Instant::now();
        let ends = now + deadline;
        let taken_over_by = ends.min(now + self.takeover_within);
        let short = deadline < self.policy.deadline;
        let (unknown, last, in_vain, shut_for) = (None, None, false, None);
        let mut going = Going { request, ends, short, unknown, last, in_vain, shut_for };
        let mut again = 0;
        loop {
            if let Some(answer) = self.ask_all(&mut going).await {
                return answer;
            }
            if self.is_taken_over(taken_over_by).await {
                continue;
            }
            let may_be_there = going.request.may_repeat() || going.unknown.is_none();
            let may = again < retries::MOST && going.in_vain && may_be_there;
            if !may || !self.tries_again(again, ends).await {
                return self.nobody(going);
            }
            again += 1;
            going.in_vain = false;
        }
    }

    /// The answer of the first that takes a request.
    async fn ask_all(&self, going: &mut Going) -> Option<Response> {
        let mut order = self.instances.in_turn();
        while let Some(instance) = order.pop_front() {
            let pass = match instance.breaker.admit() {
                Ok(pass) => pass,
                Err(shut) => {
                    going.shut_for = Some(going.shut_for.map_or(shut, |other| other.min(shut)));
                    continue;
                }
            };
            let _counted = instance.takes_one();
            let asked = self.client.ask((&instance, self.name), &going.request, going.ends);
            let asked = tokio::select! {
                biased;
                asked = asked => asked,
                () = self.instances.given_up(&instance), if going.request.may_repeat() => {
                    going.unknown = Some(self.unanswered(going.request.is_command()));
                    // Also who stood by before: it may have taken over.
                    order = self.instances.in_turn();
                    order.retain(|other| !Arc::ptr_eq(other, &instance));
                    continue;
                }
            };
            if !asked.as_ref().is_err_and(|why| why.tells_nothing(going.short)) {
                let is_answer = matches!(asked, Ok(_) | Err(Unanswered::Standby(_)));
                let away = matches!(asked, Err(Unanswered::NoConnection(_)));
                let changed = if is_answer { pass.answered() } else { pass.failed(away) };
                if changed {
                    self.tell_breaker(&instance);
                }
            }
            if let Some(answer) = self.heard(going, &instance, asked) {
                return Some(answer);
            }
        }
        None
    }

    /// What the client is answered, if this was the last word.
    fn heard(
        &self,
        going: &mut Going,
        instance: &Arc<Instance>,
        asked: Result<Response, Unanswered>,
    ) -> Option<Response> {
        match asked {
            // Who has just taken over may not be able to yet.
            Ok(answer) if going.unknown.is_some() && is_unavailable(&answer) => {
                going.last = Some(answer);
                going.in_vain = true;
            }
            Ok(answer) => return Some(answer),
            Err(Unanswered::Standby(answer)) => {
                self.instances.is_now(instance, State::StandsBy);
                going.last = Some(*answer);
            }
            Err(why) => {
                tracing::debug!(upstream = self.name, error = %why, "a request was not answered");
                let left = why.left();
                let late = matches!(why, Unanswered::Late);
                // What never left is not carried out; of the rest only a repeat under the same key tells.
                let answer = self.unanswered(going.request.is_command() && left);
                if matches!(why, Unanswered::NoConnection(_) | Unanswered::Broken(_)) {
                    self.instances.is_now(instance, State::Away);
                }
                going.in_vain |= !late;
                if !left {
                    going.last.get_or_insert_with(|| answer.into_response());
                } else if going.request.may_repeat() && !late {
                    going.unknown = Some(answer);
                } else {
                    return Some(answer.into_response());
                }
            }
        }
        None
    }

    /// What is said when nobody takes a request.
    fn nobody(&self, going: Going) -> Response {
        let covers = going.request.is_command() || going.last.is_none();
        if let Some(unknown) = going.unknown.filter(|_| covers) {
            return unknown.into_response();
        }
        if let Some(last) = going.last {
            return last;
        }
        let shut_for = going.shut_for.unwrap_or_default().as_secs_f64().ceil().max(1.0);
        if going.shut_for.is_some() {
            refused(self.name, "breaker_open");
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds, few")]
        self.unanswered(false).retry_after(shut_for as u32).into_response()
    }

    /// Waits a moment where a request that nobody answered may be tried again; there has to be somebody to try.
    async fn tries_again(&self, again: u32, ends: Instant) -> bool {
        let pause = retries::pause(again);
        if self.all_are_shut_out() || Instant::now() + pause >= ends {
            return false;
        }
        let may = self.budget.withdraw();
        let labels = [("upstream", self.name), ("outcome", if may { "sent" } else { "no_budget" })];
        metrics::counter!("docket_gateway_retries_total", &labels).increment(1);
        if may {
            tokio::time::sleep(pause).await;
        }
        may
    }

    fn all_are_shut_out(&self) -> bool {
        self.instances.all().iter().all(|one| one.instance.breaker.phase() == Phase::Open)
    }

    /// Whether a process is ready in time, after nobody took a request; there has to be one that stands by.
    async fn is_taken_over(&self, by: Instant) -> bool {
        if !self.instances.one_stands_by() || Instant::now() + ASK_AGAIN >= by {
            return false;
        }
        tokio::time::sleep(ASK_AGAIN).await;
        tokio::time::timeout_at(by, self.instances.one_is_ready()).await.is_ok()
    }

    /// Reads from a process that answers with JSON within this time, if there is one.
    pub(crate) async fn get_json(&self, path: &'static str, within: Duration) -> Option<Value> {
        let answer = self.hand_on_within(Handed::get(path), within).await;
        if !answer.status().is_success() {
            return None;
        }
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.ok()?;
        serde_json::from_slice(&body).ok()
    }

    /// Says that a breaker opened or closed.
    pub(crate) fn tell_breaker(&self, instance: &Instance) {
        let (phase, at) = (instance.breaker.phase(), instance.base.name());
        if phase == Phase::Closed {
            tracing::info!(upstream = self.name, at, "it answers: requests go there again");
        } else {
            tracing::warn!(upstream = self.name, at, "it answers nothing: no request goes there");
            let labels = [("upstream", self.name)];
            metrics::counter!("docket_gateway_breaker_opens_total", &labels).increment(1);
        }
        self.instances.breaker_changed();
        self.show(instance);
    }

    /// Shows the state of a breaker.
    pub(crate) fn show(&self, instance: &Instance) {
        let labels = [("upstream", self.name.to_owned()), ("instance", instance.base.name())];
        let state = match instance.breaker.phase() {
            Phase::Closed => 0.0,
            Phase::HalfOpen => 1.0,
            Phase::Open => 2.0,
        };
        metrics::gauge!("docket_gateway_breaker_state", &labels).set(state);
    }

    fn unanswered(&self, may_be_done: bool) -> Problem {
        unanswered(self.name, may_be_done)
    }
}

fn is_unavailable(answer: &Response) -> bool {
    answer.status() == StatusCode::SERVICE_UNAVAILABLE
}

#[cfg(test)]
mod tests;
