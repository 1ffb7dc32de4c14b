//! Answers that several services have a part in.

use serde_json::json;

use crate::access::{Shop, Who, guarded};

#[tokio::test]
async fn a_customer_sees_what_they_ordered_and_what_is_on_its_way_and_nobody_else_s() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let own = shop.get(Who::Owner, "/v1/dashboard").await.ok();
    assert_eq!(
        (&own["customer"]["id"], &own["customer"]["name"]),
        (&"17850".into(), &"A person".into())
    );
    assert_eq!(own["orders"][0]["id"], "first", "{own:#}");
    assert_eq!(own["open_shipments"][0]["order_id"], "first", "{own:#}");
    assert_eq!((&own["partial"], &own["missing"]), (&false.into(), &json!([])));
    let unread = &own["unread_notices"];
    assert_eq!(unread[0]["event_type"], "order.confirmed", "{own:#}");
    assert_eq!(
        (unread.as_array().map(Vec::len), &unread[0]["data"]["order_id"]),
        (Some(1), &json!("first"))
    );
    for part in ["customer", "orders", "open_shipments"] {
        assert!(own["positions"][part].is_string(), "{part}: {own:#}");
    }
    let named = shop.get(Who::Support, "/v1/dashboard?customer_id=17850&orders=1").await.ok();
    assert_eq!(named["orders"], own["orders"]);
    let other = shop.get(Who::Other, "/v1/dashboard").await.ok();
    assert_eq!((&other["orders"], &other["open_shipments"]), (&json!([]), &json!([])), "{other:#}");

    assert_eq!(other["unread_notices"], json!([]));

    let notice = unread[0]["id"].as_str().unwrap();
    let hidden = shop.get(Who::Other, "/v1/notices?customer_id=17850").await;
    assert_eq!(hidden.problem(), (404, "customer_not_found"));
    let path = format!("/v1/notices/{notice}/read");
    for (who, path, problem) in [
        (Who::Other, &*path, (404, "notice_not_found")),
        (Who::Owner, "/v1/notices/none/read", (404, "notice_not_found")),
        (Who::Support, &*path, (403, "forbidden")),
    ] {
        let answer = shop.post(who, path, "read", &json!({})).await;
        assert_eq!(answer.problem(), problem, "{who:?} {path}");
    }
    let read = shop.post(Who::Owner, &path, "read", &json!({})).await.ok();
    assert!(read["read_at"].is_string(), "{read:#}");
    let own = shop.get(Who::Owner, "/v1/dashboard").await.ok();
    assert_eq!(own["unread_notices"], json!([]));
    let kept = shop.get(Who::Owner, "/v1/notices").await.ok();
    assert_eq!(kept["items"], json!([read]));

    let hidden = shop.get(Who::Other, "/v1/dashboard?customer_id=17850").await;
    assert_eq!(hidden.problem(), (404, "customer_not_found"));
    let nobody = shop.get(Who::Operator, "/v1/dashboard?customer_id=no%26limit%3D1").await;
    assert_eq!(nobody.problem(), (404, "customer_not_found"));
    for wrong in ["", "?customer_id=", "?customer_id=17850&orders=11", "?customer_id=17850&x=1"] {
        let answer = shop.get(Who::Operator, &format!("/v1/dashboard{wrong}")).await;
        assert_eq!(answer.problem(), (400, "invalid_query"), "{wrong}");
    }
}

#[tokio::test]
async fn an_operator_sees_what_needs_a_person() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let overview = shop.get(Who::Operator, "/v1/overview").await.ok();
    assert_eq!(overview["projections"].as_array().map(Vec::len), Some(7), "{overview:#}");
    for part in ["sagas_in_attention", "dead_letters", "orders_on_hold"] {
        assert_eq!(overview[part], json!([]), "{part}");
    }
    assert_eq!(overview["partial"], false);
}
