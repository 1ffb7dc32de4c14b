//! Customers get mail of their orders, by a mail server that nobody here wrote; over real processes, which are killed under way.

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_servers::{SmtpServer, SmtpSettings, smtp_server};

use crate::platform::{Data, PATIENCE, Platform, docket, text};
use crate::services::{Service, Services, send_mail};
use crate::shop::{order, why};

/// What of a customer is nowhere but in mail.
const HIDDEN: &str = "verborgen";

/// Registers a customer whom the mail server meets in this manner.
async fn register(platform: &Platform, customer: &str, manner: &str) {
    let email = format!("{manner}.{HIDDEN}@example.org");
    let body = json!({ "customer_id": customer, "name": "Ada", "email": email });
    platform.post("/v1/customers", customer, &body).await.ok();
}

async fn place(platform: &Platform, id: &str, customer: &str) {
    let mut order = order(id, "22423", "pm_ok");
    order["customer_id"] = json!(customer);
    assert_eq!(platform.place(&order).await["status"], "confirmed");
}

/// The parcel of an order, once it has one.
async fn parcel(platform: &Platform, id: &str) -> String {
    let parcels = format!("/v1/shipments?order_id={id}");
    let there = |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == 1);
    let page = platform.until(&parcels, there).await;
    format!("/v1/shipments/{}", page["items"][0]["id"].as_str().unwrap())
}

async fn ship(platform: &Platform, id: &str) {
    let (parcel, shipped) =
        (parcel(platform, id).await, json!({ "carrier": "Royal Mail", "tracking": "RM1" }));
    platform.post(&format!("{parcel}/ship"), &format!("ship/{id}"), &shipped).await.ok();
    let captured = |order: &Value| order["payment"]["captured"].as_i64() > Some(0);
    platform.until(&format!("/v1/orders/{id}"), captured).await;
}

async fn until_state(platform: &Platform, state: &str, count: usize) -> Value {
    let path = format!("/v1/mails?state={state}");
    let there = |page: &Value| page["items"].as_array().is_some_and(|items| items.len() == count);
    platform.until(&path, there).await
}

/// Waits until the mail server took so many.
async fn until_mails(server: &SmtpServer, count: usize) -> Vec<String> {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let mails = server.mails().unwrap();
        if mails.len() >= count {
            return mails;
        }
        assert!(begun.elapsed() < PATIENCE, "there are {mails:#?}");
    }
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let begin = format!("{name}: ");
    mail.lines().find_map(|line| line.strip_prefix(&begin)).unwrap().trim()
}

#[tokio::test]
async fn a_mail_under_way_when_everything_is_killed_comes_again_and_its_address_is_nowhere() {
    let Some(server) = smtp_server(&SmtpSettings::default()) else { return };
    let data = Data::new();
    let log = tempfile::NamedTempFile::new().unwrap();
    let start = async || {
        let mut command = docket(&["dev", "--listen", "127.0.0.1:0", "--log-filter", "debug"]);
        command.arg("--data-dir").arg(data.path());
        command.stderr(Stdio::from(File::options().append(true).open(log.path()).unwrap()));
        send_mail(&mut command, server.port());
        Platform::of(command).await
    };
    let platform = start().await;
    platform.sell("22423", 1_000).await;
    register(&platform, "c1", "late1").await;
    place(&platform, "o1", "c1").await;
    // It is taken, and nobody is told.
    until_mails(&server, 1).await;
    platform.kill().await;

    let platform = start().await;
    let sent = until_state(&platform, "sent", 1).await;
    let mails = server.mails().unwrap();
    let id = sent["items"][0]["message_id"].as_str().unwrap();
    assert_eq!([header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID")], [id, id]);
    assert_eq!(header(&mails[0], "To"), format!("late1.{HIDDEN}@example.org"));
    ship(&platform, "o1").await;
    let mails = until_mails(&server, 3).await;
    assert!(mails[2].contains("Tracking: RM1"), "{}", mails[2]);
    register(&platform, "c2", "refused").await;
    place(&platform, "o2", "c2").await;
    until_state(&platform, "failed", 1).await;
    platform.post("/v1/customers/c1/erase", "erase", &why("asked for it")).await.ok();
    let parcel = parcel(&platform, "o1").await;
    platform.post(&format!("{parcel}/deliver"), "deliver", &json!({})).await.ok();
    until_state(&platform, "nobody", 1).await;
    look_by_the_command_line(&platform).await;
    let metrics = platform.text("/metrics").await;
    assert!(metrics.contains("docket_mail_attempts_total{outcome=\"sent\"}"), "{metrics}");
    assert!(!metrics.contains(HIDDEN));
    assert!(platform.terminate().await.success());
    assert_eq!(server.mails().unwrap().len(), 3, "nothing more was sent");
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("DEBUG") && !log.contains(HIDDEN), "an address is in the log");
    let found = crate::erasure::find(data.path(), &[HIDDEN]);
    assert!(found.is_empty(), "{found:#?}");
    data.verify().await;
}

async fn look_by_the_command_line(platform: &Platform) {
    let run = async |words: &[&str]| {
        let mut command = docket(&["mails"]);
        command.args(words).args(["--url", &platform.url, "--actor", "ada"]);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{words:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = run(&["list"]).await;
    assert!(listed.contains("parcel.shipped") && listed.contains("nobody"), "{listed}");
    let failed = run(&["list", "--state", "failed", "--order", "o2", "--json"]).await;
    let failed: Value = serde_json::from_str(&failed).unwrap();
    let id = failed["items"][0]["id"].to_string();
    assert!(run(&["show", &id]).await.contains("550"));
    run(&["resend", &id, "--reason", "they say that it is right"]).await;
    until_state(platform, "failed", 1).await;
    let again = run(&["resend", "--failed-since", "2020-01-01T00:00:00Z", "--reason", "once more"]);
    assert!(again.await.contains("resent"));
    until_state(platform, "failed", 1).await;
    let log = platform.get("/v1/events?limit=1000").await.ok();
    let acted = log["items"].as_array().unwrap().iter();
    let acted = acted.filter(|event| event["data"]["action"] == "resend_mail").count();
    assert_eq!(acted, 2, "who sent what again stands in the log");
}

#[tokio::test]
async fn the_notification_service_asks_for_the_key_when_it_sends_and_forgets_who_is_erased() {
    let Some(server) = smtp_server(&SmtpSettings::default()) else { return };
    let Some(mut services) = Services::start_with_mail(server.port()).await else { return };
    services.gateway.sell("22423", 1_000).await;
    register(&services.gateway, "c1", "late1").await;
    place(&services.gateway, "o1", "c1").await;
    until_mails(&server, 1).await;
    services.kill(Service::Notifications).await;
    register(&services.gateway, "c2", "ada").await;
    place(&services.gateway, "o2", "c2").await;
    services.until_all_are_ready().await;
    until_state(&services.gateway, "sent", 2).await;
    // Two orders, told at once: whose mail goes first is nobody's promise.
    let mails = server.mails().unwrap();
    let to_c1 = mails.iter().filter(|mail| header(mail, "To").starts_with("late1."));
    let ids: Vec<&str> = to_c1.map(|mail| header(mail, "Message-ID")).collect();
    assert!(matches!(ids[..], [first, again] if first == again), "{ids:?}");
    services.gateway.post("/v1/customers/c2/erase", "erase", &why("asked for it")).await.ok();
    ship(&services.gateway, "o2").await;
    until_state(&services.gateway, "nobody", 1).await;
    ship(&services.gateway, "o1").await;
    until_mails(&server, 4).await;
    services.terminate().await;
}

#[tokio::test]
async fn what_is_wrong_with_mail_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("parcel_shipped.txt");
    std::fs::write(&template, "Subject: {{ order_id }}\n\nSee {{ tracking_url }}\n").unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "geheim\n").unwrap();
    let (templates, password) = (folder.path().to_str().unwrap(), password.to_str().unwrap());
    let (server, from) =
        (["--mail-server", "smtp://mail.example"], ["--mail-from", "a@shop.example"]);
    let clear = ["--mail-server", "smtp://mail.example:25?tls=off"];
    for (words, said) in [
        (
            [&server[..], &from, &["--mail-templates", templates]].concat(),
            "placeholder `tracking_url`",
        ),
        (server.to_vec(), "mail_from is not"),
        (from.to_vec(), "need mail_server"),
        (
            [&server[..], &from, &["--mail-user", "a"]].concat(),
            "mail_password_file are set together",
        ),
        (
            [&clear[..], &from, &["--mail-user", "a", "--mail-password-file", password]].concat(),
            "in clear",
        ),
        (
            [&server[..], &from, &["--mail-notices", "parcel.lost"]].concat(),
            "there are order.confirmed",
        ),
        (vec!["--mail-server", "mail.example"], "is no address like smtps://"),
        (vec!["--mail-from", "shop"], "is no sender like"),
    ] {
        let data = folder.path().join("data");
        let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
        let output = command.arg("--data-dir").arg(&data).args(&words).output().await.unwrap();
        let told = text(&output);
        assert!(!output.status.success() && told.contains(said), "{words:?}: {told}");
    }
}
