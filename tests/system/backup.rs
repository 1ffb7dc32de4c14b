//! A backup taken while the platform works, and what is put back from it.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::import::{import, the_day_reconciles};
use crate::platform::{Data, Platform, docket, text};
use crate::shop::{order, why};

/// Events after which an import of the example day is well under way, and far from its end.
const UNDER_WAY: u64 = 2_000;

fn path_of(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

/// Takes a backup; its manifest.
async fn backup(data: &Data, target: &Path, words: &[&str]) -> Value {
    let words = [&["backup", path_of(target), "--json"], words].concat();
    let output = data.docket(&words).await;
    assert!(output.status.success(), "{}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn restore(source: &Path, into: &Path, words: &[&str]) -> Output {
    let words = [&["restore", path_of(source), "--data-dir", path_of(into)], words].concat();
    docket(&words).output().await.unwrap()
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    assert!(text(output).contains(why), "{}", text(output));
}

async fn receive(platform: &Platform, key: &str) -> Value {
    platform.post("/v1/stock/EXTRA/receive", key, &json!({ "quantity": 1 })).await.ok()
}

/// Receives unit after unit until told to stop; the answers, each with its key.
async fn keep_receiving(platform: &Platform, stop: &CancellationToken) -> Vec<(String, Value)> {
    let mut acknowledged = Vec::new();
    while !stop.is_cancelled() {
        let key = format!("unit-{}", acknowledged.len());
        let answer = receive(platform, &key).await;
        acknowledged.push((key, answer));
    }
    acknowledged
}

#[tokio::test]
async fn a_backup_of_an_import_under_way_has_all_that_was_acknowledged_and_the_import_goes_on() {
    let (data, folder) = (Data::new(), tempfile::tempdir().unwrap());
    let (target, new) = (folder.path().join("backup"), Data::new());
    let platform = Platform::start(&data).await;
    platform.sell("EXTRA", 0).await;
    let stop = CancellationToken::new();
    let (cut_off, acknowledged, manifest) = tokio::join!(
        async {
            tokio::select! {
                ended = import(&platform, &[]) => panic!("it ended too soon: {}", text(&ended)),
                () = stop.cancelled() => true,
            }
        },
        keep_receiving(&platform, &stop),
        async {
            let far = |list: &Value| list["items"][0]["head"].as_u64().unwrap() > UNDER_WAY;
            platform.until("/v1/projections", far).await;
            let manifest = backup(&data, &target, &[]).await;
            let then = manifest["log"]["position"].as_u64().unwrap();
            let on = |list: &Value| list["items"][0]["head"].as_u64().unwrap() > then + 500;
            platform.until("/v1/projections", on).await;
            stop.cancel();
            manifest
        },
    );
    assert!(cut_off);
    platform.kill().await;

    let restored = restore(&target, new.path(), &[]).await;
    assert!(restored.status.success(), "{}", text(&restored));
    new.verify().await;
    let platform = Platform::start(&new).await;
    platform.settle().await;
    let then = manifest["log"]["position"].as_u64().unwrap();
    let position = |answer: &Value| answer["position"].as_u64().unwrap();
    let (before, after): (Vec<_>, Vec<_>) =
        acknowledged.into_iter().partition(|(_, answer)| position(answer) <= then);
    assert!(!before.is_empty() && !after.is_empty(), "the backup was in the middle");
    let stock = platform.get("/v1/stock/EXTRA").await.ok();
    assert_eq!(stock["available"], before.len(), "what came after the backup is not in it");
    for (key, answer) in &before {
        assert_eq!(receive(&platform, key).await, *answer, "the same answer for ever");
    }
    assert_eq!(platform.get("/v1/stock/EXTRA").await.ok()["available"], before.len());
    the_day_reconciles(&platform).await;
    platform.terminate().await;
    new.verify().await;
}

#[tokio::test]
async fn what_is_put_back_is_another_epoch_and_read_models_and_sagas_go_on_in_it() {
    let (data, folder, new) = (Data::new(), tempfile::tempdir().unwrap(), Data::new());
    let target = folder.path().join("backup");
    let platform = Platform::start(&data).await;
    platform.sell("A", 10).await;
    platform.place(&order("o1", "A", "pm_ok")).await;
    platform.settle().await;
    backup(&data, &target, &[]).await;
    platform.sell("B", 10).await;
    let lost = platform.get("/v1/products").await.header("docket-position").to_owned();
    platform.terminate().await;

    let restored = restore(&target, new.path(), &[]).await;
    assert!(restored.status.success(), "{}", text(&restored));
    let platform = Platform::start(&new).await;
    let models = platform.get("/v1/projections/orders").await.ok();
    assert_eq!(models["generation"], 1, "it goes on, and is not built anew: {models:#}");
    let refused = platform.get(&format!("/v1/products?min_position={lost}")).await;
    assert_eq!(refused.problem(), (409, "position_of_another_history"));
    platform.deliver("o1").await;
    platform.until("/v1/orders/o1", |order| order["status"] == "completed").await;
    platform.settle().await;
    platform.terminate().await;
    assert!(!new.path().join("sagas.db.before-epoch-3").exists(), "the sagas went on too");
    new.verify().await;
}

#[tokio::test]
async fn a_backup_that_is_damaged_or_not_whole_or_has_no_empty_folder_is_refused() {
    let (data, folder) = (Data::new(), tempfile::tempdir().unwrap());
    let (target, new) = (folder.path().join("backup"), folder.path().join("new"));
    let platform = Platform::start(&data).await;
    platform.sell("A", 10).await;
    platform.settle().await;
    platform.terminate().await;
    backup(&data, &target, &[]).await;
    refused(&data.docket(&["backup", path_of(&target)]).await, "is not empty");
    let inside = data.path().join("backups/of-today");
    refused(&data.docket(&["backup", path_of(&inside)]).await, "lies in the data folder");
    assert!(!data.path().join("backups").exists(), "nothing was made there");
    refused(&restore(&target, data.path(), &[]).await, "is not empty");
    data.verify().await;

    let sagas = target.join("sagas.db");
    let right = std::fs::read(&sagas).unwrap();
    let mut wrong = right.clone();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 1;
    std::fs::write(&sagas, wrong).unwrap();
    refused(&restore(&target, &new, &[]).await, "sagas.db is damaged");
    assert_eq!(std::fs::read_dir(&new).unwrap().count(), 0, "nothing was put there");
    std::fs::write(&sagas, right).unwrap();
    std::fs::rename(target.join("manifest.json"), folder.path().join("aside")).unwrap();
    refused(&restore(&target, &new, &[]).await, "is no whole backup");
    std::fs::rename(folder.path().join("aside"), target.join("manifest.json")).unwrap();
    let restored = restore(&target, &new, &[]).await;
    assert!(restored.status.success(), "{}", text(&restored));
}

#[tokio::test]
async fn p13_erasable_with_the_newest_keys_whoever_was_erased_since_stays_unreadable() {
    let (data, folder, new) = (Data::new(), tempfile::tempdir().unwrap(), Data::new());
    let [old_keys, target, keys] =
        ["old-keys", "data", "keys"].map(|name| folder.path().join(name));
    let platform = Platform::start(&data).await;
    let customer = |id: &str| json!({ "customer_id": id, "name": format!("{id} Other") });
    for id in ["ada", "bob"] {
        platform.post("/v1/customers", id, &customer(id)).await.ok();
    }
    backup(&data, &old_keys, &["--keys-only"]).await;
    platform.post("/v1/customers", "cyd", &customer("cyd")).await.ok();
    backup(&data, &target, &["--without-keys"]).await;
    for name in ["keys.db", "master.key"] {
        assert!(!target.join(name).exists(), "{name}");
    }
    platform.post("/v1/customers/ada/erase", "erase", &why("asked for it")).await.ok();
    backup(&data, &keys, &["--keys-only"]).await;
    assert!(!keys.join("log.db").exists());
    platform.terminate().await;

    refused(&restore(&target, new.path(), &[]).await, "was made without keys");
    refused(&restore(&keys, new.path(), &[]).await, "holds keys only");
    let older = restore(&target, new.path(), &["--keys", path_of(&old_keys)]).await;
    refused(&older, "there would be no key");
    let restored = restore(&target, new.path(), &["--keys", path_of(&keys)]).await;
    assert!(restored.status.success(), "{}", text(&restored));
    let platform = Platform::start(&new).await;
    platform.settle().await;
    let name =
        async |id: &str| platform.get(&format!("/v1/customers/{id}")).await.ok()["name"].clone();
    assert_eq!(name("ada").await, Value::Null, "her erasure is not in the log, her key is gone");
    assert_eq!((name("bob").await, name("cyd").await), (json!("bob Other"), json!("cyd Other")));
    platform.terminate().await;
    new.verify().await;
}
