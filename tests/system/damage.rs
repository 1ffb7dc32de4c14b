//! A damaged file: what the log can give back is built anew, and nothing else is touched.

use serde_json::{Value, json};

use crate::platform::{Data, Platform, docket, text};
use crate::shop::{order, why};

/// What a process says that refuses to start on this data.
async fn refused(data: &Data) -> String {
    let refused = data.docket(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    text(&refused)
}

#[tokio::test]
async fn a_log_or_a_ledger_that_is_gone_or_empty_is_refused_and_what_is_left_stays() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 10).await;
    platform.settle().await;
    platform.terminate().await;
    let file = |name: &str| data.path().join(name);
    let before = data.digest().await;
    for name in ["log.db", "payments-simulator.db"] {
        std::fs::rename(file(name), file("aside")).unwrap();
        let said = refused(&data).await;
        assert!(said.contains(name) && said.contains("is missing"), "{said}");
        assert!(!file(name).exists());
        std::fs::rename(file("aside"), file(name)).unwrap();
    }
    std::fs::rename(file("log.db"), file("aside")).unwrap();
    std::fs::write(file("log.db"), b"").unwrap();
    let said = refused(&data).await;
    assert!(said.contains("holds no events") && said.contains("position 2"), "{said}");
    std::fs::rename(file("aside"), file("log.db")).unwrap();
    for name in ["log.db-wal", "log.db-shm"] {
        let _ = std::fs::remove_file(file(name));
    }
    assert_eq!(data.digest().await, before);
    data.verify().await;
}

/// Leaves a platform's data behind: twenty orders of one product, `o0` to `o19`.
async fn twenty_orders(data: &Data) {
    let platform = Platform::start(data).await;
    platform.sell("22423", 100).await;
    for n in 0..20 {
        platform.place(&order(&format!("o{n}"), "22423", "pm_ok")).await;
    }
    platform.settle().await;
    platform.terminate().await;
}

/// Writes over the middle of a file: it opens as before, and what is read from there is nonsense.
fn break_the_middle(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let (from, to) = (4096 * 2, bytes.len());
    bytes[from..to].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_model_that_is_damaged_in_the_middle_is_replaced_by_a_rebuild() {
    let data = Data::new();
    twenty_orders(&data).await;
    let before = data.digest().await;

    break_the_middle(&data.path().join("projections/orders.g1.db"));
    let replayed = data.docket(&["replay", "--projection", "orders"]).await;
    assert!(replayed.status.success(), "{}", text(&replayed));
    assert!(text(&replayed).contains("the old one could not be read"), "{}", text(&replayed));
    assert_eq!(data.digest().await, before);

    break_the_middle(&data.path().join("projections/orders.g2.db"));
    let platform = Platform::start(&data).await;
    let why = json!({ "reason": "it is damaged" });
    platform.post("/v1/projections/orders/rebuild", "again", &why).await.ok();
    let model = platform
        .until("/v1/projections/orders", |model| {
            assert!(model["last_rebuild"]["cause"].is_null(), "{model}");
            model["generation"] == 3
        })
        .await;
    assert!(model["kept"].is_null(), "nobody goes back to a damaged one: {model}");
    assert_eq!(platform.get("/v1/orders/o7").await.ok()["status"], json!("confirmed"));
    platform.terminate().await;
    assert_eq!(data.digest().await, before);
    data.verify().await;
}

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

#[tokio::test]
async fn a_log_that_is_damaged_in_the_middle_is_named_with_what_to_do_by_whatever_meets_it() {
    let data = Data::new();
    twenty_orders(&data).await;
    let file = data.path().join("log.db");
    // Neither what a start looks at, at the beginning, nor the last events.
    let mut bytes = std::fs::read(&file).unwrap();
    let pages = bytes.len() / 4096;
    bytes[4096 * (pages / 3)..4096 * (pages * 2 / 3)].fill(0xff);
    std::fs::write(&file, &bytes).unwrap();
    let names_it = |said: &str| {
        assert!(said.contains("log.db") && said.contains("backup"), "{said}");
    };
    names_it(&text(&data.docket(&["verify"]).await));
    let mut dev = docket(&["dev", "--listen", "127.0.0.1:0"]);
    dev.arg("--data-dir").arg(data.path());
    let started = Platform::try_of(dev).await;
    match started {
        None => names_it(&refused(&data).await),
        Some(platform) => {
            let mut answers = Vec::new();
            for n in 0..20 {
                let path = format!("/v1/orders/o{n}/hold");
                answers.push(platform.post(&path, &path, &why("fraud?")).await);
            }
            let met = answers.iter().find(|answer| answer.status == 503).unwrap();
            assert_eq!(met.problem(), (503, "unavailable"));
            names_it(met.body["detail"].as_str().unwrap());
            let is_down = |health: &Value| health["parts"]["event_log"] != "up";
            let ready = platform.until("/health/ready", is_down).await;
            assert_eq!(ready["status"], "not_ready", "{ready}");
            names_it(ready["parts"]["event_log"].as_str().unwrap());
            platform.terminate().await;
        }
    }
}
