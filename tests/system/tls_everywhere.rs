//! Every process by itself, and everybody shows to everybody who they are: certificates, and tokens of services.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use test_servers::{Authority, free_port};

use crate::access::{Tokens, Who};
use crate::certificates::Certificates;
use crate::platform::{Data, PATIENCE, Platform, docket, text};
use crate::services::{Secured, Service, Services};
use crate::shop::order;

const ALL: [Service; 5] = [
    Service::Commands,
    Service::Models,
    Service::Sagas,
    Service::Notifications,
    Service::Simulator,
];

fn secured(tokens: &Tokens) -> Secured {
    let certificates = Certificates::new();
    let service_token = certificates.file("service-token");
    std::fs::write(&service_token, tokens.of(Who::Service)).unwrap();
    Secured { certificates, service_token, token: tokens.of(Who::Operator).to_owned() }
}

#[tokio::test]
async fn an_order_goes_its_way_where_everybody_shows_a_certificate_and_a_token() {
    let tokens = Tokens::new().await;
    let secured = secured(&tokens);
    let Some(services) = Services::start_secured(&tokens.settings(), secured).await else { return };
    let gateway = &services.gateway;
    gateway.sell("cup", 20).await;
    let placed = gateway.place(&order("o1", "cup", "pm_ok")).await;
    assert_eq!(placed["status"], "confirmed", "{placed:#}");
    gateway.deliver("o1").await;
    gateway.until("/v1/orders/o1", |order| order["status"] == "completed").await;

    nobody_comes_in_without(&services, &tokens).await;
    the_databases_are_spoken_to_with_tls(&services).await;
    the_simulator_takes_calls_of_services_only(&services, &tokens).await;
    let renewed = renewed_certificates_are_in_use(&services).await;
    assert_eq!(renewed["status"], "confirmed", "{renewed:#}");
    payments_wait_for_a_token_that_is_taken(&services, &tokens).await;

    gateway.settle().await;
    services.verify().await;
    services.terminate().await;
}

/// Neither at a service nor at the gateway.
async fn nobody_comes_in_without(services: &Services, tokens: &Tokens) {
    let certificates = &services.secured().certificates;
    let stranger = certificates.client(None, Some(tokens.of(Who::Operator)));
    let without_token = certificates.client(Some("client"), None);
    let processes = ALL.iter().map(|service| services.of(*service)).chain([&services.gateway]);
    for process in processes {
        assert!(process.url.starts_with("https://"), "{}", process.url);
        let refused = stranger.get(format!("{}/health/live", process.url)).send().await;
        assert!(refused.is_err(), "{}: {refused:?}", process.url);
        let answer = without_token.get(format!("{}/metrics", process.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{}", process.url);
    }
}

async fn the_databases_are_spoken_to_with_tls(services: &Services) {
    let mut connection = PgConnection::connect(&services.urls().log).await.unwrap();
    let count = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl)
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'docket %'";
    let (with, without): (i64, i64) =
        sqlx::query_as(count).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert!(with > 0 && without == 0, "{with} with TLS, {without} in clear");
}

async fn the_simulator_takes_calls_of_services_only(services: &Services, tokens: &Tokens) {
    let url = format!("{}/calls", services.of(Service::Simulator).url);
    let certificates = &services.secured().certificates;
    for (who, status) in [
        (Who::Nobody, StatusCode::UNAUTHORIZED),
        (Who::Owner, StatusCode::FORBIDDEN),
        (Who::Support, StatusCode::FORBIDDEN),
        (Who::Operator, StatusCode::FORBIDDEN),
        (Who::Service, StatusCode::BAD_REQUEST),
    ] {
        let token = (who != Who::Nobody).then(|| tokens.of(who));
        let client = certificates.client(Some("client"), token);
        let answer = client.post(&url).json(&json!({ "no": "call" })).send().await.unwrap();
        assert_eq!(answer.status(), status, "{who:?}");
    }
}

/// All files are replaced while everything runs; an order that is placed then.
async fn renewed_certificates_are_in_use(services: &Services) -> Value {
    let certificates = &services.secured().certificates;
    certificates.renew();
    certificates.sign("client", test_servers::Usage::Both);
    for (process, setting) in [
        (&services.gateway, "client_cert_file"),
        (services.of(Service::Commands), "client_cert_file"),
        (services.of(Service::Simulator), "tls_cert_file"),
    ] {
        until_renewed(process, setting).await;
    }
    // By a connection that is made now.
    let fresh = Platform::at(&services.gateway.url).over(services.secured().client());
    fresh.place(&order("o2", "cup", "pm_ok")).await
}

async fn until_renewed(process: &Platform, setting: &str) {
    let line = format!("docket_files_renewed_total{{setting=\"{setting}\"}}");
    let begun = Instant::now();
    while !process.text("/metrics").await.contains(&line) {
        assert!(begun.elapsed() < PATIENCE, "{setting} stays as it was");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A token that is not taken any more holds payments up, and loses none.
async fn payments_wait_for_a_token_that_is_taken(services: &Services, tokens: &Tokens) {
    let file = &services.secured().service_token;
    std::fs::write(file, tokens.of(Who::Owner)).unwrap();
    until_renewed(services.of(Service::Commands), "service_token_file").await;
    let order = order("o3", "cup", "pm_ok");
    let key = [("idempotency-key", "o3")];
    services.gateway.post_with("/v1/orders", &key, order.to_string()).await.ok();
    let refused = "docket_provider_not_asked_total{operation=\"authorize\",kind=\"call\"}";
    let begun = Instant::now();
    while !services.of(Service::Commands).text("/metrics").await.contains(refused) {
        assert!(begun.elapsed() < PATIENCE, "the simulator took it");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let order = services.gateway.get("/v1/orders/o3").await.ok();
    assert_eq!(order["status"], "placed", "{order:#}");
    std::fs::write(file, tokens.of(Who::Service)).unwrap();
    services.gateway.until("/v1/orders/o3", |order| order["status"] == "confirmed").await;
}

#[tokio::test]
async fn a_gateway_asks_nobody_whom_it_does_not_believe_and_is_told_why_by_its_log() {
    let (data, certificates) = (Data::new(), Certificates::new());
    let mut command = docket(&["payment-simulator", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(data.path());
    certificates.shown_by(&mut command);
    certificates.asked_for_by(&mut command);
    let simulator = Platform::of(command).await.over(certificates.client(Some("client"), None));
    simulator.until_ready().await;
    Authority::new("another").unwrap().write(&certificates.file("other.pem")).unwrap();
    // Its certificate is for 127.0.0.1 and `localhost`, and so not for 127.0.0.2.
    let elsewhere = simulator.url.replace("127.0.0.1", "127.0.0.2");
    let by_name = simulator.url.replace("127.0.0.1", "localhost");
    for (url, ca, shows, why) in [
        (&by_name, "ca.pem", true, None),
        (&simulator.url, "ca.pem", true, None),
        (&elsewhere, "ca.pem", true, Some("is not there")),
        (&simulator.url, "other.pem", true, Some("UnknownIssuer")),
        // Who shows none is not answered in time: why, only the simulator knows.
        (&simulator.url, "ca.pem", false, Some("payment-simulator")),
    ] {
        let mut command = docket(&["gateway", "--payment-simulator-url", url]);
        command.args(["--listen", &format!("127.0.0.1:{}", free_port().unwrap())]);
        command.env("DOCKET_CA_FILE", certificates.file(ca));
        if shows {
            certificates.known_to_others(&mut command);
        }
        let log = certificates.file("gateway.log");
        command.stderr(std::fs::File::create(&log).unwrap());
        let gateway = Platform::of(command).await;
        let part = |health: &Value| health["parts"]["payment-simulator"].clone();
        let known = |health: &Value| {
            part(health).as_str().is_some_and(|said| !said.contains("was not asked"))
        };
        let health = gateway.until("/health/ready", known).await;
        let status = gateway.get("/v1/simulator/ledger").await.status;
        match why {
            None => {
                assert!(part(&health) == "up" && status.is_success(), "{url}: {health:#} {status}");
            }
            Some(why) => {
                assert!(part(&health) != "up", "{url}: {health:#}");
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{url} {ca}");
                let begun = Instant::now();
                loop {
                    let said = std::fs::read_to_string(&log).unwrap();
                    if said
                        .lines()
                        .any(|line| line.contains("payment-simulator") && line.contains(why))
                    {
                        break;
                    }
                    assert!(begun.elapsed() < PATIENCE, "{url} {ca}: {said}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_command_is_known_by_the_token_of_a_service_in_a_file() {
    let (data, tokens) = (Data::new(), Tokens::new().await);
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(data.path()).env("DOCKET_AUTH_FILE", tokens.settings());
    let platform = Platform::of(command).await;
    let file = data.path().join("token");
    let status = async |token: &str| {
        std::fs::write(&file, token).unwrap();
        let mut command = docket(&["status", "--url", &platform.url, "--service-token-file"]);
        command.arg(&file).env_remove("DOCKET_TOKEN").output().await.unwrap()
    };
    let output = status(tokens.of(Who::Service)).await;
    assert!(output.status.success(), "{}", text(&output));
    let output = status(tokens.of(Who::Owner)).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = status("").await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let said = format!("service_token_file: {} is empty", file.display());
    assert!(text(&output).contains(&said), "{}", text(&output));
}
