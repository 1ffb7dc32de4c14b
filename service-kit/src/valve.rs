//! Turns requests away before anything is made of them, while there is no room for what they ask.
//!
//! Whoever comes with more than can be carried must not take the time of what was taken: so nobody is asked who they are, no path is
//! looked up, and no body is read but to throw it away. A refusal still costs a good part of what a cheap command does, most of it for
//! reading and writing sockets; so a flood of them is slowed down: who is told to come again later is told so later.
//!
//! **Invariant:** what is turned away here had no effect, is told when to come again, within little more than a second, and is counted
//! as every other request.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use tokio::time::Instant;
use tower::{ServiceExt as _, service_fn};

use crate::answers::Answering;
use crate::asked::request_id;
use crate::hear_out::{Bound, asks_first, within};
use crate::http::{MAX_BODY_BYTES, durations};
use crate::problem::Problem;

/// The time of a refusal: 10,000 a second.
const EACH: Duration = Duration::from_micros(100);
/// How long one waits at most, however many wait.
const LONGEST: Duration = Duration::from_secs(1);

/// How long a body is waited for that nobody reads: what comes later meets the end of the connection.
const HEARD_OUT: Bound = Bound { bytes: MAX_BODY_BYTES, within: Duration::from_millis(200) };

/// Why a request of this method and path is turned away now, if it is.
type Refuses = Arc<dyn Fn(&Method, &str) -> Option<Problem> + Send + Sync>;

/// Before a service, and shut as long as it has no room. Cheap to clone.
#[derive(Clone)]
pub struct Valve {
    refuses: Refuses,
    pace: Arc<Pace>,
}

impl fmt::Debug for Valve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Valve(..)")
    }
}

impl Valve {
    /// One that is asked for every request why it is turned away.
    pub fn new(refuses: impl Fn(&Method, &str) -> Option<Problem> + Send + Sync + 'static) -> Self {
        Self { refuses: Arc::new(refuses), pace: Arc::default() }
    }

    /// Shut for what either refuses.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let (this, other) = (self.refuses, other.refuses);
        Self::new(move |method, path| this(method, path).or_else(|| other(method, path)))
    }

    /// Before everything that a service answers.
    pub fn before<S: Answering>(self, service: S) -> impl Answering {
        service_fn(move |request: Request| {
            let refused = (self.refuses)(request.method(), request.uri().path());
            let (service, pace) = (service.clone(), Arc::clone(&self.pace));
            async move {
                match refused {
                    Some(problem) => Ok(turn_away(request, &problem, &pace).await),
                    None => service.oneshot(request).await,
                }
            }
        })
    }
}

async fn turn_away(request: Request, problem: &Problem, pace: &Pace) -> Response {
    let begun = Instant::now();
    let (method, id) = (request.method().clone(), request_id(request.headers()));
    pace.turn().await;
    let asks_first = asks_first(request.headers());
    let answer = within(request.into_body(), asks_first, HEARD_OUT, problem.answer(id)).await;
    durations(&method, None, problem.status()).record(begun.elapsed().as_secs_f64());
    answer
}

/// When refusals are said: one after another.
#[derive(Debug, Default)]
struct Pace {
    /// When the last one has had its time; none was said yet.
    free: Mutex<Option<Instant>>,
}

impl Pace {
    /// Waits until the next one may be said: not at all when none was of late, and never for long.
    async fn turn(&self) {
        let now = Instant::now();
        let turn = self.take(now);
        if turn > now {
            tokio::time::sleep_until(turn).await;
        }
    }

    fn take(&self, now: Instant) -> Instant {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = free.map_or(now, |free| free.clamp(now, now + LONGEST));
        *free = Some(turn + EACH);
        turn
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{StatusCode, header};
    use axum::routing::any;
    use futures::future::join_all;

    use super::*;
    use crate::answers::Answers;
    use crate::http::{REQUEST_ID, finish};
    use crate::problem::Code;

    fn shut_for_commands() -> Answers {
        let valve = Valve::new(|method, _| {
            let full = || Problem::from(Code::Overloaded).detail("full").retry_after(1);
            (*method == Method::POST).then(full)
        });
        let router = finish(Router::new().route("/", any(|| async { "here" })));
        Answers::of(valve.before(router))
    }

    fn command(body: Body) -> Request {
        let command = Request::post("/").header(REQUEST_ID, "mine");
        command.body(body).unwrap()
    }

    #[tokio::test]
    async fn what_is_turned_away_hears_what_every_other_refusal_says_and_the_rest_is_answered() {
        let router = shut_for_commands();
        let answer = router.clone().oneshot(command(Body::from("{}"))).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(answer.headers()[REQUEST_ID], "mine");
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        for (member, value) in [("code", "overloaded"), ("detail", "full"), ("request_id", "mine")]
        {
            assert_eq!(body[member], value);
        }
        let answer = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_who_sends_slowly_and_nobody_is_told_to_send_on() {
        let router = shut_for_commands();
        let never = || Body::from_stream(futures::stream::pending::<std::io::Result<Vec<u8>>>());
        let began = Instant::now();
        let answer = router.clone().oneshot(command(never())).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(began.elapsed() <= HEARD_OUT.within + Duration::from_millis(2));
        let mut asks = command(never());
        asks.headers_mut().insert(header::EXPECT, "100-continue".parse().unwrap());
        let began = Instant::now();
        router.oneshot(asks).await.unwrap();
        assert!(began.elapsed() < HEARD_OUT.within, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_turned_away_hears_so_at_once_and_a_flood_within_a_second() {
        let router = shut_for_commands();
        let asked = async |count: usize| {
            let begun = Instant::now();
            let asked = (0..count).map(|_| router.clone().oneshot(command(Body::empty())));
            join_all(asked).await;
            begun.elapsed()
        };
        assert_eq!(asked(1).await, Duration::ZERO);
        tokio::time::sleep(EACH).await;
        let some = asked(1_000).await;
        assert!(some >= EACH * 999 && some < EACH * 1_100, "{some:?}");
        tokio::time::sleep(LONGEST).await;
        let many = asked(20_000).await;
        assert!(many >= LONGEST && many < LONGEST + Duration::from_millis(10), "{many:?}");
        tokio::time::sleep(LONGEST).await;
        assert_eq!(asked(1).await, Duration::ZERO);
    }
}
