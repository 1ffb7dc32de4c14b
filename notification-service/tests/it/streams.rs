//! Streams for browsers: from now on, from where they broke off, and their end.

use std::collections::BTreeSet;
use std::time::Duration;

use access::{AuthSettings, Role, Signer, Verifier, Wanted};
use axum::body::{Body, BodyDataStream, to_bytes};
use axum::http::{Request, StatusCode, header};
use chrono::TimeDelta;
use futures::StreamExt as _;
use serde_json::Value;
use service_kit::access::Access;
use service_kit::clock;
use service_kit::position::{PositionToken, WantedPosition};
use tower::ServiceExt as _;

use crate::bench::{Bench, PATIENCE, Running, on_both};

on_both! {
    an_order_s_stream_tells_what_happens_to_it_and_nothing_else,
    who_comes_again_hears_what_came_meanwhile_of_all_that_is_the_order_s,
    who_has_seen_what_never_was_here_is_told_so_and_hears_no_silence,
    who_has_seen_what_is_heard_of_here_in_a_moment_is_let_in,
    the_stream_of_all_events_has_no_gap_between_what_was_and_what_comes,
    who_does_not_read_hurts_nobody_and_goes_on_where_he_was,
    at_the_end_every_stream_ends_and_says_when_to_come_again,
    a_stream_ends_with_the_token_with_which_it_was_opened,
    who_takes_nothing_of_what_was_is_let_go_at_the_end,
}

/// An open stream.
struct Open {
    body: BodyDataStream,
    rest: String,
}

/// An event of it, or what is said beside events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Frame {
    id: Option<PositionToken>,
    event: Option<String>,
    data: Option<String>,
    retry: Option<String>,
}

impl Frame {
    /// It says when to come again, in milliseconds.
    fn comes_again_after(&self) -> u64 {
        let after = self.retry.as_ref().and_then(|retry| retry.parse().ok());
        let after = after.unwrap_or_else(|| panic!("when to come again: {self:?}"));
        assert!((1_000..=3_000).contains(&after), "{after}");
        after
    }
}

impl Open {
    async fn at(running: &Running, path: &str, seen: Option<&PositionToken>) -> Self {
        let mut request = Request::get(path);
        if let Some(seen) = seen {
            request = request.header("last-event-id", seen.to_string());
        }
        let response = running.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut open = Self { body: response.into_body().into_data_stream(), rest: String::new() };
        open.next().await.unwrap().comes_again_after();
        open
    }

    /// The next frame; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.rest.split_once("\n\n") {
                let (frame, rest) = (parsed(frame), rest.to_owned());
                self.rest = rest;
                return Some(frame);
            }
            let more =
                tokio::time::timeout(PATIENCE, self.body.next()).await.expect("it says something");
            self.rest.push_str(std::str::from_utf8(&more?.unwrap()).unwrap());
        }
    }

    /// The next so many events: id and type with the order.
    async fn events(&mut self, count: usize) -> Vec<(PositionToken, String)> {
        let mut events = Vec::new();
        while events.len() < count {
            let frame = self.next().await.expect("it goes on");
            let Some(id) = frame.id else { continue };
            let data: Value = serde_json::from_str(frame.data.as_ref().unwrap()).unwrap();
            assert_eq!(data["type"].as_str(), frame.event.as_deref());
            let order = data["data"]["order_id"].as_str().unwrap();
            events.push((id, format!("{} of {order}", frame.event.unwrap())));
        }
        events
    }
}

fn parsed(text: &str) -> Frame {
    let mut frame = Frame::default();
    for line in text.lines() {
        let (name, value) = line.split_once(':').unwrap();
        let value = value.trim_start().to_owned();
        match name {
            "id" => {
                let Ok(WantedPosition::Token(id)) = value.parse() else { panic!("{value}") };
                frame.id = Some(id);
            }
            "event" => frame.event = Some(value),
            "data" => frame.data = Some(value),
            "retry" => frame.retry = Some(value),
            _ => {}
        }
    }
    frame
}

fn whats(events: &[(PositionToken, String)]) -> Vec<&str> {
    events.iter().map(|(_, what)| what.as_str()).collect()
}

async fn an_order_s_stream_tells_what_happens_to_it_and_nothing_else(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    bench.log.place("o2").await;
    let mut stream = Open::at(&running, "/orders/o1/stream", None).await;
    bench.log.confirm("o2").await;
    bench.log.confirm("o1").await;
    bench.log.ship("o1").await;
    let events = stream.events(2).await;
    assert_eq!(whats(&events), ["order.confirmed of o1", "parcel.shipped of o1"]);
    let unknown = Request::get("/orders/none/stream").body(Body::empty()).unwrap();
    assert_eq!(running.send(unknown).await.status(), StatusCode::NOT_FOUND);
    let wrong = Request::get("/orders/o1/stream").header("last-event-id", "x");
    let wrong = running.send(wrong.body(Body::empty()).unwrap()).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    running.service.shutdown().await;
}

async fn who_comes_again_hears_what_came_meanwhile_of_all_that_is_the_order_s(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    let mut begin = Open::at(&running, "/orders/o1/stream?after=0", None).await;
    let (placed, _) = begin.events(1).await.remove(0);
    bench.log.place("o2").await;
    bench.log.confirm("o1").await;
    bench.log.ship("o1").await;
    let mut stream = Open::at(&running, "/orders/o1/stream", Some(&placed)).await;
    let first = stream.events(2).await;
    assert_eq!(whats(&first), ["order.confirmed of o1", "parcel.shipped of o1"]);
    bench.log.complete("o1").await;
    assert_eq!(whats(&stream.events(1).await), ["order.completed of o1"]);
    drop(stream);
    let mut again = Open::at(&running, "/orders/o1/stream", Some(&first[0].0)).await;
    let rest = again.events(2).await;
    assert_eq!(whats(&rest), ["parcel.shipped of o1", "order.completed of o1"]);
    let mut by_address = Open::at(&running, "/orders/o1/stream?after=0", None).await;
    assert_eq!(whats(&by_address.events(1).await), ["order.placed of o1"]);
    running.service.shutdown().await;
}

/// As after the log was restored.
async fn who_has_seen_what_never_was_here_is_told_so_and_hears_no_silence(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    let mut begin = Open::at(&running, "/orders/o1/stream?after=0", None).await;
    let (here, _) = begin.events(1).await.remove(0);
    let before = PositionToken { epoch: here.epoch + 1, ..here.clone() };
    let foreign = PositionToken { log: "foreign".to_owned(), ..here.clone() };
    let beyond = PositionToken { position: 99_999_999, ..here };
    for (seen, status, code) in [
        (before.to_string(), StatusCode::CONFLICT, "position_of_another_history"),
        (foreign.to_string(), StatusCode::CONFLICT, "position_of_another_history"),
        ("999999".to_owned(), StatusCode::SERVICE_UNAVAILABLE, "position_not_reached"),
        (beyond.to_string(), StatusCode::SERVICE_UNAVAILABLE, "position_not_reached"),
    ] {
        for path in ["/orders/o1/stream", "/events/stream"] {
            let by_header = Request::get(path).header("last-event-id", &seen);
            let by_address = Request::get(format!("{path}?after={seen}"));
            for request in [by_header, by_address] {
                let answer = running.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status(), status, "{path} {seen}");
                let again = answer.headers().contains_key("retry-after");
                assert_eq!(again, status == StatusCode::SERVICE_UNAVAILABLE, "{path} {seen}");
                let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
                assert!(std::str::from_utf8(&body).unwrap().contains(code), "{path} {seen}");
            }
        }
    }
    running.service.shutdown().await;
}

/// As who got it from another process, which had heard of it a moment before this one.
async fn who_has_seen_what_is_heard_of_here_in_a_moment_is_let_in(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    let mut begin = Open::at(&running, "/orders/o1/stream?after=0", None).await;
    let (here, _) = begin.events(1).await.remove(0);
    let ahead = PositionToken { position: here.position + 1, ..here.clone() };
    for path in ["/orders/o1/stream", "/events/stream"] {
        let ask = Request::get(path).header("last-event-id", ahead.to_string());
        let ask = ask.body(Body::empty()).unwrap();
        let never = running.send(ask).await;
        assert_eq!(never.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}: it did not come");
    }
    let (mut stream, ()) =
        tokio::join!(Open::at(&running, "/events/stream", Some(&ahead)), async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            bench.log.place("o2").await;
        });
    bench.log.confirm("o1").await;
    assert_eq!(whats(&stream.events(1).await), ["order.confirmed of o1"], "and not what it saw");
    running.service.shutdown().await;
}

async fn the_stream_of_all_events_has_no_gap_between_what_was_and_what_comes(bench: Bench) {
    const ORDERS: usize = 400;
    let running = bench.start().await;
    for n in 0..ORDERS / 4 {
        bench.log.place(&format!("o{n}")).await;
    }
    let placing = async {
        for n in ORDERS / 4..ORDERS {
            bench.log.place(&format!("o{n}")).await;
            if n % 5 == 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    let reading = async {
        let mut stream = Open::at(&running, "/events/stream?after=0", None).await;
        stream.events(ORDERS).await
    };
    let ((), events) = tokio::join!(placing, reading);
    let positions: Vec<u64> = events.iter().map(|(id, _)| id.position).collect();
    let all: Vec<u64> = (1..=ORDERS as u64).collect();
    assert_eq!(positions, all, "every event once, in order");
    running.service.shutdown().await;
}

async fn who_does_not_read_hurts_nobody_and_goes_on_where_he_was(bench: Bench) {
    const ORDERS: usize = 1_500;
    let running = bench.start().await;
    let mut sleeper = Open::at(&running, "/events/stream", None).await;
    let mut reader = Open::at(&running, "/events/stream", None).await;
    let ((), events) = tokio::join!(
        async {
            for n in 0..ORDERS {
                bench.log.place(&format!("o{n}")).await;
                if n % 8 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        },
        reader.events(ORDERS)
    );
    assert_eq!(events.len(), ORDERS);
    let mut seen = None;
    while let Some(frame) = sleeper.next().await {
        seen = frame.id.or(seen);
    }
    let seen = seen.expect("it heard something");
    assert!(seen.position < bench.log.head(), "it had to let him go");
    let mut again = Open::at(&running, "/events/stream", Some(&seen)).await;
    let rest = again.events(ORDERS - usize::try_from(seen.position).unwrap()).await;
    assert_eq!(rest[0].0.position, seen.position + 1);
    assert_eq!(rest.last().unwrap().0.position, bench.log.head());
    running.service.shutdown().await;
}

async fn at_the_end_every_stream_ends_and_says_when_to_come_again(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(Open::at(&running, "/orders/o1/stream", None).await);
        open.push(Open::at(&running, "/events/stream", None).await);
    }
    running.service.end_streams();
    let mut times = BTreeSet::new();
    for mut stream in open {
        let last = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap();
        times.insert(last.unwrap().comes_again_after());
        assert_eq!(stream.next().await, None);
    }
    assert!(times.len() > 50, "they do not come all at once: {times:?}");
    let late = Request::get("/events/stream").body(Body::empty()).unwrap();
    assert_eq!(running.send(late).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    running.service.shutdown().await;
}

/// An entrance that takes tokens of a secret, and one of an operator that lasts for so many seconds.
async fn tokens(seconds: i64) -> (Access, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "0123456789abcdef0123456789abcdef").unwrap();
    let file = folder.path().join("auth.toml");
    let settings = "audience = \"docket\"\nleeway_seconds = 0\n[[issuers]]\nname = \"shop\"\nissuer = \"https://shop.test\"\n\
        algorithms = [\"HS256\"]\nsecret_files = [\"secret\"]\nroles = [\"operator\"]\n";
    std::fs::write(&file, settings).unwrap();
    let signer = Signer::of(AuthSettings::read(&file).unwrap(), None).unwrap();
    let verifier = Verifier::start(AuthSettings::read(&file).unwrap(), clock::system()).await;
    let (subject, roles) = ("ada".to_owned(), vec![Role::Operator]);
    let wanted = Wanted { subject, roles, scopes: None, lasts: TimeDelta::seconds(seconds) };
    let token = signer.sign(&wanted, clock::system()()).unwrap();
    (Access::tokens(verifier.unwrap()), format!("Bearer {token}"))
}

async fn a_stream_ends_with_the_token_with_which_it_was_opened(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    let (access, token) = tokens(3).await;
    let (router, _) = running.service.router(&access).split_for_parts();
    let ask = async |path: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, &token);
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let paths = ["/orders/o1/stream", "/events/stream"];
    much_of(&bench, "o1").await;
    let [of_order, of_all] = paths.map(|path| format!("{path}?after=0"));
    let untaken = [ask(&of_order).await, ask(&of_all).await];
    let mut streams = Vec::new();
    for path in paths {
        let response = ask(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let body = response.into_body().into_data_stream();
        streams.push(Open { body, rest: String::new() });
    }
    for (mut open, path) in streams.into_iter().zip(paths) {
        for _ in 0..2 {
            let said = open.next().await.expect("when to come again, at its begin and at its end");
            said.comes_again_after();
        }
        assert_eq!(open.next().await, None, "{path}");
        assert_eq!(ask(path).await.status(), StatusCode::UNAUTHORIZED);
    }
    for response in untaken {
        let body = response.into_body().into_data_stream();
        was_cut_off(Open { body, rest: String::new() }).await;
    }
    running.service.shutdown().await;
}

/// More than a stream has ready to be sent.
const MUCH: usize = 60;

async fn much_of(bench: &Bench, order: &str) {
    for _ in 0..MUCH {
        bench.log.ship(order).await;
    }
}

/// It has what was ready, and no more of what was there.
async fn was_cut_off(mut open: Open) {
    let mut events = 0;
    while let Some(frame) = open.next().await {
        events += usize::from(frame.id.is_some());
    }
    assert!(events > 0 && events < MUCH, "{events}");
}

async fn who_takes_nothing_of_what_was_is_let_go_at_the_end(bench: Bench) {
    let running = bench.start().await;
    bench.log.place("o1").await;
    much_of(&bench, "o1").await;
    let of_order = Open::at(&running, "/orders/o1/stream?after=0", None).await;
    let of_all = Open::at(&running, "/events/stream?after=0", None).await;
    running.service.end_streams();
    was_cut_off(of_order).await;
    was_cut_off(of_all).await;
    running.service.shutdown().await;
}
