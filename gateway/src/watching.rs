//! Every process behind the gateway is asked by itself whether it is ready, again and again, and told in the gateway's health.
//!
//! **Invariant:** one that hangs holds up nobody: neither the others' questions, nor a request. It may take a second to answer,
//! whatever a request may take.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use service_kit::dependency::Need;
use service_kit::health::Health;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::upstream::{State, Upstream};

/// How often a process is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long it may take to answer: it waits for nothing to do so.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Asks every process of a service until the set is dropped. What the gateway is without any of them, `need` says.
pub(crate) fn watch(
    tasks: &mut JoinSet<()>,
    upstream: &Arc<Upstream>,
    health: &Health,
    need: Need,
) {
    upstream.tell(health, need);
    for process in 0..upstream.bases.len() {
        let (upstream, health) = (Arc::clone(upstream), health.clone());
        tasks.spawn(async move {
            let mut ticks = interval(ASK_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                upstream.look(process).await;
                upstream.tell(&health, need);
            }
        });
    }
}

impl Upstream {
    /// Asks one process once.
    pub(crate) async fn look(&self, process: usize) {
        let before = self.states.borrow()[process];
        let state = match (self.heard_of(process).await, before) {
            (State::Silent, State::Ready) => State::Late,
            (state, _) => state,
        };
        if self.is_now(process, state) {
            let (name, at) = (self.name, &self.bases[process]);
            tracing::info!(upstream = name, at, "it {}", state.word());
        }
    }

    async fn heard_of(&self, process: usize) -> State {
        let asked = self.client.get(format!("{}/health/ready", self.bases[process]));
        let answer = match asked.timeout(ANSWER_WITHIN).send().await {
            Ok(answer) if answer.status().is_success() => return State::Ready,
            Ok(answer) => answer.bytes().await,
            Err(error) => Err(error),
        };
        match answer {
            Ok(body) => {
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                if body["status"] == "standby" { State::StandsBy } else { State::NotReady }
            }
            Err(error) if error.is_timeout() => State::Silent,
            Err(_) => State::Away,
        }
    }

    /// Says in the health how the service is. That one process was late once is no reason.
    fn tell(&self, health: &Health, need: Need) {
        let states = self.states.borrow().clone();
        if states.iter().any(|state| matches!(state, State::Ready | State::Late)) {
            health.up(self.name);
            return;
        }
        let words: Vec<&str> = states.iter().map(|state| state.word()).collect();
        let why = words.join("; another ");
        match need {
            Need::Required => health.down(self.name, why),
            Need::Useful => health.degraded(self.name, format!("degraded: {why}")),
        }
    }
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
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::any;
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::upstream::client;

    /// A process that says this of itself; its address.
    async fn process(status: StatusCode, word: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = async move || (status, axum::Json(json!({ "status": word })));
        let router = Router::new().fallback(any(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn upstream(bases: Vec<String>) -> Arc<Upstream> {
        let deadline = Duration::from_mins(1);
        Arc::new(Upstream::new("service", bases, client(deadline).unwrap(), deadline))
    }

    #[tokio::test]
    async fn every_process_is_watched_by_itself_also_beside_one_that_hangs() {
        // Its connections are taken by the kernel, and nobody answers: as those of a process that is paused.
        let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let upstream = upstream(vec![
            format!("http://{}", hangs.local_addr().unwrap()),
            process(unavailable, "standby").await,
            process(unavailable, "not_ready").await,
            process(StatusCode::OK, "ready").await,
        ]);
        let health = Health::default();
        let mut tasks = JoinSet::new();
        watch(&mut tasks, &upstream, &health, Need::Required);
        assert!(!health.is_ready());
        let mut states = upstream.states.subscribe();
        let known = [State::StandsBy, State::NotReady, State::Ready];
        states.wait_for(|states| states[1..] == known).await.unwrap();
        assert_eq!(upstream.states.borrow()[0], State::Unknown, "the others did not wait for it");
        states.wait_for(|states| states[0] == State::Silent).await.unwrap();
        assert!(health.is_ready());
    }

    #[tokio::test]
    async fn being_late_once_is_no_reason_to_call_the_service_down() {
        let upstream = upstream(vec!["http://127.0.0.1:9".to_owned()]);
        let health = Health::default();
        for (state, ready) in [(State::Ready, true), (State::Late, true), (State::Silent, false)] {
            upstream.is_now(0, state);
            upstream.tell(&health, Need::Required);
            assert_eq!(health.is_ready(), ready, "{state:?}");
        }
        assert_eq!(health.says("service").as_deref(), Some("does not answer"));
        upstream.tell(&health, Need::Useful);
        assert_eq!(health.says("service").as_deref(), Some("degraded: does not answer"));
        assert!(health.is_ready());
    }
}
