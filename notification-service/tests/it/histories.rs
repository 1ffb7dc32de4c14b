//! The log goes on in another way, as after a restore.

use serde_json::json;

use crate::bench::{Bench, id, on_both};
use crate::log::Log;
use crate::receiver::{Answer, Receiver};

on_both! { what_another_log_says_is_not_told_as_if_it_were_this_one }

async fn what_another_log_says_is_not_told_as_if_it_were_this_one(bench: Bench) {
    let receiver = Receiver::answering(Answer::Status(200)).await;
    let running = bench.start().await;
    let webhook = running.register(&receiver.url()).await;
    bench.log.place("o1").await;
    running.until_deliveries(&webhook, "delivered", 1).await;
    running.service.shutdown().await;

    let other = Log::new();
    other.place("o2").await;
    let running = bench.start_on(&other, bench.settings()).await;
    let mut status = running.service.watch();
    let faulted = status.wait_for(|status| {
        matches!(&status.phase, notification_service::Phase::Faulted { cause, .. } if cause.contains("log"))
    });
    assert!(tokio::time::timeout(crate::bench::PATIENCE, faulted).await.is_ok());
    assert_eq!(receiver.told().len(), 1);
    let shown = running.get(&format!("/webhooks/{}", id(&webhook))).await;
    assert_eq!(shown["waiting"], json!(0), "what is kept is shown all the same");
    running.service.shutdown().await;
}
