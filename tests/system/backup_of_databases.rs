//! The databases of the services, dumped one after another while orders come in, and put back beside a broker that knows more.

use std::path::Path;

use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tokio::process::Command;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::platform::{Platform, text};
use crate::services::{Service, Services};
use crate::shop::order;

/// As `docs/backup.md` has it: what follows the log before the log. The keys are in the log's database, and the tables of the
/// notification-service in that of the sagas.
const ORDER: [&str; 3] = ["reads", "sagas", "log"];

/// Runs a program of PostgreSQL's.
async fn run(mut command: Command) {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output));
}

async fn dump(services: &mut Services, folder: &Path) {
    for database in ORDER {
        let mut command = Command::new(services.postgres().program("pg_dump"));
        command.arg("--format=custom").arg("--file").arg(folder.join(database));
        command.arg(services.postgres().url(database));
        run(command).await;
    }
}

async fn put_back(services: &mut Services, folder: &Path) {
    for database in ORDER {
        let again = [
            format!("DROP DATABASE {database} WITH (FORCE)"),
            format!("CREATE DATABASE {database}"),
        ];
        services.postgres().execute(&again.each_ref().map(String::as_str)).unwrap();
        let mut command = Command::new(services.postgres().program("pg_restore"));
        let url = services.postgres().url(database);
        command.arg("--exit-on-error").arg("--dbname").arg(url).arg(folder.join(database));
        run(command).await;
    }
}

async fn end_of_the_log(services: &mut Services) -> u64 {
    let mut log = PgConnection::connect(&services.postgres().url("log")).await.unwrap();
    let end = sqlx::query_scalar::<_, i64>("SELECT max(position) FROM events");
    let end = end.fetch_one(&mut log).await.unwrap();
    log.close().await.unwrap();
    end.cast_unsigned()
}

#[tokio::test]
async fn databases_dumped_under_load_are_put_back_beside_a_broker_that_knows_more() {
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    let folder = tempfile::tempdir().unwrap();
    services.gateway.sell("A", 10_000).await;
    let client = Platform::at(&services.gateway.url);
    let stop = CancellationToken::new();
    let (told, mut count) = watch::channel(0);
    let placing = async {
        let mut acknowledged: Vec<(Value, Value)> = Vec::new();
        while !stop.is_cancelled() {
            let order = order(&format!("o{}", acknowledged.len()), "A", "pm_ok");
            let answer = client.place(&order).await;
            acknowledged.push((order, answer));
            told.send_replace(acknowledged.len());
        }
        acknowledged
    };
    let dumping = async {
        count.wait_for(|count| *count >= 5).await.unwrap();
        dump(&mut services, folder.path()).await;
        // More, which no dump has.
        let then = *count.borrow();
        count.wait_for(|count| *count > then + 1).await.unwrap();
        stop.cancel();
    };
    let (acknowledged, ()) = tokio::join!(placing, dumping);
    let before = services.gateway.get("/v1/products").await.header("docket-position").to_owned();
    for service in [Service::Notifications, Service::Sagas, Service::Models, Service::Commands] {
        services.stop(service).await;
    }
    put_back(&mut services, folder.path()).await;
    let end = end_of_the_log(&mut services).await;
    for service in [Service::Commands, Service::Models, Service::Sagas, Service::Notifications] {
        services.restart(service).await;
        services.of(service).until_ready().await;
    }
    services.gateway.until_ready().await;
    services.gateway.settle().await;

    let refused = services.gateway.get(&format!("/v1/products?min_position={before}")).await;
    assert_eq!(refused.problem(), (409, "position_of_another_history"));
    let in_it = |answer: &Value| answer["position"].as_u64().unwrap() <= end;
    let kept = acknowledged.iter().filter(|(_, answer)| in_it(answer)).count();
    assert!(kept >= 5 && kept < acknowledged.len(), "{kept} of {}", acknowledged.len());
    for (order, _) in acknowledged.iter().filter(|(_, answer)| in_it(answer)) {
        let path = format!("/v1/orders/{}", order["order_id"].as_str().unwrap());
        assert_eq!(services.gateway.get(&path).await.ok()["status"], "confirmed");
    }
    // The provider's ledger was not put back: it did what the lost part asked for, and nothing else is wrong.
    let output = services.run_verify(&["--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let unasked = "The provider did what the log never asked for";
    for finding in findings {
        assert!(finding.to_string().contains(unasked), "{finding:#}");
    }
    // Whoever repeats under its key what was lost has it done once, also at the provider.
    for (order, answer) in &acknowledged {
        let again = services.gateway.place(order).await;
        assert_eq!((&again["id"], &again["status"]), (&answer["id"], &answer["status"]));
    }
    services.gateway.settle().await;
    services.verify().await;
    services.terminate().await;
}
