//! Whatever the query API lists or filters by is found by an index, however much there is: drawn from the API's own
//! description, so that a new filter without an index fails here.

use axum::http::StatusCode;
use projection_service::{ProjectionService, Projector};
use query_plans::catalogue::{self, Asked};
use query_plans::{heard, plan};
use service_kit::access::Access;
use storage::Connection;

use crate::place::{Place, on_both};
use crate::shop::{Shop, ask, caught_up};

on_both! { every_list_and_filter_goes_by_an_index }

/// A value for each filter.
const SAMPLES: [(&str, &str); 9] = [
    ("status", "shipped"),
    ("customer_id", "c1"),
    ("sku", "mug"),
    ("placed_from", "2010-12-01"),
    ("placed_to", "2010-12-31"),
    ("order_id", "o1"),
    ("from", "2010-12-01"),
    ("to", "2010-12-31"),
    ("group_by", "month,country"),
];
/// What passes rows over, and why that may be.
const KNOWN: [&str; 1] = [
    // An order has few parcels.
    "((status || ''::text) = $",
];

async fn every_list_and_filter_goes_by_an_index(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let mut position = 0;
    for n in 0..20 {
        position = shop.completed_order(&format!("o{n}"), "2010-12-01T08:26:00Z", "mug").await;
    }
    let service = shop.start().await;
    caught_up(&service, position).await;
    let (_, described) = service.router(&Access::open()).split_for_parts();
    let described = serde_json::to_value(described).unwrap();
    let lists = catalogue::lists(&described, &SAMPLES).unwrap();
    assert!(lists.len() > 40, "every subset of every list's filters: {}", lists.len());
    let mut wrong = Vec::new();
    for asked in lists {
        let asked = spelt(asked);
        let (answer, statements) = heard::during(ask(&service, "GET", &asked.uri)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}: {}", asked.uri, answer.body);
        let mut seen = 0;
        for statement in statements.iter().filter(|statement| is_of_a_list(statement)) {
            seen += 1;
            let mut connection = connection(&service, &asked.path).await;
            let plan = match &place {
                Place::Folder(_) => plan::on_sqlite(&mut connection, statement).await,
                Place::Database(_) => plan::on_postgres(&mut connection, statement, true).await,
            };
            let plan = plan.unwrap();
            let faults = plan.faults(&KNOWN).join("\n");
            if !faults.is_empty() {
                wrong.push(format!(
                    "{}\n{statement}\n{}\n=> {faults}",
                    asked.uri,
                    plan.steps.join("\n")
                ));
            }
        }
        let no_cart_has_a_time = asked.uri.contains("status=draft");
        assert!(seen > 0 || no_cart_has_a_time, "{}: heard {statements:?}", asked.uri);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    service.shutdown().await;
}

/// Lists have words of their own for where something stands.
fn spelt(asked: Asked) -> Asked {
    let uri = match asked.path.as_str() {
        "/orders" => asked.uri.replace("status=shipped", "status=placed"),
        _ => asked.uri,
    };
    Asked { uri, ..asked }
}

/// Projectors are at rest; what else runs is where the model stands, and transactions.
fn is_of_a_list(statement: &str) -> bool {
    statement.starts_with("SELECT") && !statement.contains("FROM checkpoint")
}

async fn connection(service: &ProjectionService, path: &str) -> Connection {
    let name = if path == "/reports/sales" { "sales" } else { path.trim_start_matches('/') };
    let projector = Projector::parse(name).unwrap();
    let handle = service.handles().iter().find(|handle| handle.projector == projector).unwrap();
    handle.current().database.reader().await.unwrap()
}
