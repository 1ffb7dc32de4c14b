//! What was put back from a backup beside newer files. A log: said aloud, a new epoch, everything made anew. Keys and master
//! keys that do not belong to the data: refused. Older keys: erased people stay erased.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use event_store::keys::sqlite::SqliteKeys;
use event_store::keys::{KeyState, KeyStore as _};
use serde_json::{Value, json};

use crate::platform::{Data, Platform, docket, text};
use crate::shop::{order, why};

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

/// The content of every file, but for what every start writes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files = files.filter(|path| path.is_file() && name(path) != "docket.lock");
    let files = files.map(|path| (name(&path), fs::read(path).unwrap()));
    files.filter(|(name, bytes)| !holds_nothing(name, bytes)).collect()
}

/// The files that are there no more, or are new, or hold something else.
fn changed(before: BTreeMap<String, Vec<u8>>, mut after: BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut changed: Vec<String> = Vec::new();
    for (name, bytes) in before {
        if after.remove(&name) != Some(bytes) {
            changed.push(name);
        }
    }
    changed.extend(after.into_keys());
    changed
}

/// What SQLite may leave beside a file, or take away there, when two connections close at the same moment.
fn holds_nothing(name: &str, bytes: &[u8]) -> bool {
    name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty())
}

fn skus(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_restored_log_is_another_history_and_the_platform_goes_on_from_it() {
    let data = Data::new();
    let (log, backup) = (data.path().join("log.db"), data.path().join("backup.db"));
    let platform = Platform::start(&data).await;
    platform.sell("A", 10).await;
    platform.place(&order("o1", "A", "pm_ok")).await;
    platform.settle().await;
    platform.terminate().await;
    copy(&log, &backup);

    let platform = Platform::start(&data).await;
    platform.sell("B", 10).await;
    platform.deliver("o1").await;
    platform.settle().await;
    let before = platform.get("/v1/products").await.header("docket-position").to_owned();
    platform.terminate().await;
    copy(&backup, &log);

    let platform = Platform::start(&data).await;
    platform.settle().await;
    let products = platform.get("/v1/products").await;
    let after = products.header("docket-position").to_owned();
    assert_eq!(skus(&products.body), ["A"], "B was sold in another history");
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split('-').collect(), after.split('-').collect());
    assert_eq!((old[0], old[1], new[0], new[1]), (new[0], "1", new[0], "2"));
    let refused = platform.get(&format!("/v1/products?min_position={before}")).await;
    assert_eq!(refused.problem(), (409, "position_of_another_history"));
    platform.get(&format!("/v1/products?min_position={after}")).await.ok();
    let found = platform.get("/v1/orders/o1").await.ok();
    assert_eq!(found["status"], "confirmed", "its delivery is in another history");
    let saga = platform.get("/v1/sagas/order-o1").await.ok();
    assert_eq!(saga["state"], "waiting");
    // A shop that goes on: new products, and the sagas know their orders.
    platform.sell("C", 10).await;
    platform.place(&order("o2", "C", "pm_ok")).await;
    platform.settle().await;
    platform.terminate().await;
    assert!(data.path().join("sagas.db.before-epoch-2").is_file());

    let platform = Platform::start(&data).await;
    let again = platform.get("/v1/products").await;
    assert_eq!(again.header("docket-position").split('-').nth(1), Some("2"), "no further epoch");
    platform.terminate().await;
}

#[tokio::test]
async fn another_master_key_and_missing_keys_are_refused_and_change_nothing() {
    let data = Data::new();
    let (master, keys) = (data.path().join("master.key"), data.path().join("keys.db"));
    let platform = Platform::start(&data).await;
    let customer = json!({ "customer_id": "ada", "name": "Ada Other" });
    platform.post("/v1/customers", "ada", &customer).await.ok();
    platform.settle().await;
    platform.terminate().await;
    let right = fs::read(&master).unwrap();

    fs::write(&master, [7; 32]).unwrap();
    let before = contents(data.path());
    let refused = data.docket(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("master.key is not the master key of"), "{}", text(&refused));
    let changed = changed(before, contents(data.path()));
    assert!(changed.is_empty(), "{changed:?} changed: {}", text(&refused));
    let verified = data.docket(&["verify"]).await;
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified));
    assert!(text(&verified).contains("P13: "), "{}", text(&verified));
    fs::write(&master, right).unwrap();

    let aside = data.path().join("aside.db");
    fs::rename(&keys, &aside).unwrap();
    let refused = data.docket(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("keys.db is missing"), "{}", text(&refused));
    let verified = data.docket(&["verify"]).await;
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified));
    assert!(text(&verified).contains("keys.db is missing"), "{}", text(&verified));
    fs::rename(&aside, &keys).unwrap();

    let platform = Platform::start(&data).await;
    assert_eq!(platform.get("/v1/customers/ada").await.ok()["name"], "Ada Other");
    platform.terminate().await;
    data.verify().await;

    let nowhere = data.path().join("nowhere");
    let mut unable = docket(&["verify", "--data-dir"]);
    let unable = unable.arg(data.path()).env("TMPDIR", &nowhere).output().await.unwrap();
    assert_eq!(
        unable.status.code(),
        Some(2),
        "a folder of ours is no fault of the data: {}",
        text(&unable)
    );
}

fn is_on_disk(folder: &Path, bytes: &[u8]) -> bool {
    contents(folder).values().any(|file| file.windows(bytes.len()).any(|part| part == bytes))
}

#[tokio::test]
async fn whoever_was_erased_stays_erased_when_older_keys_are_put_back() {
    let (data, aside) = (Data::new(), Data::new());
    let (keys, backup) = (data.path().join("keys.db"), aside.path().join("keys.db"));
    let platform = Platform::start(&data).await;
    platform.sell("A", 10).await;
    for (id, name) in [("ada", "Ada Other"), ("bob", "Bob Another")] {
        let customer = json!({ "customer_id": id, "name": name });
        platform.post("/v1/customers", id, &customer).await.ok();
    }
    let mut guest = order("o1", "A", "pm_ok");
    guest["shipping_address"]["name"] = json!("Zebulon Quirkwood");
    platform.place(&guest).await;
    platform.settle().await;
    platform.terminate().await;
    copy(&keys, &backup);

    let platform = Platform::start(&data).await;
    platform.post("/v1/customers/ada/erase", "erase", &why("asked for it")).await.ok();
    platform.post("/v1/orders/o1/erase", "erase-o1", &why("asked for it")).await.ok();
    platform.terminate().await;
    data.verify().await;
    copy(&backup, &keys);
    let verified = data.docket(&["verify"]).await;
    assert_eq!(verified.status.code(), Some(1), "{}", text(&verified));
    let found = "P13: customer-ada was erased";
    assert!(text(&verified).contains(found), "{}", text(&verified));
    let store = SqliteKeys::open_read_only(&backup).await.unwrap();
    let mut returned = Vec::new();
    for person in ["customer-ada", "order-o1"] {
        let KeyState::Present(key) = store.find(person).await.unwrap() else { panic!("{person}") };
        assert!(is_on_disk(data.path(), &key.wrapped), "the backup is in place");
        returned.push(key.wrapped);
    }
    store.close().await;

    let platform = Platform::start(&data).await;
    assert!(platform.get("/v1/customers/ada").await.ok()["name"].is_null());
    let order = platform.get("/v1/orders/o1").await.ok();
    assert!(order["shipping_address"]["name"].is_null(), "{order:#}");
    assert_eq!(platform.get("/v1/customers/bob").await.ok()["name"], "Bob Another");
    platform.terminate().await;
    for key in returned {
        assert!(!is_on_disk(data.path(), &key), "the key is gone from every file");
    }
    data.verify().await;
}
