//! Every process behind the gateway is asked by itself whether it is ready, again and again, and told in the gateway's health.
//!
//! **Invariant:** one that hangs holds up nobody: neither the others' questions, nor a request. It may take a second to answer,
//! whatever a request may take.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use service_kit::health::Health;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::upstream::{Instance, Member, State, Upstream};

/// How often a process is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How long it may take to answer: it waits for nothing to do so.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What the gateway is without a service.
#[derive(Debug, Clone)]
pub(crate) enum Without {
    /// Less good.
    LessGood,
    /// Not ready, until it was there once; later only where none of these is there either, and so nobody who could answer anything.
    NotReady {
        /// The others.
        nor: Arc<[Arc<Upstream>]>,
    },
}

/// Asks every process of a service until the set is dropped.
pub(crate) fn watch(
    tasks: &mut JoinSet<()>,
    upstream: &Arc<Upstream>,
    health: &Health,
    without: Without,
) {
    upstream.tell(health, &without);
    tasks.spawn(watch_all(Arc::clone(upstream), health.clone(), without));
}

/// Has a task for each process that there is, also for those that come later.
async fn watch_all(upstream: Arc<Upstream>, health: Health, without: Without) {
    let mut members = upstream.instances.subscribe();
    let mut watched: Vec<Arc<Instance>> = Vec::new();
    let mut tasks = JoinSet::new();
    loop {
        let now = members.borrow_and_update().iter().map(|one| Arc::clone(&one.instance)).collect();
        let before = std::mem::replace(&mut watched, now);
        for instance in &watched {
            if !before.iter().any(|known| Arc::ptr_eq(known, instance)) {
                let (upstream, health) = (Arc::clone(&upstream), health.clone());
                tasks.spawn(watch_one(upstream, Arc::clone(instance), health, without.clone()));
            }
        }
        if members.changed().await.is_err() {
            return;
        }
    }
}

/// Asks one process until it is none of them any more.
async fn watch_one(
    upstream: Arc<Upstream>,
    instance: Arc<Instance>,
    health: Health,
    without: Without,
) {
    let mut ticks = interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while upstream.instances.has(&instance) {
        ticks.tick().await;
        upstream.look(&instance).await;
        upstream.tell(&health, &without);
    }
}

impl Upstream {
    /// Asks one process once.
    pub(crate) async fn look(&self, instance: &Arc<Instance>) {
        let before = self.instances.state_of(instance);
        let (heard, why) = self.heard_of(instance).await;
        let state = match (heard, before) {
            (State::Silent, State::Ready) => State::Late,
            (state, _) => state,
        };
        if self.instances.is_now(instance, state) {
            let at = instance.base.name();
            tracing::info!(upstream = self.name, at, why, "it {}", state.word());
        }
        let answers = !matches!(state, State::Late | State::Away | State::Silent);
        if instance.breaker.looked(answers) {
            self.tell_breaker(instance);
        }
        self.show(instance);
    }

    /// How it does; and why nothing is heard, where that can be told.
    async fn heard_of(&self, instance: &Instance) -> (State, Option<String>) {
        let asked = self.client.look(instance, "/health/ready");
        match timeout(ANSWER_WITHIN, asked).await {
            Ok(Ok((status, body))) => {
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let state = match body["status"].as_str() {
                    _ if status.is_success() => State::Ready,
                    Some("standby") => State::StandsBy,
                    Some("ending") => State::Ending,
                    _ => State::NotReady,
                };
                match (state, body["behind_ms"].as_u64()) {
                    (State::Ready, None) => instance.is_behind_by(Duration::ZERO),
                    (State::Ready | State::NotReady, Some(by)) => {
                        instance.is_behind_by(Duration::from_millis(by));
                    }
                    // Another does the work; or it has just begun, and does not know yet.
                    _ => {}
                }
                (state, None)
            }
            Ok(Err(error)) => (State::Away, Some(cause(&error))),
            Err(_) => (State::Silent, None),
        }
    }

    fn was_there(&self) -> bool {
        self.was_there.load(Ordering::Relaxed)
    }

    /// Whether any process does what it is for, as far as was heard.
    fn is_there(&self) -> bool {
        let there = |one: &Member| matches!(one.state, State::Ready | State::Late);
        self.instances.all().iter().any(there)
    }

    /// Says in the health how the service is. That one process was late once is no reason; nor is it to be ready no more that one
    /// service went away: every gateway lacks it then, and whoever shares requests out would have nobody left to send the rest to.
    fn tell(&self, health: &Health, without: &Without) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge; there are few")]
        let in_flight = self.in_flight() as f64;
        metrics::gauge!("docket_gateway_requests_in_flight", "upstream" => self.name)
            .set(in_flight);
        let members = self.instances.all();
        #[expect(clippy::cast_precision_loss, reason = "a gauge; there are few")]
        let known = members.len() as f64;
        metrics::gauge!("docket_gateway_instances", "upstream" => self.name).set(known);
        if self.is_there() {
            self.was_there.store(true, Ordering::Relaxed);
            health.up(self.name);
            return;
        }
        let words: Vec<&str> = members.iter().map(|one| one.state.word()).collect();
        let why = if words.is_empty() {
            "none was found yet".to_owned()
        } else {
            words.join("; another ")
        };
        match without {
            Without::NotReady { nor }
                if !self.was_there() || !nor.iter().any(|it| it.is_there()) =>
            {
                health.down(self.name, why);
            }
            _ => health.degraded(self.name, format!("degraded: {why}")),
        }
    }
}

/// What is behind an error: that a certificate is not believed, say.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::any;
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::upstream::{Client, Handed, Phase, Policy};
    use crate::whose::Who;

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
        let policy = Policy { deadline: Duration::from_mins(1), most_in_flight: 100 };
        let bases = bases.into_iter().map(|base| base.parse().unwrap()).collect();
        let client = Client::in_clear(policy.deadline);
        Arc::new(Upstream::new("service", bases, client, policy))
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
            process(unavailable, "ending").await,
        ]);
        let health = Health::default();
        let mut tasks = JoinSet::new();
        watch(&mut tasks, &upstream, &health, Without::NotReady { nor: Arc::new([]) });
        assert!(!health.is_ready());
        let mut members = upstream.instances.subscribe();
        let states = |members: &[Member]| members.iter().map(|one| one.state).collect::<Vec<_>>();
        let known = [State::StandsBy, State::NotReady, State::Ready, State::Ending];
        members.wait_for(|members| states(&members[1..]) == known).await.unwrap();
        let first = upstream.instances.all()[0].state;
        assert_eq!(first, State::Unknown, "the others did not wait for it");
        members.wait_for(|members| members[0].state == State::Silent).await.unwrap();
        assert!(health.is_ready());
    }

    #[tokio::test]
    async fn who_is_there_says_how_far_behind_it_is_and_who_is_not_holds_nobody_up() {
        let bases = ["http://127.0.0.1:9", "http://127.0.0.2:9"].map(str::to_owned);
        let upstream = upstream(bases.into());
        let instances = &upstream.instances;
        let [one, other] = [0, 1].map(|which| Arc::clone(&instances.all()[which].instance));
        assert_eq!(instances.behind(), Duration::ZERO, "nothing was heard of it");
        one.is_behind_by(Duration::from_secs(3));
        for (state, behind) in [
            (State::Ready, 3),
            (State::Late, 3),
            (State::NotReady, 3),
            (State::Silent, 0),
            (State::Away, 0),
            (State::Ending, 0),
            (State::StandsBy, 0),
        ] {
            instances.is_now(&one, state);
            assert_eq!(instances.behind(), Duration::from_secs(behind), "{state:?}");
        }
        instances.is_now(&one, State::NotReady);
        instances.is_now(&other, State::Ready);
        assert_eq!(instances.behind(), Duration::ZERO, "another does the work");
    }

    #[tokio::test]
    async fn one_that_is_not_ready_says_how_far_behind_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let said = json!({ "status": "not_ready", "behind_ms": 90_000 });
        let answer = async move || (StatusCode::SERVICE_UNAVAILABLE, axum::Json(said.clone()));
        let router = Router::new().fallback(any(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let upstream = upstream(vec![format!("http://{address}")]);
        upstream.look(&upstream.instances.all()[0].instance).await;
        assert!(upstream.instances.behind() >= Duration::from_secs(90));
    }

    #[tokio::test]
    async fn who_comes_later_is_watched_and_asked_and_who_goes_is_not() {
        let upstream = upstream(vec!["http://127.0.0.1:9".to_owned()]);
        let mut tasks = JoinSet::new();
        watch(&mut tasks, &upstream, &Health::default(), Without::LessGood);
        let comes = process(StatusCode::OK, "ready").await;
        upstream.instances.are_at(&[comes.parse().unwrap()]);
        let mut members = upstream.instances.subscribe();
        let is_ready = |members: &Vec<Member>| members.iter().all(|one| one.state == State::Ready);
        members.wait_for(is_ready).await.unwrap();
        let first = Arc::clone(&upstream.instances.all()[0].instance);
        assert!(
            upstream.hand_on(Handed::get("/v1/orders"), Who::ANYBODY).await.status().is_success()
        );
        upstream.instances.are_at(&[comes.parse().unwrap(), "http://127.0.0.1:9".parse().unwrap()]);
        assert!(Arc::ptr_eq(&first, &upstream.instances.all()[0].instance), "it is the same");
        assert_eq!(upstream.instances.all()[0].state, State::Ready);
    }

    #[tokio::test]
    async fn the_breaker_of_one_that_is_away_opens_and_closes_when_it_is_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let upstream = upstream(vec![format!("http://{address}")]);
        let instance = Arc::clone(&upstream.instances.all()[0].instance);
        while instance.breaker.phase() == Phase::Closed {
            upstream.look(&instance).await;
        }
        let begun = tokio::time::Instant::now();
        let answer = upstream.hand_on(Handed::get("/v1/orders"), Who::ANYBODY).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            begun.elapsed() < Duration::from_millis(50),
            "nobody is asked: {:?}",
            begun.elapsed()
        );
        let listener = TcpListener::bind(address).await.unwrap();
        let router = Router::new().fallback(any("back"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        upstream.look(&instance).await;
        assert_eq!(instance.breaker.phase(), Phase::Closed);
        assert!(
            upstream.hand_on(Handed::get("/v1/orders"), Who::ANYBODY).await.status().is_success()
        );
    }

    #[tokio::test]
    async fn what_it_begins_with_has_to_be_there_once_and_later_anybody() {
        let upstreams = || upstream(vec!["http://127.0.0.1:9".to_owned()]);
        let (upstream, other, health) = (upstreams(), upstreams(), Health::default());
        let without = Without::NotReady { nor: [Arc::clone(&other)].into() };
        let is_now = |upstream: &Upstream, state| {
            upstream.instances.is_now(&upstream.instances.all()[0].instance, state);
        };
        let degraded = "degraded: does not answer";
        for (state, others, ready, said) in [
            (State::Silent, State::Ready, false, "does not answer"),
            (State::Ready, State::Silent, true, "up"),
            (State::Late, State::Silent, true, "up"),
            (State::Silent, State::Ready, true, degraded),
            (State::Silent, State::Silent, false, "does not answer"),
        ] {
            is_now(&upstream, state);
            is_now(&other, others);
            upstream.tell(&health, &without);
            assert_eq!(health.is_ready(), ready, "{state:?} {others:?}");
            assert_eq!(health.says("service").as_deref(), Some(said), "{state:?} {others:?}");
        }
    }

    #[tokio::test]
    async fn what_makes_it_less_good_need_never_have_been_there() {
        let (upstream, health) = (upstream(Vec::new()), Health::default());
        upstream.tell(&health, &Without::LessGood);
        assert_eq!(health.says("service").as_deref(), Some("degraded: none was found yet"));
        assert!(health.is_ready());
    }
}
