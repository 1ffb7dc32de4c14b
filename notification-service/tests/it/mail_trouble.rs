//! Mail servers that refuse, are away, say nothing, or can't be trusted.

use std::time::Duration;

use notification_service::{MailServer, MailSettings, Schedule};
use serde_json::Value;
use test_servers::SmtpSettings;

use crate::bench::{Bench, on_both};
use crate::mail_bench::{MailBench, certificate};

on_both! {
    what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_given_up,
    a_mail_server_that_is_away_loses_nothing,
    after_a_crash_the_same_mail_comes_again_under_the_same_id,
    one_that_says_nothing_is_not_waited_for_longer_than_the_deadline,
}

async fn what_is_refused_for_now_is_tried_again_and_what_is_refused_for_good_is_given_up(
    bench: Bench,
) {
    let Some(here) = MailBench::with(bench, &SmtpSettings::default()) else { return };
    let running = here.start().await;
    for (n, address) in ["refused@example.org", "busy2@example.org"].into_iter().enumerate() {
        here.register(&format!("c{n}"), None, Some(address)).await;
        here.confirm(&format!("o{n}"), &format!("c{n}")).await;
    }
    let sent = running.until_state("sent", 1).await;
    let failed = running.until_state("failed", 1).await;
    let statuses = |mail: Value| -> Vec<u64> {
        mail["log"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|tried| tried["status"].as_u64())
            .collect()
    };
    assert_eq!(statuses(running.mail(&failed[0]).await), [550]);
    assert_eq!(statuses(running.mail(&sent[0]).await), [450, 450, 250]);
    // What was given up holds back nothing of its order.
    here.change_address("c0", "ada@example.org").await;
    here.bench.log.ship("o0").await;
    running.until_state("sent", 2).await;
    let resend =
        serde_json::json!({ "since": "2020-01-01T00:00:00Z", "reason": "another address" });
    let (_, again) = running.post("/mails/resend", "k", resend).await;
    assert_eq!(again["resent"], 1, "{again}");
    running.until_state("sent", 3).await;
    running.service.shutdown().await;
}

async fn a_mail_server_that_is_away_loses_nothing(bench: Bench) {
    let Some(mut here) = MailBench::with(bench, &SmtpSettings::default()) else { return };
    let running = here.start().await;
    here.register("c1", None, Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    running.until_state("sent", 1).await;
    // A connection is kept, and is dead then.
    here.server.stop().unwrap();
    here.bench.log.ship("o1").await;
    here.confirm("o2", "c1").await;
    running
        .until("/mails?state=waiting", |page| page["items"][1]["attempts"].as_u64() > Some(2))
        .await;
    let waiting = running.until_state("waiting", 2).await;
    let shown = running.mail(&waiting[0]).await;
    assert_eq!(shown["log"][0]["error"], "the mail server can't be reached");
    here.server.start().unwrap();
    running.until_state("sent", 3).await;
    assert_eq!(here.mails().len(), 3, "each once");
    running.service.shutdown().await;
}

async fn after_a_crash_the_same_mail_comes_again_under_the_same_id(bench: Bench) {
    let Some(here) = MailBench::with(bench, &SmtpSettings::default()) else { return };
    let running = here.start().await;
    here.register("c1", None, Some("late1@example.org")).await;
    here.confirm("o1", "c1").await;
    here.bench.log.ship("o1").await;
    // It was taken, and nobody heard of it.
    here.until_mails(1).await;
    running.service.kill().await;
    let running = here.start().await;
    running.until_state("sent", 2).await;
    let mails = here.mails();
    assert_eq!(mails.len(), 3);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert_eq!(mails[2].header("Subject"), "Your order o1 is on its way", "in order");
    running.service.shutdown().await;
}

async fn one_that_says_nothing_is_not_waited_for_longer_than_the_deadline(bench: Bench) {
    let Some(here) = MailBench::with(bench, &SmtpSettings::default()) else { return };
    let deadline = Duration::from_millis(300);
    let running = here.start_with(MailSettings { deadline, ..here.mail() }).await;
    here.register("c1", None, Some("late1@example.org")).await;
    here.register("c2", None, Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    here.confirm("o2", "c2").await;
    let sent = running.until_state("sent", 2).await;
    let late = sent.iter().find(|mail| mail["subject"] == "orders/o1").unwrap();
    let shown = running.mail(late).await;
    assert_eq!(shown["log"][0]["error"], "the mail server took longer than 300ms");
    running.service.shutdown().await;
}

/// A mail over this server, with these settings; its last attempt.
async fn attempt(settings: SmtpSettings, change: impl Fn(&mut MailSettings, u16)) -> Option<Value> {
    let here = MailBench::with(Bench::on_sqlite(), &settings)?;
    let mut mail = MailSettings {
        schedule: Schedule::of(Vec::new()),
        authorities: Some(certificate("authority.pem")),
        credentials: Some(("shop".to_owned(), "geheim".to_owned())),
        ..here.mail()
    };
    change(&mut mail, here.server.port());
    let running = here.start_with(mail).await;
    here.register("c1", None, Some("ada@example.org")).await;
    here.confirm("o1", "c1").await;
    let page = running.until("/mails", |page| {
        ["sent", "failed"].iter().any(|state| page["items"][0]["state"] == *state)
    });
    let shown = running.mail(&page.await["items"][0]).await;
    running.service.shutdown().await;
    Some(shown["log"][0].clone())
}

fn at(scheme: &str, port: u16) -> MailServer {
    MailServer::parse(&format!("{scheme}://localhost:{port}")).unwrap()
}

#[tokio::test]
async fn a_password_goes_only_where_somebody_vouches_for_the_certificate() {
    let certificates = (certificate("server.pem"), certificate("server.key"));
    let login = Some(("shop".to_owned(), "geheim".to_owned()));
    let sealed = SmtpSettings { certificate: Some(certificates), starttls: false, login };
    let upgraded = SmtpSettings { starttls: true, ..sealed.clone() };
    for (settings, scheme) in [(&sealed, "smtps"), (&upgraded, "smtp")] {
        let Some(taken) =
            attempt(settings.clone(), |mail, port| mail.server = at(scheme, port)).await
        else {
            return;
        };
        assert_eq!(taken["status"], 250, "{scheme}: {taken}");
        let stranger = attempt(settings.clone(), |mail, port| {
            mail.server = at(scheme, port);
            mail.authorities = None;
        });
        let stranger = stranger.await.unwrap();
        let not_sealed = "there is no TLS connection to the mail server that can be trusted";
        assert_eq!(stranger["error"], not_sealed, "{scheme}: {stranger}");
        let wrong = attempt(settings.clone(), |mail, port| {
            mail.server = at(scheme, port);
            mail.credentials = Some(("shop".to_owned(), "falsch".to_owned()));
        });
        let wrong = wrong.await.unwrap();
        assert_eq!(wrong["status"], 535, "{scheme}: {wrong}");
        assert_eq!(wrong["error"], "the mail server refused user and password");
    }
    let clear = attempt(SmtpSettings::default(), |mail, port| mail.server = at("smtp", port)).await;
    let not_sealed = "there is no TLS connection to the mail server that can be trusted";
    assert_eq!(clear.unwrap()["error"], not_sealed, "who offers no STARTTLS is told nothing");
}
