//! Whatever the list of sagas is filtered by is found by an index, however many there are: drawn from the API's own
//! description, so that a new filter without an index fails here.

use axum::http::StatusCode;
use query_plans::{catalogue, heard, plan};
use storage::{Durability, Location, Store};

use crate::bench::{Bench, on_both};

on_both! { every_list_and_filter_goes_by_an_index }

/// A value for each filter.
const SAMPLES: [(&str, &str); 3] = [("state", "waiting"), ("kind", "return"), ("order_id", "o1")];
/// What passes rows over, and why that may be.
const KNOWN: [&str; 3] = [
    // An order has few sagas.
    "order_id = $3",
    "($4 IS NULL)",
    // Nearly all are of this kind.
    "(kind = 'order'::text)",
];

async fn every_list_and_filter_goes_by_an_index(bench: Bench) {
    let running = bench.start().await;
    bench.shop.place("o1", "pm_ok", 1).await;
    running.until_saga("order-o1", "waiting", "complete_order").await;
    let lists = catalogue::lists(&running.described(), &SAMPLES).unwrap();
    let rare = lists.len();
    let usual = lists.clone().into_iter().map(|mut asked| {
        asked.uri = asked.uri.replace("kind=return", "kind=order");
        asked
    });
    assert_eq!(rare, 8, "every subset of three filters");
    let location = bench.location("sagas");
    let store = Store::open(&location, Durability::Full, 1).await.unwrap();
    let mut wrong = Vec::new();
    for asked in lists.iter().cloned().chain(usual) {
        let (answer, statements) = heard::during(running.get(&asked.uri)).await;
        assert_eq!(answer.0, StatusCode::OK, "{}: {}", asked.uri, answer.1);
        let of_list = |statement: &&String| statement.starts_with("SELECT number, id");
        let statements: Vec<_> = statements.iter().filter(of_list).collect();
        assert_eq!(statements.len(), 1, "{}: {statements:?}", asked.uri);
        for statement in statements {
            let mut connection = store.reader().await.unwrap();
            let plan = match &location {
                Location::File(_) => plan::on_sqlite(&mut connection, statement).await,
                Location::Postgres { .. } => {
                    plan::on_postgres(&mut connection, statement, true).await
                }
            };
            let plan = plan.unwrap();
            let faults = plan.faults(&KNOWN).join("\n");
            if !faults.is_empty() {
                wrong.push(format!("{}\n{}\n=> {faults}", asked.uri, plan.steps.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    store.close().await;
}
