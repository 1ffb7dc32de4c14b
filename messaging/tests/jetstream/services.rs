//! The services protocol: what a registered process answers, and who is found.

use std::time::Duration;

use async_nats::Client;
use futures::StreamExt as _;
use messaging::jetstream::{FindError, Names, Registered, register, registered};
use serde_json::Value;

use crate::platform::{client, until};

const WITHIN: Duration = Duration::from_secs(5);

async fn found(client: &Client, service: &str) -> Vec<Registered> {
    let mut found = registered(client, &Names::default(), service, WITHIN).await.unwrap();
    found.sort_by(|one, other| one.url.cmp(&other.url));
    found
}

/// Every answer to a question of the protocol.
async fn answers(client: &Client, subject: &str) -> Vec<Value> {
    let inbox = client.new_inbox();
    let answers = client.subscribe(inbox.clone()).await.unwrap();
    client.publish_with_reply(subject.to_owned(), inbox, "".into()).await.unwrap();
    let some = answers.take_until(tokio::time::sleep(Duration::from_millis(500)));
    some.filter_map(|answer| async move { serde_json::from_slice(&answer.payload).ok() })
        .collect()
        .await
}

#[tokio::test]
async fn those_that_are_there_are_found_with_their_addresses_and_nobody_else() {
    let Some(nats) = test_servers::nats() else { return };
    let (asker, other) = (client(&nats.url()).await, client(&nats.url()).await);
    until("NATS is there", || async { asker.flush().await.is_ok() && other.flush().await.is_ok() })
        .await;
    assert!(found(&asker, "models").await.is_empty());
    let names = Names::default();
    let one = register(&other, &names, "models", "1.2.3", "http://a:1").await.unwrap();
    let _two = register(&asker, &names, "models", "1.2.4", "http://b:2").await.unwrap();
    let _else = register(&other, &names, "sagas", "1.2.3", "http://c:3").await.unwrap();
    let _elsewhere = register(&other, &Names::of("shop2"), "models", "1.2.3", "http://d:4").await;
    until("both are found", || async { found(&asker, "models").await.len() == 2 }).await;
    let models = found(&asker, "models").await;
    let told: Vec<_> = models.iter().map(|one| (&one.version[..], &one.url[..])).collect();
    assert_eq!(told, [("1.2.3", "http://a:1"), ("1.2.4", "http://b:2")]);
    drop(one);
    until("one is gone", || async { found(&asker, "models").await.len() == 1 }).await;
    assert_eq!(found(&asker, "models").await[0].url, "http://b:2");
}

#[tokio::test]
async fn it_answers_what_the_command_line_of_nats_asks() {
    let Some(nats) = test_servers::nats() else { return };
    let client = client(&nats.url()).await;
    until("NATS is there", || async { client.flush().await.is_ok() }).await;
    let names = Names::default();
    let _one = register(&client, &names, "models", "1.2.3", "http://a:1").await.unwrap();
    until("it is found", || async { found(&client, "models").await.len() == 1 }).await;
    let id = found(&client, "models").await[0].id.clone();
    for (verb, kind) in [("PING", "ping"), ("INFO", "info"), ("STATS", "stats")] {
        for subject in [
            format!("$SRV.{verb}"),
            format!("$SRV.{verb}.models"),
            format!("$SRV.{verb}.models.{id}"),
        ] {
            let answers = answers(&client, &subject).await;
            let [answer] = &answers[..] else { panic!("{subject}: {answers:?}") };
            assert_eq!(answer["type"], format!("io.nats.micro.v1.{kind}_response"), "{subject}");
            assert_eq!((&answer["name"], &answer["id"]), (&"models".into(), &id.clone().into()));
            assert_eq!(answer["version"], "1.2.3");
        }
    }
    let info = &answers(&client, "$SRV.INFO.models").await[0];
    assert_eq!(
        (&info["metadata"]["url"], &info["description"]),
        (&"http://a:1".into(), &"docket models".into())
    );
}

#[tokio::test]
async fn what_says_not_where_it_is_or_bears_another_name_is_passed_over() {
    let Some(nats) = test_servers::nats() else { return };
    let client = client(&nats.url()).await;
    until("NATS is there", || async { client.flush().await.is_ok() }).await;
    let mut asked = client.subscribe("$SRV.INFO.models").await.unwrap();
    let liar = client.clone();
    tokio::spawn(async move {
        while let Some(question) = asked.next().await {
            for answer in [
                "no JSON",
                r#"{"name":"models","id":"1","version":"1.0.0"}"#,
                r#"{"name":"sagas","id":"2","version":"1.0.0","metadata":{"url":"http://evil"}}"#,
                r#"{"name":"models","id":"3","version":"1.0.0","metadata":{"url":"http://a:1"}}"#,
            ] {
                liar.publish(question.reply.clone().unwrap(), answer.into()).await.unwrap();
            }
        }
    });
    until("the good one is found", || async { found(&client, "models").await.len() == 1 }).await;
    assert_eq!(found(&client, "models").await[0].id, "3");
}

#[tokio::test]
async fn while_nats_is_away_it_is_said_that_nothing_is_known() {
    let client = client("nats://127.0.0.1:1").await;
    let nothing = registered(&client, &Names::default(), "models", WITHIN).await;
    assert!(matches!(nothing, Err(FindError::NotConnected)), "{nothing:?}");
}
