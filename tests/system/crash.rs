//! `kill -9` in the middle of an import; then it goes on, and the end is the same.

use std::time::Duration;

use crate::import::import;
use crate::platform::{Data, Platform, docket, example_day};

/// Events in the log when the process is killed; two moments that differ in what is under way.
const KILLS: [u64; 2] = [2_500, 6_500];

#[tokio::test]
async fn p1_durable_an_import_that_is_killed_ends_as_one_that_was_not() {
    let undisturbed = Data::new();
    let platform = Platform::start(&undisturbed).await;
    assert!(import(&platform, &[]).await.status.success());
    platform.settle().await;
    platform.terminate().await;

    let disturbed = Data::new();
    for events in KILLS {
        let platform = Platform::start(&disturbed).await;
        let mut client = docket(&["import", "online-retail", "--url", &platform.url])
            .arg(example_day())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut ticks = tokio::time::interval(Duration::from_millis(2));
        loop {
            ticks.tick().await;
            let models = platform.get("/v1/projections").await.body;
            let head = models["items"][0]["head"].as_u64().unwrap_or_default();
            if head >= events || client.try_wait().unwrap().is_some() {
                break;
            }
        }
        platform.kill().await;
        client.kill().await.unwrap();
    }
    let platform = Platform::start(&disturbed).await;
    assert!(import(&platform, &[]).await.status.success());
    platform.settle().await;
    platform.terminate().await;
    disturbed.verify().await;
    assert_eq!(disturbed.digest().await, undisturbed.digest().await);
}
