//! Whatever the lists are filtered by is found by an index, however much there is: drawn from the API's own description, so that a new filter
//! without an index fails here.

use axum::http::{Method, StatusCode};
use query_plans::{catalogue, heard, plan};
use serde_json::json;
use storage::{Durability, Location, Store};

use crate::bench::{Bench, Running, id, on_both};
use crate::receiver::{Answer, Receiver};

on_both! { every_list_and_filter_goes_by_an_index }

/// A value for each filter.
const SAMPLES: [(&str, &str); 4] =
    [("state", "waiting"), ("order_id", "o1"), ("customer_id", "17850"), ("unread", "true")];
/// Lists of which nothing is read from the database, or that name whose they are.
const WITHOUT: [&str; 2] = ["/webhooks", "/events/stream"];
/// What passes rows over: an order has few mails.
const KNOWN: [&str; 2] = ["subject = $3", "(state = $4)"];

async fn every_list_and_filter_goes_by_an_index(bench: Bench) {
    let running = bench.start_live().await;
    let receiver = Receiver::answering(Answer::Status(200)).await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    running.until_deliveries(&webhook, "delivered", 1).await;
    let deliveries = format!("/webhooks/{}/deliveries", id(&webhook));
    let of_webhook = ["", "?state=failed"].map(|filter| format!("{deliveries}{filter}"));
    let lists = catalogue::lists(&running.described(), &SAMPLES).unwrap();
    // Nobody finds notices without saying whose.
    let asked = lists.iter().filter(|asked| !WITHOUT.contains(&asked.path.as_str()));
    let asked = asked.filter(|asked| asked.path != "/notices" || asked.uri.contains("customer_id"));
    let mut uris: Vec<String> = asked.map(|asked| asked.uri.clone()).collect();
    assert_eq!(uris.len(), 4 + 2, "every subset of the filters of mails and notices: {uris:?}");
    uris.extend(of_webhook);
    let store = Store::open(&bench.location(), Durability::Full, 1).await.unwrap();
    let mut wrong = Vec::new();
    for uri in &uris {
        let statements = asked_of(&running, uri).await;
        let of_list = |statement: &&String| statement.contains(" LIMIT ");
        let of_list: Vec<_> = statements.iter().filter(of_list).collect();
        assert_eq!(of_list.len(), 1, "{uri}: {statements:?}");
        wrong.extend(faults(&store, &bench.location(), uri, of_list[0]).await);
    }
    let found = running.get(&deliveries).await["items"][0]["id"].to_string();
    let one = asked_of(&running, &format!("{deliveries}/{found}")).await;
    for statement in one.iter().filter(|statement| statement.contains("FROM deliveries")) {
        wrong.extend(faults(&store, &bench.location(), &deliveries, statement).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    store.close().await;
    running.service.shutdown().await;
}

/// The statements that a read leads to.
async fn asked_of(running: &Running, uri: &str) -> Vec<String> {
    let ((status, body), statements) =
        heard::during(running.ask(Method::GET, uri, None, None)).await;
    assert_eq!(status, StatusCode::OK, "{uri}: {body}");
    assert_ne!(body, json!(null), "{uri}");
    statements
}

async fn faults(store: &Store, location: &Location, uri: &str, statement: &str) -> Option<String> {
    let mut connection = store.reader().await.unwrap();
    let plan = match location {
        Location::File(_) => plan::on_sqlite(&mut connection, statement).await,
        Location::Postgres { .. } => plan::on_postgres(&mut connection, statement, true).await,
    };
    let plan = plan.unwrap();
    let faults = plan.faults(&KNOWN).join("\n");
    (!faults.is_empty())
        .then(|| format!("{uri}\n{statement}\n{}\n=> {faults}", plan.steps.join("\n")))
}
