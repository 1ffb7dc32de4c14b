//! What the operator's commands say while a part of the platform is away: which one, and all that the others say.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::platform::{Platform, docket, text};
use crate::services::{Service, Services};

async fn said(words: &[&str]) -> Output {
    docket(words).output().await.unwrap()
}

async fn status_of(gateway: &Platform) -> (Value, Option<i32>) {
    let output = said(&["status", "--json", "--url", &gateway.url]).await;
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

fn unknown(status: &Value) -> &str {
    status["unknown"][0].as_str().unwrap_or_default()
}

#[tokio::test]
async fn status_shows_what_it_can_ask_and_names_what_it_can_not() {
    let Some(mut services) = Services::start().await else { return };
    services.gateway.sell("cup", 5).await;
    services.gateway.settle().await;
    let (status, code) = status_of(&services.gateway).await;
    assert_eq!((status["unknown"].as_array().map(Vec::len), code), (Some(0), Some(0)), "{status}");
    let (head, sagas) = (status["head"].clone(), status["sagas"].clone());

    services.stop(Service::Sagas).await;
    let (status, code) = status_of(&services.gateway).await;
    assert_eq!(code, Some(1));
    assert!(unknown(&status).starts_with("sagas: saga-orchestrator "), "{status}");
    assert_eq!((&status["head"], &status["sagas"]), (&head, &Value::Null), "{status}");
    services.restart(Service::Sagas).await;

    services.stop(Service::Models).await;
    let gone = |health: &Value| health["parts"]["saga-orchestrator"] == "up";
    services.gateway.until("/health/ready", gone).await;
    let (status, code) = status_of(&services.gateway).await;
    assert_eq!(code, Some(1));
    assert!(unknown(&status).starts_with("read models: projection-service "), "{status}");
    assert_eq!((&status["sagas"], &status["models"]), (&sagas, &Value::Null), "{status}");
    let shown = text(&said(&["status", "--url", &services.gateway.url]).await);
    assert!(shown.contains("? read models: projection-service "), "{shown}");
    assert!(shown.contains("Read models  not known\nSagas        none"), "{shown}");
    services.restart(Service::Models).await;
    services.terminate().await;
}

#[tokio::test]
async fn an_import_that_nobody_carries_on_says_what_it_waits_for_and_ends_when_somebody_does() {
    let Some(mut services) = Services::start().await else { return };
    services.stop(Service::Sagas).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let rows = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
        1,11111,TEA SET,5,2010-12-01 12:00:00,1.5,1,France\n";
    std::fs::write(file.path(), rows).unwrap();
    let mut import = docket(&["import", "online-retail", "--url", &services.gateway.url]);
    let mut import = import.arg(file.path()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let import = import.as_mut().unwrap();
    let mut lines = BufReader::new(import.stderr.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    assert!(line.contains("nothing has come to its end for 1"), "{line}");
    assert!(line.contains("orders, 0 of 1; 1 wait until"), "{line}");
    assert!(line.contains("saga-orchestrator: "), "{line}");
    services.restart(Service::Sagas).await;
    assert!(import.wait().await.unwrap().success());
    services.terminate().await;
}

#[tokio::test]
async fn digest_names_the_database_that_it_can_not_reach() {
    let url = "postgres://docket:geheim@127.0.0.1:9/reads";
    let output = said(&["digest", "--postgres-url", url]).await;
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("the read models in 127.0.0.1:9/reads schema "), "{shown}");
    assert!(!shown.contains("geheim"), "{shown}");
}

#[tokio::test]
async fn a_service_says_all_settings_that_it_lacks_at_once_and_ends_with_2() {
    let of_each: [(&str, &[&str]); 4] = [
        (
            "command-service",
            &["postgres_url", "nats_url", "master_key_file", "payment_provider_url"],
        ),
        ("projection-service", &["postgres_url", "nats_url", "master_key_file"]),
        ("saga-orchestrator", &["postgres_url", "nats_url"]),
        ("migrate", &["postgres_url", "owner_postgres_url"]),
    ];
    for (service, lacks) in of_each {
        let output = said(&[service]).await;
        let shown = text(&output);
        assert_eq!(output.status.code(), Some(2), "{shown}");
        assert!(shown.contains(&format!("{} settings are missing", lacks.len())), "{shown}");
        for name in lacks {
            assert!(shown.contains(&format!("\n  {name}: say --")), "{service}: {shown}");
        }
    }
    let output = said(&["saga-orchestrator", "--postgres-url", "postgres://db/sagas"]).await;
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains("nats_url is missing: say --nats-url"), "{shown}");
}
