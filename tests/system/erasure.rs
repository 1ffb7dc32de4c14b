//! P13: a person's data can be made unreadable everywhere.

use std::path::Path;

use serde_json::json;

use crate::platform::{Data, Platform};
use crate::shop::order;

/// What of the person must not be found anywhere: distinctive texts.
const TRACES: [&str; 5] = [
    "Zebulon Quirkwood",
    "zebulon@quirkwood.example",
    "+44 1234 987654",
    "17 Thistledown Mews",
    "QZ9 8XW",
];

#[tokio::test]
async fn p13_erasable_no_byte_of_the_person_is_left() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 10).await;
    for (id, name) in [("erased", TRACES[0]), ("kept", "Ada Other")] {
        let customer =
            json!({ "customer_id": id, "name": name, "email": TRACES[1], "phone": TRACES[2] });
        platform.post("/v1/customers", id, &customer).await.ok();
        let mut order = order(&format!("o-{id}"), "22423", "pm_ok");
        order["customer_id"] = json!(id);
        order["shipping_address"] = json!({
            "country": "United Kingdom", "name": name, "lines": [TRACES[3]], "postcode": TRACES[4],
        });
        platform.place(&order).await;
    }
    platform.settle().await;
    let before = platform.get("/v1/customers/erased").await.ok();
    assert_eq!(before["name"], TRACES[0], "readable before");
    let kept = platform.get("/v1/orders/o-kept").await.ok();

    let erased = platform.post("/v1/customers/erased/erase", "erase", &json!({})).await.ok();
    let path = format!("/v1/customers/erased?min_position={}", erased["position"]);
    let after = platform.get(&path).await.ok();
    assert!(after["name"].is_null() && after["email"].is_null(), "{after:#}");
    let order = platform.get("/v1/orders/o-erased").await.ok();
    assert_eq!(order["shipping_address"]["country"], "United Kingdom");
    assert!(order["shipping_address"]["name"].is_null(), "{order:#}");
    assert_eq!(platform.get("/v1/orders/o-kept").await.ok(), kept, "others are untouched");
    platform.terminate().await;

    let found = search(data.path());
    assert!(found.is_empty(), "{found:#?}");
    data.verify().await;
}

fn search(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(search(&path));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        for trace in TRACES {
            if bytes.windows(trace.len()).any(|window| window == trace.as_bytes()) {
                found.push(format!("{trace} in {}", path.display()));
            }
        }
    }
    found
}
