//! The processes of a service, as far as they are known, and which of them is asked first.
//!
//! **Invariant:** what is known comes from watching them and from connections that were not made, never from how long a request takes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::breaker::{Breaker, Phase};
use super::client::Base;
use super::kept::Kept;

/// What a process is, as far as is known: who may be asked first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It does what it is for.
    Ready,
    /// Nobody asked it yet.
    Unknown,
    /// It says at once that another does.
    StandsBy,
    /// It is there, and something that it needs is not.
    NotReady,
    /// It was ready, and did not answer in time once.
    Late,
    /// It is not there.
    Away,
    /// It does not answer, as one that is paused: a request may hang there.
    Silent,
    /// It was asked to end, and said so. What would be sent there now might meet the end of its connection, and nobody could tell whether
    /// that was read.
    Ending,
}

/// One process.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) base: Base,
    pub(crate) breaker: Breaker,
    /// Connections to it that nobody uses.
    pub(super) kept: Arc<Kept>,
    in_flight: AtomicUsize,
    /// By how many milliseconds it was behind the log when it was asked last.
    behind_ms: AtomicU64,
}

/// Counts a request that is with a process.
pub(crate) struct InFlight<'i>(&'i AtomicUsize);

impl Instance {
    pub(crate) fn new(base: Base) -> Self {
        Self {
            base,
            breaker: Breaker::default(),
            kept: Arc::default(),
            in_flight: AtomicUsize::new(0),
            behind_ms: AtomicU64::new(0),
        }
    }

    /// A request is with it until this is dropped.
    pub(crate) fn takes_one(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    /// It says how far behind the log it is.
    pub(crate) fn is_behind_by(&self, behind: Duration) {
        let milliseconds = u64::try_from(behind.as_millis()).unwrap_or(u64::MAX);
        self.behind_ms.store(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A process and what it is.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) instance: Arc<Instance>,
    pub(crate) state: State,
}

impl Member {
    fn new(base: Base) -> Self {
        Self { instance: Arc::new(Instance::new(base)), state: State::Unknown }
    }
}

/// The processes of one service.
#[derive(Debug)]
pub(crate) struct Instances {
    service: &'static str,
    members: watch::Sender<Vec<Member>>,
    /// Whose turn it is.
    turn: AtomicUsize,
}

impl Instances {
    pub(crate) fn new(service: &'static str, bases: Vec<Base>) -> Self {
        let members = watch::Sender::new(bases.into_iter().map(Member::new).collect());
        Self { service, members, turn: AtomicUsize::new(0) }
    }

    /// They are at these addresses now. Those that were known stay what they were.
    pub(crate) fn are_at(&self, bases: &[Base]) {
        let changed = self.members.send_if_modified(|members| {
            let known = members.iter().map(|member| &member.instance.base);
            if known.eq(bases) {
                return false;
            }
            let of = |base: &Base| {
                let known = members.iter().find(|member| member.instance.base == *base);
                known.cloned().unwrap_or_else(|| Member::new(base.clone()))
            };
            *members = bases.iter().map(of).collect();
            true
        });
        if changed {
            let at: Vec<String> = bases.iter().map(Base::name).collect();
            tracing::info!(
                upstream = self.service,
                at = at.join(", "),
                "its processes are here now"
            );
        }
    }

    /// How far behind the log the one is that does the work, or would, as it says itself. Where nobody is there, nothing: a write
    /// that waits helps nobody to catch up.
    pub(crate) fn behind(&self) -> Duration {
        let members = self.members.borrow();
        let of = |is: fn(State) -> bool| {
            let members = members.iter().filter(|member| is(member.state));
            members.map(|member| member.instance.behind_ms.load(Ordering::Relaxed)).max()
        };
        let works = of(|state| matches!(state, State::Ready | State::Late));
        let would = || of(|state| state == State::NotReady);
        Duration::from_millis(works.or_else(would).unwrap_or_default())
    }

    /// Whether a process is still one of them.
    pub(crate) fn has(&self, instance: &Arc<Instance>) -> bool {
        self.members.borrow().iter().any(|member| Arc::ptr_eq(&member.instance, instance))
    }

    /// Who is told when any of them changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Vec<Member>> {
        self.members.subscribe()
    }

    /// All of them, as they are now.
    pub(crate) fn all(&self) -> Vec<Member> {
        self.members.borrow().clone()
    }

    /// What is known of one.
    pub(crate) fn state_of(&self, instance: &Arc<Instance>) -> State {
        let members = self.members.borrow();
        let known = members.iter().find(|member| Arc::ptr_eq(&member.instance, instance));
        known.map_or(State::Unknown, |member| member.state)
    }

    /// Every process once but those that end: those that are ready before the others. Of several that are as ready, one whose turn it is and another
    /// by chance are looked at, and who of the two has less to do comes first.
    pub(crate) fn in_turn(&self) -> VecDeque<Arc<Instance>> {
        let members = self.members.borrow();
        let count = members.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let order = members[turn..].iter().chain(&members[..turn]);
        let order = order.filter(|member| member.state != State::Ending);
        let mut order: Vec<_> = order.map(|member| (rank(member), &member.instance)).collect();
        order.sort_by_key(|(rank, _)| *rank);
        let best = order.iter().take_while(|(rank, _)| *rank == order[0].0).count();
        if best > 1 {
            let other = fastrand::usize(1..best);
            if order[other].1.in_flight() < order[0].1.in_flight() {
                order.swap(0, other);
            }
        }
        order.into_iter().map(|(_, instance)| Arc::clone(instance)).collect()
    }

    /// Keeps what was heard of a process; true when it is news.
    pub(crate) fn is_now(&self, instance: &Arc<Instance>, state: State) -> bool {
        let mut before = None;
        let news = self.members.send_if_modified(|members| {
            let known = |member: &&mut Member| Arc::ptr_eq(&member.instance, instance);
            let Some(member) = members.iter_mut().find(known) else { return false };
            before = Some(std::mem::replace(&mut member.state, state));
            before != Some(state)
        });
        if news && before == Some(State::Ready) {
            let labels = [("upstream", self.service), ("reason", state.label())];
            metrics::counter!("docket_gateway_ejections_total", &labels).increment(1);
        }
        news
    }

    /// Whether one waits to take over.
    pub(crate) fn one_stands_by(&self) -> bool {
        self.members.borrow().iter().any(stands_by)
    }

    /// Returns when one is ready.
    pub(crate) async fn one_is_ready(&self) {
        let is_ready = |members: &Vec<Member>| members.iter().any(is_ready);
        // Whoever tells of them lives as long as this.
        drop(self.subscribe().wait_for(is_ready).await);
    }

    /// Says that a breaker of one of them opened or closed.
    pub(crate) fn breaker_changed(&self) {
        self.members.send_modify(|_| {});
    }

    /// Returns when this process is not ready, or no more one of them, and another is; or when it answers nothing any more, and none
    /// stands by that would take over.
    pub(crate) async fn given_up(&self, instance: &Arc<Instance>) {
        let given_up = |members: &Vec<Member>| {
            let ready = || members.iter().filter(|member| is_ready(member));
            let is_it = |member: &&Member| Arc::ptr_eq(&member.instance, instance);
            let outlived = ready().next().is_some() && !ready().any(|member| is_it(&member));
            let it = members.iter().find(is_it);
            let is_silent = it.is_some_and(|it| it.state == State::Silent && is_shut_out(it));
            outlived || is_silent && !members.iter().any(stands_by)
        };
        drop(self.subscribe().wait_for(given_up).await);
    }
}

fn is_ready(member: &Member) -> bool {
    member.state == State::Ready
}

fn stands_by(member: &Member) -> bool {
    member.state == State::StandsBy
}

fn is_shut_out(member: &Member) -> bool {
    member.instance.breaker.phase() == Phase::Open
}

fn rank(member: &Member) -> (bool, State) {
    (is_shut_out(member), member.state)
}

impl State {
    /// What it does, after "it".
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ready => "is ready",
            Self::Unknown => "was not asked yet",
            Self::StandsBy => "stands by",
            Self::NotReady => "is not ready",
            Self::Late => "is late to answer",
            Self::Away => "is not there",
            Self::Silent => "does not answer",
            Self::Ending => "ends",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unknown => "unknown",
            Self::StandsBy => "stands_by",
            Self::NotReady => "not_ready",
            Self::Late => "late",
            Self::Away => "away",
            Self::Silent => "silent",
            Self::Ending => "ending",
        }
    }
}
