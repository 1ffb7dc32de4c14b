//! What the query API answers.

use axum::http::StatusCode;
use projection_service::Projector;
use serde_json::json;

use crate::place::{Place, on_both};
use crate::shop::{Shop, ask, caught_up, get, placed};

const DAY: &str = "2010-12-01T08:26:00Z";

on_both! {
    a_completed_order_is_told_in_full,
    a_return_is_found_with_its_order,
    an_order_is_told_as_it_was,
    every_answer_says_its_position_and_min_position_waits_for_it,
    paging_gives_every_order_once_newest_first_with_each_filter,
    bad_parameters_are_problems,
    a_cursor_belongs_to_its_list_and_filters,
    the_sales_report_counts_from_confirmation_less_cancelled_lines,
    a_stocked_product_has_zero_stock_from_its_registration_on,
    personal_data_is_opened_for_the_answer_and_gone_after_erasure,
    an_event_that_cannot_be_read_faults_its_projector_and_no_other,
}

async fn a_completed_order_is_told_in_full(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.append(DAY, &[("StockReceived", json!({ "sku": "22423", "quantity": 10 }))]).await;
    let end = shop.completed_order("o1", DAY, "22423").await;
    let service = shop.start().await;
    let order = get(&service, &format!("/orders/o1?min_position={end}")).await;
    assert_eq!(
        order,
        json!({
            "id": "o1", "reference": "o1", "status": "completed", "pending": null, "customer_id": "c1",
            "currency": "GBP", "total": 750, "fulfilment": "delivered",
            "lines": [{ "line": 1, "sku": "22423", "quantity": 3, "unit_price": 250, "amount": 750,
                "open": 0, "cancelled": 0, "shipped": 3, "delivered": 3, "returned": 0 }],
            "payment": { "id": "o1-p1", "status": "captured", "authorized": 750, "captured": 750, "refunded": 0, "settled_by_hand": 0, "refunded_by_hand": 0 },
            "shipments": [{ "id": "o1-s1", "status": "delivered" }],
            "returns": [],
            "sagas": [{ "id": "order-o1", "kind": "order", "state": "completed" }],
            "shipping_address": { "country": "France" },
            "placed_at": DAY, "version": 5,
        })
    );
    caught_up(&service, end).await;
    let stock = get(&service, "/stock/22423").await;
    assert_eq!(
        (&stock["available"], &stock["reserved"], &stock["on_hand"]),
        (&json!(7), &json!(0), &json!(7))
    );
    assert_eq!(get(&service, "/payments?order_id=o1").await["items"][0]["id"], "o1-p1");
    assert_eq!(
        get(&service, "/shipments?order_id=o1&status=delivered").await["items"][0]["carrier"],
        "DHL"
    );
    assert_eq!(get(&service, "/shipments?status=pending").await["items"], json!([]));
    service.shutdown().await;
}

async fn a_return_is_found_with_its_order(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.completed_order("o1", DAY, "a").await;
    let lines = json!([{ "line": 1, "quantity": 2 }]);
    let wanted = json!({ "order_id": "o1", "return_id": "o1-r1", "lines": lines });
    let requested = shop.append(DAY, &[("ReturnRequested", wanted)]).await;
    let service = shop.start().await;
    let order = get(&service, &format!("/orders/o1?min_position={requested}")).await;
    let told = |status: &str| json!([{ "id": "o1-r1", "status": status, "lines": lines }]);
    assert_eq!(order["returns"], told("requested"));
    let arrived = json!({ "order_id": "o1", "return_id": "o1-r1", "lines": lines, "restock": true, "amount": 500 });
    let received = shop.append(DAY, &[("ReturnReceived", arrived)]).await;
    let order = get(&service, &format!("/orders/o1?min_position={received}")).await;
    assert_eq!(order["returns"], told("received"));
    service.shutdown().await;
}

async fn an_order_is_told_as_it_was(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let end = shop.completed_order("o1", DAY, "22423").await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let then = get(&service, "/orders/o1?as_of_version=2").await;
    assert_eq!((&then["status"], &then["version"]), (&json!("confirmed"), &json!(2)));
    assert_eq!(then["payment"]["status"], "authorized");
    assert_eq!(then["lines"][0]["open"], 3);
    let now = get(&service, "/orders/o1").await;
    assert_eq!(get(&service, "/orders/o1?as_of_version=5").await, now);
    assert_eq!(get(&service, "/orders/o1?as_of=2999-01-01T00:00:00Z").await, now);
    let before = ask(&service, "GET", "/orders/o1?as_of=1999-01-01T00:00:00Z").await;
    assert_eq!(before.status, StatusCode::NOT_FOUND);
    let beyond = ask(&service, "GET", "/orders/o1?as_of_version=6").await;
    assert_eq!(
        (beyond.status, &beyond.body["code"]),
        (StatusCode::BAD_REQUEST, &json!("invalid_query"))
    );
    service.shutdown().await;
}

async fn every_answer_says_its_position_and_min_position_waits_for_it(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let service = shop.start().await;
    let appended = shop.append(DAY, &[placed("o1", "22423", 1)]).await;
    let answer = ask(&service, "GET", &format!("/orders?min_position={appended}")).await;
    assert_eq!(answer.body["items"][0]["id"], "o1");
    let token = answer.headers["docket-position"].to_str().unwrap().to_owned();
    assert!(token.ends_with(&format!("-1-{appended}")), "{token}");
    assert_eq!(
        ask(&service, "GET", &format!("/orders/o1?min_position={token}")).await.status,
        StatusCode::OK
    );
    for uri in ["/projections", "/projections/orders"] {
        let headers = ask(&service, "GET", uri).await.headers;
        assert_eq!(headers["docket-position"], token.as_str(), "{uri}");
    }
    let other = ask(&service, "GET", "/orders/o1?min_position=other-1-1").await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (StatusCode::CONFLICT, &json!("position_of_another_history"))
    );
    let wrong = ask(&service, "GET", "/orders/o1?min_position=x").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    service.shutdown().await;
}

async fn paging_gives_every_order_once_newest_first_with_each_filter(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let mut end = 0;
    for n in 0..25 {
        let at = format!("2010-12-{:02}T10:00:00Z", 1 + n / 3);
        let sku = if n % 2 == 0 { "even" } else { "odd" };
        end = shop.append(&at, &[placed(&format!("o{n:02}"), sku, 1)]).await;
    }
    let service = shop.start().await;
    caught_up(&service, end).await;
    let everything = "status=placed&customer_id=c1&placed_from=2010-12-01&placed_to=2010-12-31";
    for (filter, expected) in [
        ("", 25),
        ("sku=even", 13),
        ("status=placed", 25),
        ("customer_id=c1", 25),
        ("status=completed", 0),
        ("placed_from=2010-12-02&placed_to=2010-12-03", 6),
        (everything, 25),
        ("placed_from=2010-12-02T10:00:00Z&placed_to=2010-12-03T10:00:00Z", 3),
        ("sku=odd&customer_id=nobody", 0),
    ] {
        let mut ids: Vec<(String, String)> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = get(&service, &format!("/orders?limit=4&{filter}{cursor}")).await;
            for item in page["items"].as_array().unwrap() {
                let text = |name: &str| item[name].as_str().unwrap().to_owned();
                ids.push((text("placed_at"), text("id")));
            }
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let mut sorted = ids.clone();
        sorted.sort();
        sorted.dedup();
        sorted.reverse();
        assert_eq!(ids, sorted, "{filter}");
        assert_eq!(ids.len(), expected, "{filter}");
    }
    service.shutdown().await;
}

async fn bad_parameters_are_problems(place: Place) {
    let service = Shop::new(place.home("models")).start().await;
    for (uri, status, code) in [
        ("/orders?limit=0", 400, "invalid_limit"),
        ("/orders?limit=1001", 400, "invalid_limit"),
        ("/orders?cursor=%25", 400, "invalid_cursor"),
        ("/stock?cursor=eyJhIjoxfQ", 400, "invalid_cursor"),
        ("/orders?status=lost", 400, "invalid_query"),
        ("/orders?placed_from=yesterday", 400, "invalid_query"),
        ("/orders/o1?as_of_version=0", 400, "invalid_query"),
        ("/orders/o1?as_of_version=1&as_of=2010-12-01T08:26:00Z", 400, "invalid_query"),
        ("/orders/o1?as_of_version=1&min_position=soon", 400, "invalid_query"),
        ("/orders/o1?as_of=yesterday", 400, "invalid_query"),
        ("/orders?min_position=soon", 400, "invalid_query"),
        ("/reports/sales?group_by=year", 400, "invalid_query"),
        ("/reports/sales?group_by=month,month", 400, "invalid_query"),
        ("/reports/sales?from=2010-13-01", 400, "invalid_query"),
        ("/reports/sales?to=%2B10000-01-01", 400, "invalid_query"),
        ("/orders?sku=", 400, "invalid_query"),
        ("/orders?customer_id", 400, "invalid_query"),
        ("/shipments?status=", 400, "invalid_query"),
        ("/reports/sales?group_by=", 400, "invalid_query"),
        ("/products?limit=", 400, "invalid_limit"),
        ("/orders?bogus=1", 400, "invalid_query"),
        ("/orders?sku=%ff", 400, "invalid_query"),
        ("/orders/o1?bogus=1", 400, "invalid_query"),
        ("/products?order_id=o1", 400, "invalid_query"),
        ("/stock/a?bogus=1", 400, "invalid_query"),
        ("/customers?bogus", 400, "invalid_query"),
        ("/payments?bogus=1", 400, "invalid_query"),
        ("/shipments?limit=1&bogus=1", 400, "invalid_query"),
        ("/reports/sales?limit=1", 400, "invalid_query"),
        ("/projections?bogus=1", 400, "invalid_query"),
        ("/projections/orders?bogus=1", 400, "invalid_query"),
        ("/orders/none", 404, "order_not_found"),
        ("/products/none", 404, "product_not_found"),
        ("/stock/none", 404, "product_not_found"),
        ("/customers/none", 404, "customer_not_found"),
        ("/payments/none", 404, "payment_not_found"),
        ("/shipments/none", 404, "shipment_not_found"),
        ("/projections/none", 404, "projection_not_found"),
    ] {
        let answer = ask(&service, "GET", uri).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{uri}");
        if status == 400 {
            let wrong = answer.body["errors"][0]["detail"].as_str().unwrap();
            assert!(wrong.contains(' '), "{uri} is answered with words: {wrong}");
        }
    }
    let unknown = ask(&service, "GET", "/orders?bogus=1").await.body;
    assert!(unknown["detail"].as_str().unwrap().contains("`bogus`"), "{unknown}");
    service.shutdown().await;
}

async fn a_cursor_belongs_to_its_list_and_filters(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let mut end = 0;
    for id in ["o1", "o2", "o3"] {
        end = shop.completed_order(id, DAY, "a").await;
    }
    let service = shop.start().await;
    caught_up(&service, end).await;
    for (given, taken, status) in [
        ("/orders?", "/orders?", 200),
        ("/orders?", "/orders?limit=1&", 200),
        ("/orders?", "/orders?status=completed&", 400),
        ("/orders?status=completed&", "/orders?status=rejected&", 400),
        ("/orders?sku=a&", "/orders?customer_id=a&", 400),
        ("/payments?", "/payments?", 200),
        ("/payments?", "/payments?order_id=o1&", 400),
        ("/payments?", "/shipments?", 400),
    ] {
        let page = get(&service, &format!("{given}limit=2")).await;
        let cursor = page["next"].as_str().unwrap();
        let next = ask(&service, "GET", &format!("{taken}cursor={cursor}")).await;
        assert_eq!(next.status.as_u16(), status, "{given} {taken}");
        if status == 400 {
            assert_eq!(next.body["code"], "invalid_cursor", "{given} {taken}");
        }
    }
    service.shutdown().await;
}

async fn the_sales_report_counts_from_confirmation_less_cancelled_lines(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.completed_order("o1", DAY, "a").await;
    shop.append(DAY, &[placed("never", "a", 9)]).await;
    shop.append(
        "2010-12-02T09:00:00Z",
        &[placed("o2", "a", 4), ("OrderConfirmed", json!({ "order_id": "o2" }))],
    )
    .await;
    let cancelled = json!({ "order_id": "o2", "cancellation_id": "o2-c1", "lines": [{ "line": 1, "quantity": 1 }], "amount": 250 });
    let returned = json!({ "order_id": "o1", "return_id": "o1-r1", "lines": [{ "line": 1, "quantity": 2 }], "restock": true, "amount": 500 });
    let end = shop
        .append(
            "2011-01-05T09:00:00Z",
            &[("LinesCancelled", cancelled), ("ReturnReceived", returned)],
        )
        .await;
    let service = shop.start().await;
    let months = get(&service, &format!("/reports/sales?group_by=month&min_position={end}")).await;
    assert_eq!(
        months["rows"],
        json!([
            { "month": "2010-12", "currency": "GBP", "orders": 2, "units": 6, "sales": 1500, "returns": 0 },
            { "month": "2011-01", "currency": "GBP", "orders": 0, "units": 0, "sales": 0, "returns": 500 },
        ])
    );
    let both = get(&service, "/reports/sales?group_by=month,country&from=2011-01-01").await;
    assert_eq!(both["rows"][0]["country"], "France");
    assert_eq!(both["rows"].as_array().unwrap().len(), 1);
    let days = get(&service, "/reports/sales?group_by=day&to=2010-12-01").await;
    assert_eq!(
        days["rows"],
        json!([{ "day": "2010-12-01", "currency": "GBP", "orders": 1, "units": 3, "sales": 750, "returns": 0 }])
    );
    service.shutdown().await;
}

async fn a_stocked_product_has_zero_stock_from_its_registration_on(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let product = |sku: &str, stocked: bool| {
        let price = json!({ "amount": 250, "currency": "GBP" });
        let registered =
            json!({ "sku": sku, "name": "Mug", "unit_price": price, "stocked": stocked });
        ("ProductRegistered", registered)
    };
    let end = shop.append(DAY, &[product("mug", true), product("post", false)]).await;
    let service = shop.start().await;
    let zero = get(&service, &format!("/stock/mug?min_position={end}")).await;
    assert_eq!(
        zero,
        json!({ "sku": "mug", "available": 0, "reserved": 0, "on_hand": 0, "version": 0 })
    );
    assert_eq!(get(&service, "/stock").await["items"], json!([zero]));
    for sku in ["post", "none"] {
        let answer = ask(&service, "GET", &format!("/stock/{sku}")).await;
        assert_eq!(answer.status.as_u16(), 404, "{sku}");
        assert_eq!(answer.body["code"], "product_not_found", "{sku}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(sku) && detail.contains("not a stocked one"), "{detail}");
    }
    let received = ("StockReceived", json!({ "sku": "mug", "quantity": 4 }));
    let end = shop.append(DAY, &[received]).await;
    let four = get(&service, &format!("/stock/mug?min_position={end}")).await;
    assert_eq!((&four["available"], &four["version"]), (&json!(4), &json!(1)));
    service.shutdown().await;
}

async fn personal_data_is_opened_for_the_answer_and_gone_after_erasure(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let sealed = shop.vault.seal("customer-c1", br#""Ada Lovelace""#).await.unwrap();
    let name = json!({ "person": sealed.person, "sealed": sealed.sealed });
    let registered = shop
        .append(DAY, &[("CustomerRegistered", json!({ "customer_id": "c1", "name": name }))])
        .await;
    let service = shop.start().await;
    let customer = get(&service, &format!("/customers/c1?min_position={registered}")).await;
    assert_eq!((&customer["name"], &customer["erased"]), (&json!("Ada Lovelace"), &json!(false)));
    shop.vault.erase("customer-c1", DAY.parse().unwrap()).await.unwrap();
    let erased = shop.append(DAY, &[("CustomerErased", json!({ "customer_id": "c1" }))]).await;
    let customer = get(&service, &format!("/customers/c1?min_position={erased}")).await;
    assert_eq!((&customer["name"], &customer["erased"]), (&json!(null), &json!(true)));
    assert_eq!(get(&service, "/customers").await["items"][0]["erased"], true);
    service.shutdown().await;
}

async fn an_event_that_cannot_be_read_faults_its_projector_and_no_other(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    shop.append(
        DAY,
        &[placed("o1", "a", 1), ("StockReceived", json!({ "sku": "a", "quantity": 4 }))],
    )
    .await;
    let broken = shop.append_raw(DAY, "stock-a", "StockReceived", "{\"sku\":1}".into()).await;
    let end = shop.append(DAY, &[placed("o2", "a", 1)]).await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let stock = get(&service, "/projections/stock").await;
    assert_eq!((&stock["state"], &stock["fault"]["position"]), (&json!("faulted"), &json!(broken)));
    assert_eq!(stock["live_position"], broken - 1);
    let answer = ask(&service, "GET", "/stock/a").await;
    assert_eq!(
        (&answer.body["available"], &answer.body["stale"]["position"]),
        (&json!(4), &json!(broken))
    );
    assert_eq!(answer.headers["docket-stale"], "true");
    let waiting = ask(&service, "GET", &format!("/stock/a?min_position={end}")).await;
    assert_eq!(waiting.body["code"], "model_faulted");
    assert_eq!(get(&service, "/orders/o2").await["status"], "placed");
    let states = get(&service, "/projections").await;
    let running =
        states["items"].as_array().unwrap().iter().filter(|one| one["state"] == "running");
    assert_eq!(running.count(), Projector::ALL.len() - 1);
    service.shutdown().await;
}
