//! The example day of the real shop, through the whole platform.

use std::process::Output;

use serde_json::{Value, json};

use crate::platform::{Data, Platform, docket, example_day, text};

/// Imports the example day; the report.
pub(crate) async fn import(platform: &Platform, words: &[&str]) -> Output {
    docket(&["import", "online-retail", "--json", "--url", &platform.url])
        .args(words)
        .arg(example_day())
        .output()
        .await
        .unwrap()
}

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn the_example_day_reconciles_to_the_penny_and_again_changes_nothing() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    let first = report(&import(&platform, &[]).await);
    assert_eq!(first["orders"], 127);
    assert_eq!(first["sales"], 5_896_079);
    assert_eq!(first["rows"]["sale"], 3_072);
    assert_eq!(first["rows"]["correction"], 10);
    let returns =
        ["return", "unmatched_return"].map(|class| first["rows"][class].as_u64().unwrap());
    assert_eq!(returns.iter().sum::<u64>(), 26);
    assert_eq!(first["outcomes"], json!({ "completed": 127, "rejected": 0 }));
    platform.settle().await;
    let sales = platform.get("/v1/reports/sales?group_by=month").await.ok();
    assert_eq!(sales["rows"][0]["sales"], 5_896_079, "{sales:#}");
    assert_eq!(sales["rows"][0]["orders"], 127);

    let events = platform.get("/v1/projections").await.ok()["items"][0]["head"].clone();
    let mut again = report(&import(&platform, &[]).await);
    again["seconds"] = first["seconds"].clone();
    assert_eq!(again, first, "running it again gives the same report");
    let head = platform.get("/v1/projections").await.ok()["items"][0]["head"].clone();
    assert_eq!(head, events, "and changes nothing");
    platform.terminate().await;
    data.verify().await;
}

#[tokio::test]
async fn with_too_little_stock_most_orders_are_rejected_and_nothing_is_oversold() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    let report = report(&import(&platform, &["--opening-stock", "10"]).await);
    let count = |end: &str| report["outcomes"][end].as_u64().unwrap_or_default();
    assert_eq!(count("completed") + count("rejected"), 127, "{report:#}");
    assert!(count("rejected") > 60, "{report:#}");
    platform.settle().await;
    platform.kill().await;
    data.verify().await;
}
