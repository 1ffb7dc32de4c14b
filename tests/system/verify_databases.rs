//! `docket verify` over the databases of services: what is broken is found wherever it stands.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::platform::{docket, text};
use crate::services::{Service, Services};
use crate::shop::{order, why};

/// What is done to the log, the read models and the sagas, and the law that it breaks.
const DAMAGES: [(&str, &str, &str); 5] = [
    ("models", "UPDATE read_models_orders_g1.orders SET status = 'cancelled'", "I11"),
    ("sagas", "UPDATE sagas.sagas SET state = 'running', wake_at = NULL", "I9"),
    (
        "sagas",
        "INSERT INTO sagas.outbox (command_id, saga_id, step, attempt, body, created_at, next_send_at, sends) \
         VALUES ('order-o1/reserve_stock/1', 'order-o1', 'reserve_stock', 1, '{}', 0, 0, 1)",
        "I12",
    ),
    (
        "log",
        "SET session_replication_role = replica; UPDATE keys SET erased_at = NULL, wrapped = '\\x01' WHERE erased_at > 0",
        "P13",
    ),
    ("log", "SET session_replication_role = replica; DELETE FROM events WHERE position = 3", "I5"),
];
/// A capture that nobody asked for, in the provider's own book.
const CHARGE: &str = "INSERT INTO entries (key, payment_id, operation, amount, currency, status, code, retriable, method, expires_at, at) \
    SELECT 'o1-p1/capture/9', payment_id, operation, amount, currency, status, code, retriable, method, expires_at, at \
    FROM entries WHERE operation = 'capture'";

/// How often a law is broken, says `docket verify`.
async fn found(services: &Services, law: &str) -> u64 {
    let output = services.run_verify(&["--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let clean = report["findings"].as_array().is_some_and(Vec::is_empty);
    assert_eq!(output.status.code(), Some(i32::from(!clean)), "{}", text(&output));
    let rules = report["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["rule"] == law).unwrap();
    rule["found"].as_u64().unwrap()
}

async fn damage(database: &str, statement: &str) {
    let mut connection = PgConnection::connect(database).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A shop in which an order was carried out.
async fn shop() -> Option<Services> {
    let services = Services::start().await?;
    services.gateway.sell("cake", 10).await;
    let customer = json!({ "customer_id": "ada", "name": "Ada Other" });
    services.gateway.post("/v1/customers", "ada", &customer).await.ok();
    services.gateway.post("/v1/customers/ada/erase", "erase", &why("asked for it")).await.ok();
    services.gateway.until("/v1/customers/ada", |ada| ada["name"].is_null()).await;
    services.gateway.place(&order("o1", "cake", "pm_ok")).await;
    services.gateway.deliver("o1").await;
    services.gateway.until("/v1/orders/o1", |order| order["status"] == "completed").await;
    services.gateway.settle().await;
    Some(services)
}

#[tokio::test]
async fn a_broken_row_in_each_database_is_found_and_named() {
    let Some(mut services) = shop().await else { return };
    services.verify().await;
    // What is written by hand is not to be mended, or sent, while it is looked for.
    for service in [Service::Sagas, Service::Models, Service::Commands] {
        services.stop(service).await;
    }
    let other_key = services.folder().path().join("other.key");
    std::fs::write(&other_key, [7; 32]).unwrap();
    let output = services.run_verify(&["--master-key-file", other_key.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("other.key is not the master key of"), "{}", text(&output));
    assert_eq!(found(&services, "I7").await, 0);
    let ledger = services.folder().path().join("payments-simulator.db");
    let mut ledger = SqliteConnection::connect(ledger.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql(CHARGE).execute(&mut ledger).await.unwrap();
    ledger.close().await.unwrap();
    assert!(found(&services, "I7").await > 0, "the provider charged what nobody asked for");
    let urls = services.urls().clone();
    for (database, statement, law) in DAMAGES {
        let database = match database {
            "models" => &urls.models,
            "sagas" => &urls.sagas,
            _ => &urls.log,
        };
        assert_eq!(found(&services, law).await, 0, "{law} holds before: {statement}");
        damage(database, statement).await;
        assert!(found(&services, law).await > 0, "{law} is broken: {statement}");
    }
}

#[tokio::test]
async fn where_to_look_is_said_in_one_settings_file_and_what_can_t_be_looked_at_is_named() {
    let Some(services) = shop().await else { return };
    let urls = services.urls();
    let folder = tempfile::tempdir().unwrap();
    let verify = async |settings: String| {
        let file = folder.path().join("docket.toml");
        std::fs::write(&file, settings).unwrap();
        let output = docket(&["verify", "--config"]).arg(&file).output().await.unwrap();
        (output.status.code(), text(&output))
    };
    let settings = |log: &str, sagas: &str| {
        format!(
            "command_postgres_url = \"{log}\"\nsaga_postgres_url = \"{sagas}\"\n\
             projection_postgres_url = \"{}\"\n",
            urls.models
        )
    };
    let (code, said) = verify(settings(&urls.log, &urls.sagas)).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("payment_simulator_url is not set"), "{said}");
    assert!(said.contains("master_key_file is not set"), "{said}");
    assert!(said.contains("read model orders"), "{said}");

    let (code, said) = verify(format!("command_postgres_url = \"{}\"\n", urls.log)).await;
    assert_eq!(code, Some(0), "{said}");
    for not_looked_at in ["  I9     –", "  I11    –", "  I12    –", "  I7     in part"] {
        assert!(said.contains(not_looked_at), "{said}");
    }
    assert!(said.contains("Clean: all that was there to be checked"), "{said}");

    // The services' own settings file says it too.
    let sections = format!(
        "[command-service]\npostgres_url = \"{}\"\n[projection-service]\npostgres_url = \"{}\"\n\
         [saga-orchestrator]\npostgres_url = \"{}\"\n",
        urls.log, urls.models, urls.sagas
    );
    let (code, said) = verify(sections).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("  I11    ok") && said.contains("  I9     ok"), "{said}");
    let digest = docket(&["digest", "--config"]).arg(folder.path().join("docket.toml")).output();
    let digest = digest.await.unwrap();
    assert!(digest.status.success() && text(&digest).contains("stock"), "{}", text(&digest));

    // What is named must be there.
    let mixed_up = format!(
        "command_postgres_url = \"{}\"\nsaga_postgres_url = \"{}\"\nprojection_postgres_url = \"{}\"\n",
        urls.log, urls.models, urls.sagas
    );
    for settings in [mixed_up, format!("postgres_url = \"{}\"\n", urls.log)] {
        let (code, said) = verify(settings).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("holds no sagas") && said.contains("holds no read models"), "{said}");
        assert!(said.contains("  I11    –") && !said.contains("Clean"), "{said}");
    }
    let output = docket(&["digest", "--postgres-url", &urls.sagas]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("holds no read models"), "{}", text(&output));

    let away = "postgres://docket:secret@127.0.0.1:1/log";
    let (code, said) = verify(settings(away, &urls.sagas)).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("127.0.0.1:1/log") && !said.contains("secret"), "{said}");
    let (code, said) = verify(settings(&urls.models, &urls.sagas)).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("can't be read as an event log"), "{said}");

    let mut events = docket(&["events", "--limit", "1"]);
    events.env("DOCKET_COMMAND_POSTGRES_URL", &urls.log);
    let events = events.output().await.unwrap();
    assert!(text(&events).contains("ProductRegistered"), "{}", text(&events));
    services.terminate().await;
}
