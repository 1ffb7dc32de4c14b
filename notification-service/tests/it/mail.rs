//! Customers are told by mail, by a mail server that nobody here wrote.

use std::sync::Arc;

use axum::http::Method;
use notification_service::{Settings, Templates};
use serde_json::{Value, json};
use test_servers::SmtpSettings;

use crate::bench::{Bench, on_both};
use crate::mail_bench::MailBench;

on_both! {
    a_customer_is_told_what_happens_to_their_order,
    a_guest_and_who_has_no_address_get_no_mail,
    who_was_erased_gets_no_mail_any_more,
    what_was_before_mail_was_turned_on_is_told_to_nobody,
    a_mail_is_sent_again_when_it_is_asked_for_once_under_a_key,
    whatever_a_customer_is_called_it_begins_no_header,
    no_address_is_kept,
    the_list_is_filtered_and_goes_on_where_the_page_before_ended,
}

fn here(bench: Bench) -> Option<MailBench> {
    MailBench::with(bench, &SmtpSettings::default())
}

async fn a_customer_is_told_what_happens_to_their_order(bench: Bench) {
    let Some(here) = here(bench) else { return };
    let running = here.start().await;
    here.register("c1", Some("Ada Lovelace"), Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    here.bench.log.ship("o1").await;
    // To where they are reached when it is sent.
    running.until_state("sent", 2).await;
    here.change_address("c1", "lovelace@example.org").await;
    here.bench.log.deliver("o1").await;
    here.bench.log.place_for("o2", Some("c1")).await;
    here.bench.log.reject("o2", "out_of_stock").await;
    here.confirm("o3", "c1").await;
    here.bench.log.cancel("o3").await;
    let mails = here.until_mails(6).await;
    let sent = running.until_state("sent", 6).await;
    let of_type = |kind: &str| -> &Value {
        sent.iter().find(|mail| mail["event_type"] == kind).unwrap_or_else(|| panic!("no {kind}"))
    };
    let mail = |kind: &str| {
        let id = of_type(kind)["message_id"].as_str().unwrap();
        mails.iter().find(|mail| mail.header("Message-ID") == id).unwrap().clone()
    };
    let confirmed = mail("order.confirmed");
    assert_eq!(confirmed.header("From"), "Shop <orders@shop.example>");
    assert_eq!(confirmed.header("Auto-Submitted"), "auto-generated");
    let shipped = mail("parcel.shipped");
    assert_eq!(shipped.header("To"), "ada@example.org");
    assert_eq!(shipped.header("X-RcptTo"), "ada@example.org");
    assert_eq!(shipped.header("Subject"), "Your order o1 is on its way");
    assert!(shipped.body.starts_with("Hello Ada Lovelace,"), "{}", shipped.body);
    assert!(shipped.body.contains("Tracking: RM1"), "{}", shipped.body);
    assert_eq!(mail("parcel.delivered").header("To"), "lovelace@example.org");
    assert!(mail("order.rejected").body.contains("out of stock"));
    assert!(mail("order.cancelled").body.contains("your order o3 is cancelled"));
    let shown = running.mail(of_type("parcel.shipped")).await;
    assert_eq!(shown["log"][0]["status"], 250, "{shown}");
    assert_eq!(shown["event"]["data"]["tracking"], "RM1");
    running.service.shutdown().await;
}

async fn a_guest_and_who_has_no_address_get_no_mail(bench: Bench) {
    let Some(here) = here(bench) else { return };
    let running = here.start().await;
    here.register("c1", Some("Ada"), None).await;
    here.register("c2", None, Some("not an address")).await;
    here.register("c3", None, Some("kim@example.org")).await;
    here.bench.log.place_for("g1", None).await;
    here.bench.log.confirm("g1").await;
    for (order, customer) in [("o1", "c1"), ("o2", "c2"), ("o3", "c3")] {
        here.confirm(order, customer).await;
    }
    running.until_state("sent", 1).await;
    let nobody = running.until_state("nobody", 2).await;
    let why = [running.mail(&nobody[1]).await, running.mail(&nobody[0]).await];
    assert_eq!(why[0]["log"][0]["error"], "the customer has no mail address");
    assert_eq!(why[1]["log"][0]["error"], "the customer's mail address can't be used");
    assert_eq!(here.mails().len(), 1);
    let of_guest = running.get("/mails?order_id=g1").await;
    assert_eq!(of_guest["items"], json!([]));
    running.service.shutdown().await;
}

async fn who_was_erased_gets_no_mail_any_more(bench: Bench) {
    let Some(here) = here(bench) else { return };
    let running = here.start().await;
    here.register("c1", None, Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    running.until_state("sent", 1).await;
    // The key is still there, and held: the log says that they are erased.
    here.bench.log.append("CustomerErased", json!({ "customer_id": "c1" })).await;
    here.bench.log.ship("o1").await;
    let nobody = running.until_state("nobody", 1).await;
    let shown = running.mail(&nobody[0]).await;
    assert_eq!(shown["log"][0]["error"], "the customer's data was erased");
    let path = format!("/mails/{}/resend", nobody[0]["id"]);
    let (status, _) = running.post(&path, "again", json!({ "reason": "try" })).await;
    assert_eq!(status, 200);
    running
        .until(&format!("/mails/{}", nobody[0]["id"]), |mail| {
            mail["state"] == "nobody" && mail["log"].as_array().unwrap().len() == 2
        })
        .await;
    assert_eq!(here.mails().len(), 1);
    running.service.shutdown().await;
}

async fn what_was_before_mail_was_turned_on_is_told_to_nobody(bench: Bench) {
    let Some(mut here) = here(bench) else { return };
    let running = here.bench.start().await;
    here.register("c1", None, Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    let (status, problem) = running
        .post("/mails/resend", "k", json!({ "since": "2020-01-01T00:00:00Z", "reason": "r" }))
        .await;
    assert_eq!((status.as_u16(), &problem["code"]), (409, &json!("no_mail_server")));
    running.service.shutdown().await;

    here.server.stop().unwrap();
    let running = here.start().await;
    here.bench.log.ship("o1").await;
    running.until_state("waiting", 1).await;
    running.service.shutdown().await;
    // What waits when it is turned off is not sent when it is on again.
    here.bench.start().await.service.shutdown().await;
    here.server.start().unwrap();
    let running = here.start().await;
    running.until_state("nobody", 1).await;
    here.bench.log.deliver("o1").await;
    let mails = here.until_mails(1).await;
    assert_eq!(mails[0].header("Subject"), "A parcel of your order o1 has arrived");
    running.until_state("sent", 1).await;
    assert_eq!(here.mails().len(), 1);
    running.service.shutdown().await;
}

async fn a_mail_is_sent_again_when_it_is_asked_for_once_under_a_key(bench: Bench) {
    let Some(here) = here(bench) else { return };
    let running = here.start().await;
    here.register("c1", None, Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    let sent = running.until_state("sent", 1).await;
    let path = format!("/mails/{}/resend", sent[0]["id"]);
    for key in ["again", "more", "again"] {
        let (status, mail) = running.post(&path, key, json!({ "reason": "lost" })).await;
        assert_eq!(status, 200, "{mail}");
        running.until_state("sent", 1).await;
    }
    here.bench.log.ship("o1").await;
    let mails = here.until_mails(4).await;
    running.until_state("sent", 2).await;
    assert_eq!(mails.len(), 4, "once under a key");
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_eq!(mails[0].header("Message-ID"), mails[2].header("Message-ID"));
    assert_ne!(mails[0].header("Message-ID"), mails[3].header("Message-ID"));
    for (method, path, code) in [
        (Method::GET, "/mails/99999", "mail_not_found"),
        (Method::GET, "/mails/x", "invalid_path"),
        (Method::GET, "/mails?state=lost", "invalid_query"),
        (Method::GET, "/mails?order_id=o%00", "invalid_query"),
    ] {
        let (_, problem) = running.ask(method, path, None, None).await;
        assert_eq!(problem["code"], code, "{path}");
    }
    let (_, problem) = running.post("/mails/99999/resend", "k", json!({ "reason": "r" })).await;
    assert_eq!(problem["code"], "mail_not_found");
    running.service.shutdown().await;
}

async fn whatever_a_customer_is_called_it_begins_no_header(bench: Bench) {
    let Some(mut here) = here(bench) else { return };
    let folder = tempfile::tempdir().unwrap();
    let template = "Subject: For {{ name }}\n\n.\n{{ name }}\n.\nGr\u{fc}\u{df}e\n";
    std::fs::write(folder.path().join("order_confirmed.txt"), template).unwrap();
    here.templates = Arc::new(Templates::load(Some(folder.path())).unwrap());
    let running = here.start().await;
    let name = "Eve\r\nBcc: all@example.org\r\n\r\nBuy\r\n.\r\nMAIL FROM:<eve@example.org>";
    here.register("c1", Some(name), Some("eve@example.org")).await;
    here.confirm("o1", "c1").await;
    here.register("c2", Some("\u{c4}d\u{e4}"), Some("\u{e4}d\u{e4}@example.org")).await;
    here.confirm("o2", "c2").await;
    let mails = here.until_mails(2).await;
    let eve = mails.iter().find(|mail| mail.header("X-RcptTo") == "eve@example.org").unwrap();
    assert!(!eve.head.lines().any(|line| line.starts_with("Bcc")), "{}", eve.head);
    assert_eq!(
        eve.header("Subject"),
        "For Eve  Bcc: all@example.org    Buy  .  MAIL FROM:<eve@example.org>"
    );
    running.until_state("sent", 2).await;
    assert_eq!(here.mails().len(), 2);
    running.service.shutdown().await;
}

async fn no_address_is_kept(bench: Bench) {
    let Some(here) = here(bench) else { return };
    let running = here.start().await;
    let addresses = ["ada.verborgen@example.org", "refused.verborgen@example.org"];
    for (n, address) in addresses.into_iter().enumerate() {
        let customer = format!("c{n}");
        here.register(&customer, Some("Verborgen"), Some(address)).await;
        here.confirm(&format!("o{n}"), &customer).await;
    }
    running.until_state("sent", 1).await;
    let failed = running.until_state("failed", 1).await;
    let shown = running.mail(&failed[0]).await;
    assert_eq!(shown["log"][0]["status"], 550);
    assert_eq!(shown["log"][0]["error"], "the mail server refused the recipient");
    let (listed, problem) = (running.get("/mails").await, shown.to_string());
    assert!(!format!("{listed}{problem}").to_lowercase().contains("verborgen"));
    running.service.shutdown().await;
    let kept = here.bench.everything_kept().await;
    assert!(kept.contains("order.confirmed"), "it was read");
    assert!(!kept.to_lowercase().contains("verborgen"), "an address is in the database");
}

async fn the_list_is_filtered_and_goes_on_where_the_page_before_ended(bench: Bench) {
    let Some(here) = here(bench) else { return };
    let running = here.start().await;
    here.register("c1", None, Some("ada@example.org")).await;
    for order in ["o1", "o2", "o3"] {
        here.confirm(order, "c1").await;
        here.bench.log.ship(order).await;
    }
    running.until_state("sent", 6).await;
    let of_order = running.get("/mails?order_id=o2").await;
    let types: Vec<_> =
        of_order["items"].as_array().unwrap().iter().map(|mail| &mail["event_type"]).collect();
    assert_eq!(types, ["parcel.shipped", "order.confirmed"], "newest first");
    let none = running.get("/mails?order_id=o2&state=failed").await;
    assert_eq!(none["items"], json!([]));
    let (mut listed, mut path) = (Vec::new(), "/mails?state=sent&limit=4".to_owned());
    loop {
        let page = running.get(&path).await;
        listed.extend(page["items"].as_array().unwrap().iter().map(|mail| mail["id"].as_i64()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/mails?state=sent&limit=4&cursor={next}");
    }
    assert_eq!(listed.len(), 6);
    assert!(listed.is_sorted_by(|one, other| one > other), "{listed:?}");
    let of_webhooks = running.get("/webhooks").await;
    assert_eq!(of_webhooks["items"], json!([]), "mail is no webhook");
    let (_, problem) = running.ask(Method::GET, "/webhooks/mail/deliveries", None, None).await;
    assert_eq!(problem["code"], "webhook_not_found");
    running.service.shutdown().await;
}

#[tokio::test]
async fn without_a_file_that_vouches_there_is_no_start() {
    let Some(here) = here(Bench::on_sqlite()) else { return };
    let mut mail = here.mail();
    mail.authorities = Some("/nowhere/at/all.pem".into());
    let settings = Settings { mail: Some(mail), ..here.bench.settings() };
    let refused = here.bench.refused_start(settings).await;
    assert!(refused.contains("/nowhere/at/all.pem"), "{refused}");
}
