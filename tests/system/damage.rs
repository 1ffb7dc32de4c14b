//! A damaged file: what the log can give back is built anew, and nothing else is touched.

use serde_json::json;

use crate::platform::{Data, Platform, text};
use crate::shop::order;

static GARBAGE: [u8; 20_000] = [0x5a; 20_000];

#[tokio::test]
async fn a_damaged_read_model_is_named_and_built_anew_and_a_damaged_key_file_is_left_alone() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 10).await;
    platform.place(&order("o", "22423", "pm_ok")).await;
    platform.settle().await;
    platform.terminate().await;
    let before = data.digest().await;
    std::fs::write(data.path().join("projections/orders.g1.db"), GARBAGE).unwrap();

    let verified = data.docket(&["verify"]).await;
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified));
    let said = text(&verified);
    assert!(said.contains("orders.g1.db") && said.contains("1 finding."), "{said}");

    let platform = Platform::start(&data).await;
    platform.settle().await;
    assert_eq!(platform.get("/v1/orders/o").await.ok()["status"], json!("confirmed"));
    platform.terminate().await;
    data.verify().await;
    assert_eq!(data.digest().await, before);

    std::fs::write(data.path().join("sagas.db"), GARBAGE).unwrap();
    let refused = data.docket(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    let said = text(&refused);
    assert!(said.contains("sagas.db") && said.contains("nothing was changed"), "{said}");
    assert_eq!(std::fs::read(data.path().join("sagas.db")).unwrap(), GARBAGE);
}
