//! The example day of the real shop, through the whole platform.

use std::path::{Path, PathBuf};
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

/// Imports the example day, which comes to what the shop says, and again, which changes nothing.
pub(crate) async fn the_day_reconciles(platform: &Platform) {
    let first = report(&import(platform, &[]).await);
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
    let mut again = report(&import(platform, &[]).await);
    again["seconds"] = first["seconds"].clone();
    assert_eq!(again, first, "running it again gives the same report");
    let head = platform.get("/v1/projections").await.ok()["items"][0]["head"].clone();
    assert_eq!(head, events, "and changes nothing");
}

#[tokio::test]
async fn the_example_day_reconciles_to_the_penny_and_again_changes_nothing() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    the_day_reconciles(&platform).await;
    platform.terminate().await;
    data.verify().await;
}

/// Imports the example day into a shop that has so many units of everything; how many orders are rejected and undone.
pub(crate) async fn rejected_with_stock(platform: &Platform, units: &str) -> u64 {
    let report = report(&import(platform, &["--opening-stock", units]).await);
    let count = |end: &str| report["outcomes"][end].as_u64().unwrap_or_default();
    assert_eq!(count("completed") + count("rejected"), 127, "{report:#}");
    platform.settle().await;
    count("rejected")
}

#[tokio::test]
async fn with_too_little_stock_most_orders_are_rejected_and_nothing_is_oversold() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    assert!(rejected_with_stock(&platform, "10").await > 60);
    platform.kill().await;
    data.verify().await;
}

/// The example day in two files, cut in the middle between two invoices; the second ends without a line break.
fn pieces(folder: &Path) -> [PathBuf; 2] {
    let day = std::fs::read_to_string(example_day()).unwrap();
    let (header, rows) = day.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let invoice = |row: &str| row.split(',').next().unwrap().to_owned();
    let middle = rows.len() / 2;
    let cut = (middle..rows.len()).find(|at| invoice(rows[*at]) != invoice(rows[at - 1])).unwrap();
    [("morning", &rows[..cut], "\n"), ("evening", &rows[cut..], "")].map(|(name, rows, end)| {
        let path = folder.join(format!("{name}.csv"));
        std::fs::write(&path, format!("{header}\n{}{end}", rows.join("\n"))).unwrap();
        path
    })
}

async fn import_file(platform: &Platform, file: &Path) -> Output {
    let words = ["import", "online-retail", "--json", "--url", &platform.url];
    docket(&words).arg(file).output().await.unwrap()
}

#[tokio::test]
async fn a_day_in_two_runs_ends_as_in_one_and_a_changed_file_is_named() {
    let whole = Data::new();
    let platform = Platform::start(&whole).await;
    let one = report(&import(&platform, &[]).await);
    platform.settle().await;
    platform.terminate().await;

    let (data, folder) = (Data::new(), tempfile::tempdir().unwrap());
    let platform = Platform::start(&data).await;
    let files = pieces(folder.path());
    let mut parts = Vec::new();
    for file in &files {
        parts.push(report(&import_file(&platform, file).await));
    }
    for sum in ["/orders", "/sales", "/returns", "/unmatched_returns", "/rows/return"] {
        let of = |report: &Value| report.pointer(sum).unwrap().as_i64().unwrap();
        assert_eq!(parts.iter().map(of).sum::<i64>(), of(&one), "{sum}");
    }
    platform.settle().await;
    let changed = std::fs::read_to_string(&files[0]).unwrap().replacen(",6,", ",7,", 1);
    std::fs::write(&files[0], changed).unwrap();
    let refused = import_file(&platform, &files[0]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("morning.csv:2: order 536365: idempotency_key_reused"), "{said}");
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(report["outcomes"]["refused"], 1);
    platform.terminate().await;
    data.verify().await;

    // The changed file brought opening stock of its own; all else is as in one run.
    let but_stock = |digest: String| -> Vec<String> {
        digest.lines().filter(|line| !line.starts_with("stock")).map(str::to_owned).collect()
    };
    assert_eq!(but_stock(data.digest().await), but_stock(whole.digest().await));
}
