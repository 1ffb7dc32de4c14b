//! Questions that no client of ours would ask, and events that nobody of ours appended.

use domain::event::Event;
use hostile_input::{bytes, json, schema};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::place::{Place, on_both};
use crate::shop::{Shop, ask, caught_up, get};

const DAY: &str = "2010-12-01T08:26:00Z";

on_both! {
    a_cursor_that_was_altered_is_refused_by_every_list,
    an_odd_filter_is_answered_or_refused_by_every_list,
}

/// So many values of a strategy, the same every time.
fn some<T: std::fmt::Debug>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

async fn three_orders(place: &Place) -> (Shop, u64) {
    let mut shop = Shop::new(place.home("models"));
    let mut end = 0;
    for id in ["o1", "o2", "o3"] {
        end = shop.completed_order(id, DAY, "a").await;
    }
    (shop, end)
}

async fn a_cursor_that_was_altered_is_refused_by_every_list(place: Place) {
    let (shop, end) = three_orders(&place).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    for list in
        ["/orders?", "/orders?status=completed&", "/orders?sku=a&", "/payments?", "/shipments?"]
    {
        let page = get(&service, &format!("{list}limit=1")).await;
        let cursor = page["next"].as_str().unwrap();
        let taken = ask(&service, "GET", &format!("{list}cursor={cursor}")).await;
        assert_eq!(taken.status.as_u16(), 200, "{list}");
        for altered in some(60, bytes::altered(cursor)) {
            // What is not UTF-8 or has a zero is refused as a query, before anybody reads it as a cursor.
            let is_text = std::str::from_utf8(&altered).is_ok_and(|text| !text.contains('\0'));
            let code = if is_text { "invalid_cursor" } else { "invalid_query" };
            let answer = ask(&service, "GET", &format!("{list}cursor={}", encoded(&altered))).await;
            let said = (answer.status.as_u16(), answer.body["code"].as_str());
            let expected =
                if altered == cursor.as_bytes() { (200, None) } else { (400, Some(code)) };
            assert_eq!(said, expected, "{list} {}", String::from_utf8_lossy(&altered));
        }
    }
    service.shutdown().await;
}

async fn an_odd_filter_is_answered_or_refused_by_every_list(place: Place) {
    let (shop, end) = three_orders(&place).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let odd = some(40, json::odd_text());
    let edges = ["18446744073709551615", "+12345-1-1", "-0001-01-01", "9999-12-31", "0000-01-01"];
    let edges =
        edges.into_iter().chain(["262143-12-31", "0000-01-01T00:00:00+23:59"]).map(str::to_owned);
    let values: Vec<String> = odd.into_iter().chain(edges).collect();
    for place in [
        "/orders?customer_id=",
        "/orders?sku=",
        "/orders?status=",
        "/orders?placed_from=",
        "/orders?placed_to=",
        "/orders/o1?as_of=",
        "/orders/o1?as_of_version=",
        "/orders?limit=",
        "/payments?order_id=",
        "/shipments?order_id=",
        "/reports/sales?from=",
        "/reports/sales?to=",
        "/reports/sales?group_by=",
        "/orders/",
        "/stock/",
        "/products/",
        "/customers/",
        "/payments/",
        "/shipments/",
        "/projections/",
    ] {
        for value in &values {
            let answer =
                ask(&service, "GET", &format!("{place}{}", encoded(value.as_bytes()))).await;
            let status = answer.status.as_u16();
            assert!(
                [200, 400, 404].contains(&status),
                "{place}{value:?}: {status} {:?}",
                answer.body
            );
        }
    }
    service.shutdown().await;
}

/// Events that can be read and make no sense.
fn senseless() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let one = |kind: &'static domain::event::EventType| {
        let payload = schema::instances(&(kind.schema)().to_value());
        payload.prop_filter_map("no event", move |payload| {
            let event =
                Event::from_json(kind.name, kind.schema_version, &payload.to_string()).ok()?;
            let written: Value = serde_json::from_str(&event.to_json().ok()?).ok()?;
            Some((kind.name, written))
        })
    };
    vec(Union::new(Event::types().map(one)), 1..10)
}

/// The same, and all about one order, its stock, payment and parcel.
fn senseless_about_one_order() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    senseless().prop_map(|events| {
        let named = |(name, mut payload): (&'static str, Value)| {
            for (member, id) in [
                ("order_id", "o"),
                ("sku", "a"),
                ("payment_id", "o-p1"),
                ("shipment_id", "o-s1"),
                ("customer_id", "c"),
            ] {
                if payload.get(member).is_some_and(Value::is_string) {
                    payload[member] = id.into();
                }
            }
            (name, payload)
        };
        events.into_iter().map(named).collect()
    })
}

#[test]
fn events_that_make_no_sense_are_folded_or_fault_their_projector_which_says_where() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 40, ..Config::default() });
    let done = runner.run(&prop_oneof![senseless(), senseless_about_one_order()], |events| {
        runtime.block_on(async {
            let place = Place::sqlite();
            let mut shop = Shop::new(place.home("models"));
            let end = shop.append(DAY, &events).await;
            let service = shop.start().await;
            caught_up(&service, end).await;
            for projector in get(&service, "/projections").await["items"].as_array().unwrap() {
                let name = projector["name"].as_str().unwrap();
                let told = get(&service, &format!("/projections/{name}")).await;
                match told["state"].as_str() {
                    Some("running") => prop_assert_eq!(told["live_position"].as_u64(), Some(end)),
                    Some("faulted") => {
                        let at = told["fault"]["position"].as_u64().unwrap();
                        prop_assert!((1..=end).contains(&at), "{}", told);
                    }
                    other => prop_assert!(false, "{name} is {other:?}"),
                }
            }
            service.shutdown().await;
            Ok(())
        })
    });
    done.unwrap();
}

#[tokio::test]
async fn an_event_that_is_none_is_named_with_its_position_and_type() {
    let payloads = [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "{\"sku\":\"\\ud800\"}",
        "\u{0}",
        "{\"sku\":\"a\",\"quantity\":1e400}",
    ];
    let odd =
        some(10, select(vec![json!({ "sku": "a", "quantity": 1 })]).prop_flat_map(json::altered));
    let odd: Vec<String> = odd.iter().map(Value::to_string).collect();
    for payload in payloads.into_iter().chain(odd.iter().map(String::as_str)) {
        let is_event = Event::from_json("StockReceived", 1, payload).is_ok();
        let place = Place::sqlite();
        let mut shop = Shop::new(place.home("models"));
        let at = shop.append_raw(DAY, "stock-a", "StockReceived", payload.to_owned()).await;
        let service = shop.start().await;
        caught_up(&service, at).await;
        let stock = get(&service, "/projections/stock").await;
        if !is_event {
            assert_eq!(
                (&stock["state"], &stock["fault"]["position"]),
                (&json!("faulted"), &json!(at))
            );
            let cause = stock["fault"]["cause"].as_str().unwrap();
            assert!(cause.contains("StockReceived") && cause.contains("version 1"), "{cause}");
        }
        service.shutdown().await;
    }
}
