//! Processes that are away, stand by, hang or take over, and what becomes of requests meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::routing::any;
use futures::StreamExt as _;
use service_kit::http::STANDBY;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;

use super::*;

/// A process that answers so; its address.
async fn process(name: &'static str, standby: bool) -> String {
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    let standby = standby.then(|| (unavailable, [(STANDBY, "1")], name).into_response());
    answering(standby.unwrap_or_else(|| name.into_response())).await
}

/// The address of one that always gives this answer.
async fn answering(answer: Response) -> String {
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let answer = async move || Response::from_parts(parts.clone(), Body::from(body.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// The address of one that stands by until it is told to take over.
async fn taking_over(takes_over: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = async move || {
        if takes_over.load(Ordering::Relaxed) {
            return "second".into_response();
        }
        (StatusCode::SERVICE_UNAVAILABLE, [(STANDBY, "1")]).into_response()
    };
    let router = Router::new().fallback(any(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// The address of nobody.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// The address of one who hangs up before it answers.
async fn hangs_up() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    format!("http://{address}")
}

fn upstream(bases: Vec<String>) -> Upstream {
    let policy = Policy { deadline: Duration::from_mins(1), most_in_flight: 10 };
    let bases = bases.into_iter().map(|base| base.parse().unwrap()).collect();
    let upstream = Upstream::new("service", bases, Client::in_clear(policy.deadline), policy);
    Upstream { takeover_within: Duration::from_millis(300), ..upstream }
}

/// What is heard of the process that was named so-manieth.
fn is_now(upstream: &Upstream, process: usize, state: State) -> bool {
    upstream.instances.is_now(&upstream.instances.all()[process].instance, state)
}

async fn asked(bases: Vec<String>, method: Method, key: bool) -> (u16, String) {
    handed_on(&upstream(bases), method, key).await
}

async fn handed_on(upstream: &Upstream, method: Method, key: bool) -> (u16, String) {
    let mut headers = HeaderMap::new();
    if key {
        headers.insert("idempotency-key", HeaderValue::from_static("k"));
    }
    let answer = upstream
        .hand_on(Handed { method, headers, ..Handed::get("/v1/orders") }, Who::ANYBODY)
        .await;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn one_that_stands_by_or_is_away_is_passed_over_and_reads_go_round() {
    let active = process("active", false).await;
    let bases = vec![nobody().await, process("standby", true).await, active.clone()];
    for method in [Method::GET, Method::POST] {
        assert_eq!(asked(bases.clone(), method, true).await, (200, "active".to_owned()));
    }
    let upstream = upstream(vec![active, "http://b".to_owned()]);
    let first = |upstream: &Upstream| upstream.instances.in_turn()[0].base.name();
    assert_ne!(first(&upstream), first(&upstream));
    for better in [State::Ready, State::Unknown, State::StandsBy, State::NotReady, State::Late] {
        is_now(&upstream, 0, State::Silent);
        is_now(&upstream, 1, better);
        let second = || "http://b".to_owned();
        assert_eq!((first(&upstream), first(&upstream)), (second(), second()), "{better:?}");
    }
}

#[tokio::test]
async fn where_one_stands_by_a_request_waits_until_it_has_taken_over() {
    let takes_over = Arc::new(AtomicBool::new(false));
    let second = taking_over(Arc::clone(&takes_over)).await;
    for (first, key) in [(nobody().await, false), (hangs_up().await, true)] {
        takes_over.store(false, Ordering::Relaxed);
        let upstream = Upstream {
            takeover_within: Duration::from_mins(1),
            ..upstream(vec![first, second.clone()])
        };
        let mut members = upstream.instances.subscribe();
        let takeover = async {
            members.wait_for(|all| all[1].state == State::StandsBy).await.unwrap();
            takes_over.store(true, Ordering::Relaxed);
            assert!(is_now(&upstream, 1, State::Ready));
        };
        let (answer, ()) = tokio::join!(handed_on(&upstream, Method::POST, key), takeover);
        assert_eq!(answer, (200, "second".to_owned()), "with a key: {key}");
    }
}

#[tokio::test]
async fn who_ends_is_sent_nothing_new() {
    for others in [vec![], vec![process("other", false).await]] {
        let alone = others.is_empty();
        let upstream = upstream([vec![process("ends", false).await], others].concat());
        is_now(&upstream, 0, State::Ending);
        for method in [Method::GET, Method::POST] {
            let (status, body) = handed_on(&upstream, method, true).await;
            if alone {
                // What was not sent was not carried out.
                assert!(status == 503 && body.contains("\"unavailable\""), "{status} {body}");
            } else {
                assert_eq!((status, &*body), (200, "other"));
            }
        }
    }
}

#[tokio::test]
async fn when_all_stand_by_their_503_is_the_answer() {
    let bases = vec![process("one", true).await, nobody().await];
    let (status, _) = asked(bases, Method::GET, false).await;
    assert_eq!(status, 503);
}

#[tokio::test]
async fn only_what_does_nothing_twice_is_sent_again_after_it_may_have_been_carried_out() {
    let bases = async || vec![hangs_up().await, process("other", false).await];
    assert_eq!(asked(bases().await, Method::GET, false).await, (200, "other".to_owned()));
    assert_eq!(asked(bases().await, Method::POST, true).await, (200, "other".to_owned()));
    let (status, body) = asked(bases().await, Method::POST, false).await;
    assert!(status == 503 && body.contains("outcome_unknown"), "{status} {body}");
}

#[tokio::test]
async fn what_may_have_been_carried_out_is_never_said_to_be_merely_away() {
    let away = (StatusCode::SERVICE_UNAVAILABLE, "its database is away");
    for bases in [
        vec![hangs_up().await, process("standby", true).await],
        vec![hangs_up().await, nobody().await],
        vec![hangs_up().await, answering(away.into_response()).await],
    ] {
        let (_, body) = asked(bases, Method::POST, true).await;
        assert!(body.contains("outcome_unknown"), "{body}");
    }
}

/// One who takes requests and never answers, as one that is paused: its address, and who hears of each that it took.
async fn silent() -> (String, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::<Notify>::default();
    let tells = Arc::clone(&taken);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(connection) = listener.accept().await {
            held.push(connection);
            tells.notify_one();
        }
    });
    (format!("http://{address}"), taken)
}

/// Hands a request on; when it has been taken, `known` happens. What it is answered, or nothing when it `stays`.
async fn while_held(
    upstream: &Upstream,
    (method, key, stays): (Method, bool, bool),
    taken: &Notify,
    known: impl FnOnce(),
) -> Option<(u16, String)> {
    let mut handed = std::pin::pin!(handed_on(upstream, method, key));
    tokio::select! {
        answer = &mut handed => panic!("it is not held: {answer:?}"),
        () = taken.notified() => known(),
    }
    if stays {
        return tokio::time::timeout(Duration::from_millis(200), handed).await.ok();
    }
    Some(handed.await)
}

#[tokio::test]
async fn what_hangs_at_one_that_turns_out_silent_goes_to_the_next_when_that_is_ready() {
    for (method, key) in [(Method::GET, false), (Method::POST, true), (Method::POST, false)] {
        let (first, taken) = silent().await;
        let upstream = upstream(vec![first, process("second", false).await]);
        is_now(&upstream, 0, State::Ready);
        is_now(&upstream, 1, State::StandsBy);
        let takeover = || {
            is_now(&upstream, 0, State::Late);
            is_now(&upstream, 1, State::Ready);
        };
        // A command without a key may be carried out where it is.
        let stays = method == Method::POST && !key;
        let asked = (method.clone(), key, stays);
        let answer = while_held(&upstream, asked, &taken, takeover).await;
        let moved = (!stays).then(|| (200, "second".to_owned()));
        assert_eq!(answer, moved, "{method} with a key: {key}");
    }
}

#[tokio::test]
async fn one_that_stood_by_when_it_was_asked_is_asked_again_when_it_has_taken_over() {
    let (first, taken) = silent().await;
    let upstream = upstream(vec![first, process("second", true).await]);
    is_now(&upstream, 0, State::Silent);
    is_now(&upstream, 1, State::StandsBy);
    // It still says that it stands by: what hangs at the first may have been carried out there.
    let takeover = || assert!(is_now(&upstream, 1, State::Ready));
    let asked = (Method::POST, true, false);
    let (status, body) = while_held(&upstream, asked, &taken, takeover).await.unwrap();
    assert!(status == 503 && body.contains("outcome_unknown"), "{status} {body}");
    assert_eq!(upstream.instances.all()[1].state, State::StandsBy);
}

#[tokio::test]
async fn one_that_is_late_keeps_what_it_was_asked_while_nobody_else_is_ready() {
    let (first, taken) = silent().await;
    let upstream = upstream(vec![first, process("second", true).await]);
    is_now(&upstream, 0, State::Ready);
    let late = || assert!(is_now(&upstream, 0, State::Silent));
    let asked = (Method::GET, false, true);
    assert_eq!(while_held(&upstream, asked, &taken, late).await, None);
}

#[tokio::test]
async fn what_hangs_at_one_that_nobody_hears_of_any_more_is_let_go() {
    for (method, key, code) in
        [(Method::GET, false, "unavailable"), (Method::POST, true, "outcome_unknown")]
    {
        let (first, taken) = silent().await;
        let upstream = upstream(vec![first]);
        is_now(&upstream, 0, State::Ready);
        let nothing_is_heard = || {
            is_now(&upstream, 0, State::Silent);
            let instance = Arc::clone(&upstream.instances.all()[0].instance);
            while !instance.breaker.looked(false) {}
            upstream.tell_breaker(&instance);
        };
        let asked = (method.clone(), key, false);
        let answer = while_held(&upstream, asked, &taken, nothing_is_heard).await;
        let (status, body) = answer.unwrap();
        assert!(status == 503 && body.contains(code), "{method}: {status} {body}");
    }
}

/// One at which as many wait for a connection as may, and who waits there.
async fn crowded() -> (TcpListener, String, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut crowd = Vec::new();
    let moment = Duration::from_millis(200);
    while let Ok(one) = tokio::time::timeout(moment, TcpStream::connect(address)).await {
        crowd.push(one.unwrap());
    }
    (listener, format!("http://{address}"), crowd)
}

#[tokio::test]
async fn whoever_has_no_room_for_a_connection_gets_it_when_it_is_asked_for_again() {
    let (listener, address, _crowd) = crowded().await;
    let upstream = upstream(vec![address]);
    let instance = Arc::clone(&upstream.instances.all()[0].instance);
    let (read, ends) = (Handed::get("/v1/orders"), Instant::now() + Duration::from_mins(1));
    tokio::select! {
        // It asks first, and is not heard.
        biased;
        asked = upstream.client.ask((&instance, "service"), &read, ends) => {
            assert_eq!(asked.unwrap().status(), StatusCode::OK);
        }
        _ = axum::serve(listener, Router::new().fallback(any("there"))) => {}
    }
}

#[tokio::test]
async fn whoever_has_no_room_for_many_is_not_taken_for_away() {
    let (_listener, address, _crowd) = crowded().await;
    let upstream =
        Upstream { client: Client::in_clear(Duration::from_millis(50)), ..upstream(vec![address]) };
    is_now(&upstream, 0, State::Ready);
    for _ in 0..6 {
        let (status, body) = handed_on(&upstream, Method::POST, false).await;
        assert!(status == 503 && body.contains("\"unavailable\""), "{status} {body}");
    }
    let one = &upstream.instances.all()[0];
    assert_eq!((one.instance.breaker.phase(), one.state), (Phase::Closed, State::Ready));
}

#[tokio::test]
async fn a_stream_of_events_goes_on_as_it_comes_until_streams_are_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let events = || async {
        let first = futures::stream::iter([Ok::<_, std::io::Error>("data: 1\n\n")]);
        let events = Body::from_stream(first.chain(futures::stream::pending()));
        ([("content-type", "text/event-stream")], events)
    };
    let router = Router::new().fallback(any(events));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let upstream = upstream(vec![format!("http://{address}")]);
    let answer = upstream.hand_on(Handed::get("/v1/orders"), Who::ANYBODY).await;
    assert_eq!(upstream.in_flight(), 0, "it holds no place of the service");
    let mut events = answer.into_body().into_data_stream();
    assert_eq!(&events.next().await.unwrap().unwrap()[..], b"data: 1\n\n");
    upstream.client.end_streams();
    assert!(events.next().await.is_none());
}
