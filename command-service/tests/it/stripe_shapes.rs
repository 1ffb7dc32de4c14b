//! What localstripe does not do: answers in the shapes that Stripe's documentation shows, from a server that is told what to
//! say, and what was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use command_service::payments::{PaymentProvider, ProviderAnswer, ProviderCall, WhenAbsent};
use domain::payments::{Operation, ProviderOutcome};
use serde_json::{Value, json};
use service_kit::clock::system;

use crate::stripe::{at, call, of, refused, said};

/// A request that came: method, path with query, body, and the idempotency key.
#[derive(Debug, Clone)]
struct Asked {
    line: String,
    body: String,
    key: String,
}

/// Answers in the order in which they are to be given.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<(u16, Value)>>,
    asked: Mutex<Vec<Asked>>,
}

async fn play(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let header =
        |name: &str| parts.headers.get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
    assert_eq!(header("authorization"), "Bearer sk_test_secret");
    assert_eq!(header("stripe-version"), "2024-06-20");
    script.asked.lock().unwrap().push(Asked {
        line: format!("{} {}", parts.method, parts.uri),
        body: String::from_utf8(body.to_vec()).unwrap(),
        key: header("idempotency-key"),
    });
    let (status, answer) = script.answers.lock().unwrap().remove(0);
    let response = Response::builder().status(status).header("retry-after", "7");
    response.body(Body::from(answer.to_string())).unwrap()
}

async fn playing(answers: &[(u16, Value)]) -> (Arc<Script>, String) {
    let script = Arc::new(Script { answers: Mutex::new(answers.to_vec()), ..Script::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(play).with_state(Arc::clone(&script));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (script, url)
}

/// What becomes of a call, and what was asked for it.
async fn called(call: &ProviderCall, answers: &[(u16, Value)]) -> (ProviderAnswer, Vec<Asked>) {
    let (script, url) = playing(answers).await;
    let answer = at(&url).call(call).await;
    let asked = script.asked.lock().unwrap().clone();
    (answer, asked)
}

async fn probed(
    call: &ProviderCall,
    when_absent: WhenAbsent,
    answers: &[(u16, Value)],
) -> (ProviderAnswer, Vec<Asked>) {
    let (script, url) = playing(answers).await;
    let answer = at(&url).probe(call, when_absent).await;
    let asked = script.asked.lock().unwrap().clone();
    (answer, asked)
}

/// An intent as Stripe shows it, with a charge that may be captured more than once.
fn intent(status: &str, more: &Value) -> Value {
    let mut intent = json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_capturable": 1000,
        "amount_received": 0, "currency": "gbp", "created": 1_700_000_000, "status": status,
        "capture_method": "manual", "cancellation_reason": null, "last_payment_error": null,
        "metadata": { "docket_key": "o-p1/authorize/1", "docket_payment_id": "o-p1" },
        "latest_charge": { "id": "ch_1", "object": "charge", "amount_captured": 0, "amount_refunded": 0,
            "payment_method_details": { "type": "card", "card": { "brand": "visa",
                "capture_before": 1_700_600_000, "multicapture": { "status": "available" } } } } });
    for (name, value) in more.as_object().unwrap() {
        intent[name] = value.clone();
    }
    intent
}

fn error(kind: &str, code: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "message": "…" } })
}

fn of_one_capture() -> Value {
    json!({ "id": "ch_1", "payment_method_details": { "card": { "multicapture": { "status": "unavailable" } } } })
}

#[tokio::test]
async fn an_authorization_says_until_when_it_holds_and_whether_it_can_be_captured_in_parts() {
    let authorize = call(Operation::Authorize, 1, 1_000);
    let held = intent("requires_capture", &json!({}));
    let (answer, asked) = called(&authorize, &[(200, held)]).await;
    let (ProviderOutcome::Authorized { expires_at, multi_capture, .. }, amount) = said(answer)
    else {
        panic!("not held")
    };
    assert_eq!((expires_at.timestamp(), multi_capture, amount), (1_700_600_000, true, Some(1_000)));
    let Asked { line, body, key } = &asked[0];
    assert_eq!((line.as_str(), key.as_str()), ("POST /v1/payment_intents", "o-p1/authorize/1"));
    for part in [
        "amount=1000",
        "currency=gbp",
        "capture_method=manual",
        "confirm=true",
        "payment_method=pm_card_visa",
        "metadata%5Bdocket_key%5D=o-p1%2Fauthorize%2F1",
        "metadata%5Bdocket_payment_id%5D=o-p1",
    ] {
        assert!(body.split('&').any(|said| said == part), "{part}: {body}");
    }
}

#[tokio::test]
async fn a_customer_who_would_have_to_confirm_is_not_there_and_the_intent_is_given_up() {
    let waits = intent("requires_action", &json!({}));
    let canceled = intent("canceled", &json!({}));
    let authorize = call(Operation::Authorize, 1, 1_000);
    let (answer, asked) = called(&authorize, &[(200, waits), (200, canceled)]).await;
    assert_eq!(refused(answer).0, "authentication_required");
    assert_eq!(asked[1].line, "POST /v1/payment_intents/pi_1/cancel");
}

#[tokio::test]
async fn each_capture_in_parts_leaves_a_note_by_which_it_is_found() {
    let capture = of("pi_1", Operation::Capture, 2, 300);
    let before = intent("requires_capture", &json!({ "metadata": { "docket_capture_1": "400" } }));
    let after = json!({ "metadata": { "docket_capture_1": "400", "docket_capture_2": "300" } });
    let after = intent("requires_capture", &after);
    let (answer, asked) = called(&capture, &[(200, before.clone()), (200, after.clone())]).await;
    assert_eq!(said(answer), (ProviderOutcome::Done, Some(300)));
    let Asked { line, body, key } = &asked[1];
    assert_eq!(
        (line.as_str(), key.as_str()),
        ("POST /v1/payment_intents/pi_1/capture", "o-p1/capture/2")
    );
    assert_eq!(
        body,
        "amount_to_capture=300&final_capture=false&metadata%5Bdocket_capture_2%5D=300"
    );
    let (found, _) = probed(&capture, WhenAbsent::LeaveOpen, &[(200, after)]).await;
    assert_eq!(said(found), (ProviderOutcome::Done, Some(300)));
    let (found, _) = probed(&capture, WhenAbsent::LeaveOpen, &[(200, before)]).await;
    assert_eq!(said(found).0, ProviderOutcome::NeverDone);
}

#[tokio::test]
async fn the_one_capture_tells_what_was_taken() {
    let capture = of("pi_1", Operation::Capture, 1, 600);
    let more = json!({ "latest_charge": of_one_capture() });
    let held = intent("requires_capture", &more);
    let more = json!({ "latest_charge": of_one_capture(), "amount_received": 599, "amount_capturable": 0 });
    let taken = intent("succeeded", &more);
    let (answer, asked) = called(&capture, &[(200, held), (200, taken)]).await;
    // Not what was asked for: the guard makes a person's case of it.
    assert_eq!(said(answer), (ProviderOutcome::Done, Some(599)));
    assert_eq!(asked[1].body, "amount_to_capture=600");
}

#[tokio::test]
async fn what_stripe_released_by_itself_is_expired_and_needs_no_void() {
    let gone = intent("canceled", &json!({ "cancellation_reason": "automatic" }));
    let (answer, _) = called(&of("pi_1", Operation::Capture, 1, 1), &[(200, gone.clone())]).await;
    assert_eq!(refused(answer), ("authorization_expired".to_owned(), false));
    let (answer, _) = called(&of("pi_1", Operation::Void, 1, 1), &[(200, gone)]).await;
    assert_eq!(said(answer).0, ProviderOutcome::Done);
}

#[tokio::test]
async fn what_is_left_after_a_capture_in_parts_is_given_back_with_the_intent_s_end() {
    let more = json!({ "amount_capturable": 600, "amount_received": 400 });
    let (before, after) = (intent("requires_capture", &more), intent("canceled", &more));
    let void = of("pi_1", Operation::Void, 1, 600);
    let (answer, asked) = called(&void, &[(200, before.clone()), (200, after)]).await;
    assert_eq!(said(answer).0, ProviderOutcome::Done);
    assert_eq!(asked[1].line, "POST /v1/payment_intents/pi_1/cancel");
    let noted = intent("requires_capture", &json!({ "metadata": { "docket_void_2": "100" } }));
    let part = of("pi_1", Operation::Void, 2, 100);
    let (answer, asked) = called(&part, &[(200, before), (200, noted)]).await;
    assert_eq!(said(answer).0, ProviderOutcome::Done);
    assert_eq!(asked[1].line, "POST /v1/payment_intents/pi_1");
    assert_eq!(asked[1].body, "metadata%5Bdocket_void_2%5D=100");
}

#[tokio::test]
async fn only_a_judgement_is_a_refusal() {
    let authorize = call(Operation::Authorize, 1, 1_000);
    let (answer, _) = called(&authorize, &[(402, error("card_error", "expired_card"))]).await;
    assert_eq!(refused(answer), ("expired_card".to_owned(), false));
    for (status, body) in [
        (409, error("idempotency_error", "idempotency_key_in_use")),
        (400, error("idempotency_error", "")),
        (500, error("api_error", "")),
        (503, json!("<html>")),
        (200, json!("no intent")),
    ] {
        let (answer, _) = called(&authorize, &[(status, body)]).await;
        assert_eq!(said(answer).0, ProviderOutcome::Unknown, "{status}");
    }
    for status in [401, 403, 429] {
        let (answer, _) = called(&authorize, &[(status, error("rate_limit_error", ""))]).await;
        assert!(matches!(answer, ProviderAnswer::NotAsked { .. }), "{status}: {answer:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_closed_is_used_up_or_the_outcome_stays_unknown() {
    let lost = of("pi_1", Operation::Capture, 1, 1_000);
    let held = intent("requires_capture", &json!({}));
    let (empty, gone) =
        (intent("requires_payment_method", &json!({})), intent("canceled", &json!({})));
    let answers = [(200, held.clone()), (200, empty), (200, gone)];
    let (answer, asked) = probed(&lost, WhenAbsent::Close, &answers).await;
    assert_eq!(said(answer).0, ProviderOutcome::NeverDone);
    assert_eq!(
        (asked[1].line.as_str(), asked[1].key.as_str()),
        ("POST /v1/payment_intents", "o-p1/capture/1")
    );
    assert!(!asked[1].body.contains("confirm") && !asked[1].body.contains("payment_method="));
    // Stripe knows the key: the capture got there, or is on its way.
    let used = error("idempotency_error", "");
    let (answer, _) = probed(&lost, WhenAbsent::Close, &[(200, held), (400, used)]).await;
    assert_eq!(said(answer).0, ProviderOutcome::Unknown);
}

fn other(id: &str, created: i64) -> Value {
    intent("succeeded", &json!({ "id": id, "created": created, "metadata": {} }))
}

fn page(items: &[Value]) -> Value {
    json!({ "object": "list", "has_more": true, "data": items })
}

#[tokio::test]
async fn an_authorization_is_looked_for_back_to_when_it_was_asked_for_and_no_further() {
    let now = system()();
    let lost = ProviderCall { opened_at: Some(now), ..call(Operation::Authorize, 1, 1_000) };
    let now = now.timestamp();
    let newer = page(&[other("pi_9", now + 9), other("pi_8", now + 8)]);
    let older = page(&[other("pi_7", now), other("pi_6", now - 301)]);
    let (answer, asked) =
        probed(&lost, WhenAbsent::LeaveOpen, &[(200, newer.clone()), (200, older)]).await;
    assert_eq!(said(answer).0, ProviderOutcome::NeverDone);
    assert!(asked[1].line.contains("starting_after=pi_8"), "{asked:?}");
    let found = page(&[intent("requires_capture", &json!({ "id": "pi_7" }))]);
    let whole = intent("requires_capture", &json!({ "id": "pi_7" }));
    let answers = [(200, newer), (200, found), (200, whole)];
    let (answer, asked) = probed(&lost, WhenAbsent::LeaveOpen, &answers).await;
    assert!(matches!(said(answer).0, ProviderOutcome::Authorized { .. }));
    assert!(asked[2].line.starts_with("GET /v1/payment_intents/pi_7?"), "{asked:?}");
}

#[tokio::test]
async fn what_was_asked_for_long_ago_is_searched_by_its_key_once_the_last_hour_does_not_have_it() {
    let now = system()();
    let opened_at = Some(now - chrono::TimeDelta::days(2));
    let lost = ProviderCall { opened_at, ..call(Operation::Authorize, 1, 1_000) };
    let last_hour = page(&[other("pi_9", now.timestamp()), other("pi_8", now.timestamp() - 3_901)]);
    let nothing = json!({ "object": "search_result", "has_more": false, "data": [] });
    let answers = [(200, last_hour.clone()), (200, nothing)];
    let (answer, asked) = probed(&lost, WhenAbsent::LeaveOpen, &answers).await;
    assert_eq!(said(answer).0, ProviderOutcome::NeverDone);
    let query = "/v1/payment_intents/search?query=metadata%5B%27docket_key%27%5D%3A%27o-p1%2Fauthorize%2F1%27";
    assert_eq!(asked[1].line, format!("GET {query}"));
    let held = intent("requires_capture", &json!({}));
    let answers = [(200, last_hour), (200, page(std::slice::from_ref(&held))), (200, held)];
    let (answer, _) = probed(&lost, WhenAbsent::LeaveOpen, &answers).await;
    assert!(matches!(said(answer).0, ProviderOutcome::Authorized { .. }));
}

#[tokio::test]
async fn a_refund_is_told_by_its_own_state() {
    let refund = of("pi_1", Operation::Refund, 1, 300);
    let of_state = |status: &str| {
        json!({ "id": "re_1", "amount": 300, "currency": "gbp", "status": status,
        "failure_reason": "lost_or_stolen_card", "metadata": { "docket_key": "o-p1/refund/1" } })
    };
    for status in ["succeeded", "pending"] {
        let (answer, _) = called(&refund, &[(200, of_state(status))]).await;
        assert_eq!(said(answer), (ProviderOutcome::Done, Some(300)), "{status}");
    }
    let page = json!({ "has_more": false, "data": [of_state("failed")] });
    let (answer, _) = probed(&refund, WhenAbsent::LeaveOpen, &[(200, page)]).await;
    assert_eq!(refused(answer), ("lost_or_stolen_card".to_owned(), false));
    let (answer, _) = called(&refund, &[(200, of_state("requires_action"))]).await;
    assert_eq!(said(answer).0, ProviderOutcome::Unknown);
}
