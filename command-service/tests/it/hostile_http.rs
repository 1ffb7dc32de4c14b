//! Commands over HTTP that no client of ours would send: answered clearly, and changing nothing unless they are taken.

use std::cell::Cell;

use hostile_input::{bytes, json};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use service_kit::access::Access;

use crate::support::{Answered, TestApp, events};

/// Bytes of an id, of which a path has two at most: three times as many characters are all that a URI of the `http` crate takes.
const LONGEST_ID: usize = 10_000;

/// A path with places for ids, and the example of its body.
type Described = (String, Value);

/// Every command that the service describes.
fn described(app: &TestApp) -> Vec<Described> {
    let (_, api) = app.service.router(&Access::open()).split_for_parts();
    let api = serde_json::to_value(api).unwrap();
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"];
        let named = schema["$ref"].as_str().or_else(|| schema["oneOf"][0]["$ref"].as_str());
        let Some(named) = named else { continue };
        let example = api.pointer(&format!("{}/example", &named[1..])).cloned();
        found.push((path.clone(), example.unwrap_or_else(|| panic!("{path} has no example"))));
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// The path with an id: one that is there, or one that can't be.
fn addressed(path: &str, id: &str) -> String {
    let bytes = id.bytes().take(LONGEST_ID);
    let encoded = bytes.map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let part = |part: &str| if part.starts_with('{') { encoded.clone() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The id of what there is of the kind that a path is about.
fn known(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("customers") => "17850",
        Some("orders") => "first",
        Some("shipments") => "first-s1",
        _ => "22423",
    }
}

fn request(described: Vec<Described>) -> impl Strategy<Value = (String, Vec<u8>)> {
    select(described).prop_flat_map(|(path, example)| {
        let id = Just(known(&path).to_owned());
        let id = prop_oneof![6 => id, 1 => json::odd_text()];
        let text = example.to_string().into_bytes();
        let body = prop_oneof![
            3 => Just(text.clone()).boxed(),
            3 => json::altered(example).prop_map(|value| value.to_string().into_bytes()).boxed(),
            2 => bytes::noise_or_altered(vec![text]).boxed(),
        ];
        (id.prop_map(move |id| addressed(&path, &id)), body)
    })
}

fn check(answer: &Answered) {
    let status = answer.status.as_u16();
    if answer.status.is_success() {
        assert!(answer.body["id"].is_string() && answer.body["position"].is_u64(), "{answer:?}");
        return;
    }
    assert!((400..500).contains(&status), "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{answer:?}");
    assert_eq!(answer.body["status"], status, "{answer:?}");
    assert!(answer.body["code"].is_string(), "{answer:?}");
    assert!(answer.body.to_string().len() < 64 * 1024);
}

#[test]
fn any_body_is_taken_once_or_refused_clearly_and_then_changes_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let app = runtime.block_on(async {
        let app = TestApp::with_dead_letters().await;
        app.sell("22423", 1_000).await;
        for (path, example) in described(&app) {
            if path == "/customers" || path == "/orders" {
                app.post(&path, &path, example).await.is(201);
            }
        }
        app
    });
    let (keys, taken) = (Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(Config { cases: 500, ..Config::default() });
    let done = runner.run(&request(described(&app)), |(path, body)| {
        runtime.block_on(async {
            keys.set(keys.get() + 1);
            let key = format!("k{}", keys.get());
            let before = mine(&app, &key).await;
            prop_assert_eq!(before, 0);
            let answer = app.post_bytes(&path, &key, body.clone()).await;
            check(&answer);
            let repeat = app.post_bytes(&path, &key, body.clone()).await;
            if answer.status.is_success() {
                taken.set(taken.get() + 1);
                prop_assert_eq!((repeat.status, &repeat.body), (answer.status, &answer.body));
                prop_assert_eq!(repeat.header("idempotency-replayed"), "true");
            } else {
                check(&repeat);
                prop_assert_eq!(mine(&app, &key).await, 0, "{} {:?}", path, answer);
            }
            Ok(())
        })
    });
    done.unwrap();
    assert!(taken.get() > 20, "only {} were taken", taken.get());
}

/// How many events a client's key has caused.
async fn mine(app: &TestApp, key: &str) -> usize {
    let id = format!("client/{key}");
    events(&*app.log).await.iter().filter(|event| *event.metadata.command_id == *id).count()
}
