//! Keys that change, over a real address that counts how often it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::{AuthSettings, Refused, Verifier};
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::issuers::{Keys, claims_of, clock};

/// An issuer that publishes its keys.
struct Published {
    keys: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
    /// It answers nobody while this is held.
    answers: Arc<tokio::sync::Mutex<()>>,
    verifier: Arc<Verifier>,
}

impl Published {
    async fn start(keys: Option<Value>) -> Self {
        let (keys, asked) = (Arc::new(Mutex::new(keys)), Arc::new(AtomicUsize::new(0)));
        let answers = Arc::new(tokio::sync::Mutex::default());
        let (shown, counted, may) = (Arc::clone(&keys), Arc::clone(&asked), Arc::clone(&answers));
        let answer = async move || {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(may.lock().await);
            match shown.lock().unwrap().clone() {
                Some(keys) => axum::Json(keys).into_response(),
                None => StatusCode::BAD_GATEWAY.into_response(),
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/keys", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.toml");
        let settings = format!(
            "audience = \"docket\"\n[[issuers]]\nname = \"idp\"\nissuer = \"https://idp.test\"\n\
             algorithms = [\"ES256\"]\nroles = [\"operator\"]\njwks_url = \"http://{address}/keys\"\n"
        );
        std::fs::write(&path, settings).unwrap();
        let settings = AuthSettings::read(&path).unwrap();
        let verifier = Arc::new(Verifier::start(settings, clock()).await.unwrap());
        Self { keys, asked, answers, verifier }
    }

    fn publish(&self, keys: Option<Value>) {
        *self.keys.lock().unwrap() = keys;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What becomes of a token that is signed so.
    async fn verify(&self, keys: &Keys, kid: &str) -> Result<(), Refused> {
        let header = json!({ "alg": "ES256", "kid": kid }).to_string();
        let token = keys.token(&header, &claims_of("https://idp.test"));
        self.verifier.verify(&token).await.map(drop)
    }
}

/// Lets so much time pass for the keys, and none for the network.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_new_key_is_found_and_one_that_was_taken_back_is_not_trusted_for_long() {
    let (old, new) = (Keys::curve(), Keys::curve());
    let idp = Published::start(Some(json!({ "keys": [old.jwk("1")] }))).await;
    assert_eq!(idp.verify(&old, "1").await, Ok(()));
    idp.publish(Some(json!({ "keys": [new.jwk("2")] })));
    assert_eq!(idp.verify(&new, "2").await, Err(Refused::Key), "it was asked just now");
    pass(Duration::from_secs(31)).await;
    assert_eq!(idp.verify(&new, "2").await, Ok(()));
    assert_eq!(idp.verify(&old, "1").await, Err(Refused::Key));
    assert_eq!(idp.asked(), 2);
}

#[tokio::test]
async fn keys_are_asked_for_anew_though_none_is_missing() {
    let (old, new) = (Keys::curve(), Keys::curve());
    let idp = Published::start(Some(json!({ "keys": [old.jwk("1")] }))).await;
    idp.publish(Some(json!({ "keys": [new.jwk("2")] })));
    pass(Duration::from_mins(6)).await;
    assert_eq!(idp.verify(&old, "1").await, Ok(()), "nobody waits for the answer");
    while idp.verify(&old, "1").await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(idp.asked(), 2);
}

#[tokio::test]
async fn a_storm_of_unknown_keys_is_one_question() {
    let keys = Keys::curve();
    let idp = Arc::new(Published::start(Some(json!({ "keys": [keys.jwk("1")] }))).await);
    pass(Duration::from_secs(31)).await;
    let storm = (0..200).map(|n| {
        let (idp, evil) = (Arc::clone(&idp), Keys::curve());
        tokio::spawn(async move { idp.verify(&evil, &format!("evil-{n}")).await })
    });
    for task in storm.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), Err(Refused::Key));
    }
    assert_eq!(idp.asked(), 2, "at the start, and once for all of them");
    assert_eq!(idp.verify(&keys, "1").await, Ok(()));
}

#[tokio::test]
async fn whoever_names_a_key_and_goes_away_keeps_no_new_key_from_being_found() {
    let (old, new) = (Keys::curve(), Keys::curve());
    let idp = Published::start(Some(json!({ "keys": [old.jwk("1")] }))).await;
    idp.publish(Some(json!({ "keys": [new.jwk("2")] })));
    pass(Duration::from_secs(31)).await;
    let answers_nobody = idp.answers.lock().await;
    let evil = Keys::curve();
    let gone = tokio::time::timeout(Duration::from_millis(50), idp.verify(&evil, "evil")).await;
    assert!(gone.is_err(), "it went away before the issuer answered");
    drop(answers_nobody);
    assert_eq!(idp.verify(&new, "2").await, Ok(()));
    assert_eq!(idp.asked(), 2, "at the start, and for the one who is gone");
}

#[tokio::test]
async fn an_issuer_that_is_away_keeps_its_keys_for_a_day_and_one_that_never_came_has_none() {
    let keys = Keys::curve();
    let idp = Published::start(None).await;
    let Err(Refused::KeysAway { again_in_s: first }) = idp.verify(&keys, "1").await else {
        panic!("it has no keys")
    };
    assert!((25..=30).contains(&first), "{first} s, and it is asked every 30 s");
    pass(Duration::from_secs(20)).await;
    let Err(Refused::KeysAway { again_in_s: then }) = idp.verify(&keys, "1").await else {
        panic!("it has no keys")
    };
    assert!((1..=first - 20).contains(&then), "{then} s are left of {first}");
    idp.publish(Some(json!({ "keys": [keys.jwk("1")] })));
    pass(Duration::from_secs(31)).await;
    assert_eq!(idp.verify(&keys, "1").await, Ok(()));
    idp.publish(None);
    pass(Duration::from_hours(23)).await;
    assert_eq!(idp.verify(&keys, "1").await, Ok(()));
    pass(Duration::from_hours(2)).await;
    assert!(matches!(idp.verify(&keys, "1").await, Err(Refused::KeysAway { .. })));
}

#[tokio::test]
async fn a_secret_and_a_key_for_something_else_are_passed_over() {
    let (signs, encrypts) = (Keys::curve(), Keys::curve());
    let mut other = encrypts.jwk("2");
    other["use"] = "enc".into();
    let secret =
        json!({ "kty": "oct", "kid": "3", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
    let odd = json!({ "kty": "new", "kid": "4" });
    let set = json!({ "keys": [other, secret, odd, signs.jwk("1")] });
    let idp = Published::start(Some(set)).await;
    assert_eq!(idp.verify(&signs, "1").await, Ok(()));
    assert_eq!(idp.verify(&encrypts, "2").await, Err(Refused::Key));
}
