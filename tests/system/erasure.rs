//! P13: a person's data can be made unreadable everywhere.

use std::path::Path;

use serde_json::json;

use crate::platform::{Data, Platform};
use crate::shop::{order, why};

/// What of the person must not be found anywhere: distinctive texts.
const TRACES: [&str; 5] = [
    "Zebulon Quirkwood",
    "zebulon@quirkwood.example",
    "+44 1234 987654",
    "17 Thistledown Mews",
    "QZ9 8XW",
];

/// Registers a person, lets it order, and erases it; it sells what it needs.
pub(crate) async fn erase_a_person(platform: &Platform) {
    platform.sell("zither", 10).await;
    for (id, name) in [("erased", TRACES[0]), ("kept", "Ada Other")] {
        let customer =
            json!({ "customer_id": id, "name": name, "email": TRACES[1], "phone": TRACES[2] });
        platform.post("/v1/customers", id, &customer).await.ok();
        let mut order = order(&format!("o-{id}"), "zither", "pm_ok");
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

    let erased =
        platform.post("/v1/customers/erased/erase", "erase", &why("asked for it")).await.ok();
    let path = format!("/v1/customers/erased?min_position={}", erased["position"]);
    // Other processes forget the key when they hear of it.
    platform.until(&path, |person| person["name"].is_null() && person["email"].is_null()).await;
    let order = "/v1/orders/o-erased";
    let order = platform.until(order, |order| order["shipping_address"]["name"].is_null()).await;
    assert_eq!(order["shipping_address"]["country"], "United Kingdom");
    assert_eq!(platform.get("/v1/orders/o-kept").await.ok(), kept, "others are untouched");
}

#[tokio::test]
async fn p13_erasable_no_byte_of_the_person_is_left() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    erase_a_person(&platform).await;
    platform.terminate().await;

    assert!(data.path().join("log.db").is_file());
    let found = search(data.path());
    assert!(found.is_empty(), "{found:#?}");
    data.verify().await;
}

/// Where in a folder's files something of the person stands.
pub(crate) fn search(folder: &Path) -> Vec<String> {
    find(folder, &TRACES)
}

/// Where in a folder's files one of these texts stands.
pub(crate) fn find(folder: &Path, traces: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(find(&path, traces));
            continue;
        }
        // A server that runs deletes files at any time.
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for trace in traces {
            if bytes.windows(trace.len()).any(|window| window == trace.as_bytes()) {
                found.push(format!("{trace} in {}", path.display()));
            }
        }
    }
    found
}
