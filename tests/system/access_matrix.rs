//! Every operation × everybody who may ask for it.
//!
//! The rows are written here and not taken from the code. An operation of `/openapi.json` without a row fails.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::access::{Shop, Tokens, Who};
use crate::platform::{Answer, Platform};
use crate::services::Services;

/// What is answered to nobody, owner, another customer, support, operator and service. `ok`: it was let in, whatever came of it.
const ROWS: &[(&str, &str)] = &[
    ("GET /health/live", "ok  ok  ok  ok  ok  ok"),
    ("GET /health/ready", "ok  ok  ok  ok  ok  ok"),
    ("GET /metrics", "401 403 403 403 ok  ok"),
    ("GET /v1/products", "401 ok  ok  ok  ok  ok"),
    ("GET /v1/products/{sku}", "401 ok  ok  ok  ok  ok"),
    ("POST /v1/products", "401 403 403 403 ok  ok"),
    ("POST /v1/products/{sku}/price", "401 403 403 403 ok  ok"),
    ("POST /v1/products/{sku}/name", "401 403 403 403 ok  ok"),
    ("POST /v1/products/{sku}/discontinue", "401 403 403 403 ok  ok"),
    ("GET /v1/stock", "401 403 403 ok  ok  ok"),
    ("GET /v1/stock/{sku}", "401 403 403 ok  ok  ok"),
    ("POST /v1/stock/{sku}/receive", "401 403 403 403 ok  ok"),
    ("POST /v1/stock/{sku}/adjust", "401 403 403 403 ok  ok"),
    ("GET /v1/customers", "401 403 403 ok  ok  ok"),
    ("GET /v1/customers/{id}", "401 ok  404 ok  ok  ok"),
    ("POST /v1/customers", "401 ok  ok  ok  ok  ok"),
    ("POST /v1/customers/{id}/contact", "401 ok  404 ok  ok  ok"),
    ("POST /v1/customers/{id}/block", "401 403 403 ok  ok  ok"),
    ("POST /v1/customers/{id}/erase", "401 403 403 403 ok  ok"),
    ("GET /v1/orders", "401 ok  ok  ok  ok  ok"),
    ("GET /v1/orders/{id}", "401 ok  404 ok  ok  ok"),
    ("GET /v1/orders/{id}/events", "401 403 403 ok  ok  ok"),
    ("POST /v1/orders", "401 ok  ok  ok  ok  ok"),
    ("POST /v1/orders/{id}/lines", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/lines/{line}/quantity", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/lines/{line}/remove", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/place", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/cancel", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/lines/cancel", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/returns", "401 ok  404 ok  ok  ok"),
    ("POST /v1/orders/{id}/returns/{return}/receive", "401 403 403 403 ok  ok"),
    ("POST /v1/orders/{id}/hold", "401 403 403 ok  ok  ok"),
    ("POST /v1/orders/{id}/release", "401 403 403 ok  ok  ok"),
    ("POST /v1/orders/{id}/erase", "401 403 403 403 ok  ok"),
    ("GET /v1/shipments", "401 403 403 ok  ok  ok"),
    ("GET /v1/shipments/{id}", "401 ok  404 ok  ok  ok"),
    ("POST /v1/shipments/{id}/ship", "401 403 403 403 ok  ok"),
    ("POST /v1/shipments/{id}/deliver", "401 403 403 403 ok  ok"),
    ("GET /v1/payments", "401 403 403 ok  ok  ok"),
    ("GET /v1/payments/{id}", "401 ok  404 ok  ok  ok"),
    ("GET /v1/reports/sales", "401 403 403 403 ok  ok"),
    ("GET /v1/events", "401 403 403 403 ok  ok"),
    ("GET /v1/sagas", "401 403 403 ok  ok  ok"),
    ("GET /v1/sagas/{id}", "401 403 403 ok  ok  ok"),
    ("GET /v1/sagas/{id}/explain", "401 403 403 ok  ok  ok"),
    ("POST /v1/sagas/{id}/retry", "401 403 403 403 ok  403"),
    ("POST /v1/sagas/{id}/resolve", "401 403 403 403 ok  403"),
    ("GET /v1/projections", "401 403 403 ok  ok  ok"),
    ("GET /v1/projections/{name}", "401 403 403 ok  ok  ok"),
    ("POST /v1/projections/{name}/rebuild", "401 403 403 403 ok  403"),
    ("POST /v1/projections/{name}/rollback", "401 403 403 403 ok  403"),
    ("POST /v1/projections/{name}/switch", "401 403 403 403 ok  403"),
    ("POST /v1/projections/{name}/drop", "401 403 403 403 ok  403"),
    ("POST /v1/projections/{name}/park", "401 403 403 403 ok  403"),
    ("POST /v1/projections/{name}/replay", "401 403 403 403 ok  403"),
    ("GET /v1/dead-letters", "401 403 403 403 ok  403"),
    ("GET /v1/dead-letters/{id}", "401 403 403 403 ok  403"),
    ("POST /v1/dead-letters/{id}/replay", "401 403 403 403 ok  403"),
    ("GET /v1/dashboard", "401 ok  ok  ok  ok  ok"),
    ("GET /v1/overview", "401 403 403 403 ok  403"),
    ("GET /v1/orders/{id}/stream", "401 ok  404 ok  ok  ok"),
    ("GET /v1/events/stream", "401 403 403 ok  ok  ok"),
    ("GET /v1/webhooks", "401 403 403 403 ok  403"),
    ("POST /v1/webhooks", "401 403 403 403 ok  403"),
    ("GET /v1/webhooks/{id}", "401 403 403 403 ok  403"),
    ("DELETE /v1/webhooks/{id}", "401 403 403 403 ok  403"),
    ("POST /v1/webhooks/{id}/enable", "401 403 403 403 ok  403"),
    ("POST /v1/webhooks/{id}/disable", "401 403 403 403 ok  403"),
    ("POST /v1/webhooks/{id}/rotate-secret", "401 403 403 403 ok  403"),
    ("POST /v1/webhooks/{id}/redeliver", "401 403 403 403 ok  403"),
    ("GET /v1/webhooks/{id}/deliveries", "401 403 403 403 ok  403"),
    ("GET /v1/webhooks/{id}/deliveries/{delivery}", "401 403 403 403 ok  403"),
    ("POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver", "401 403 403 403 ok  403"),
    ("GET /v1/mails", "401 403 403 ok  ok  403"),
    ("GET /v1/mails/{id}", "401 403 403 ok  ok  403"),
    ("POST /v1/mails/{id}/resend", "401 403 403 403 ok  403"),
    ("POST /v1/mails/resend", "401 403 403 403 ok  403"),
    ("GET /v1/notices", "401 ok  ok  ok  ok  ok"),
    ("POST /v1/notices/{id}/read", "401 ok  404 403 ok  ok"),
    ("POST /v1/notices/read", "401 ok  ok  403 ok  ok"),
    ("GET /v1/simulator/ledger", "401 403 403 403 ok  ok"),
];

/// What is there besides when Stripe takes the money. `sig`: nobody's token counts, but a signature.
const WITH_STRIPE: (&str, &str) = ("POST /v1/payments/webhooks/stripe", "sig sig sig sig sig sig");

/// The operations of a description.
fn operations(api: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((format!("{} {path}", method.to_uppercase()), operation));
        }
    }
    found
}

/// What was answered, as the rows have it. A dead letter that is not there was looked for, and so were a webhook and a mail.
fn verdict(answer: &Answer) -> &'static str {
    match (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default()) {
        (401, "unauthenticated") => "401",
        (401, "invalid_signature") => "sig",
        (403, "forbidden") => "403",
        (404, "dead_letter_not_found" | "webhook_not_found" | "mail_not_found") => "ok",
        (404, _) => "404",
        (401 | 403, _) => panic!("{answer:?}"),
        (status, _) => {
            assert!(status < 500 && status != 405, "{answer:?}");
            "ok"
        }
    }
}

async fn every_operation_answers_everybody_as_its_row_says(shop: &Shop<'_>) {
    let api = shop.platform.get("/openapi.json").await.ok();
    let rows: BTreeMap<&str, &str> = ROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    let described = operations(&api);
    for (operation, said) in &described {
        let Some(row) = rows.get(operation.as_str()) else {
            wrong.push(format!("{operation} has no row"));
            continue;
        };
        let is_guarded = !row.starts_with("ok");
        let scheme = &said["security"][0]["token"][0];
        assert_eq!(scheme.is_string(), is_guarded, "{operation}: {said}");
        assert_eq!(*scheme, said["x-docket-access"]["scope"], "{operation}");
        for (who, wanted) in Who::ALL.into_iter().zip(row.split_whitespace()) {
            let answer = shop.ask(who, operation).await;
            let got = verdict(&answer);
            if got != wanted {
                wrong.push(format!("{operation} of {who:?} is {got} and not {wanted}: {answer:?}"));
            }
            if got == "404" {
                let nowhere = shop.ask_for_nothing(who, operation).await;
                assert_eq!(
                    nowhere, answer.body["code"],
                    "{operation}: the same as of what is not there"
                );
            }
        }
    }
    for row in rows.keys() {
        if !described.iter().any(|(operation, _)| operation == row) {
            wrong.push(format!("{row} is no operation"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_operation_answers_everybody_as_its_row_says_in_one_process() {
    let (platform, tokens) = crate::access::guarded().await;
    every_operation_answers_everybody_as_its_row_says(&Shop::open(&platform, &tokens).await).await;
    who_has_no_token_is_not_told_which_paths_there_are(&platform, &tokens).await;
}

#[tokio::test]
async fn every_operation_answers_everybody_as_its_row_says_over_separate_processes() {
    let tokens = Tokens::new().await;
    let Some(services) = Services::start_guarded(&tokens.settings()).await else { return };
    let shop = Shop::open(&services.gateway, &tokens).await;
    every_operation_answers_everybody_as_its_row_says(&shop).await;
    who_has_no_token_is_not_told_which_paths_there_are(&services.gateway, &tokens).await;
}

/// Both entrances say the same of what is nobody's path, and of a method that a path does not take.
async fn who_has_no_token_is_not_told_which_paths_there_are(platform: &Platform, tokens: &Tokens) {
    let shop = Shop::of(platform, tokens);
    for (asked, of_known) in [
        ("GET /v1/nothing", (404, "not_found")),
        ("GET /v1/orders/o/nothing", (404, "not_found")),
        ("GET /v1/simulator/nothing", (404, "not_found")),
        ("POST /v1/orders/o", (405, "method_not_allowed")),
        ("DELETE /v1/orders", (405, "method_not_allowed")),
        ("POST /v1/dashboard", (405, "method_not_allowed")),
        ("POST /v1/webhooks/none/nothing", (404, "not_found")),
        ("GET /v1/", (404, "not_found")),
        ("GET /v1/payments/webhooks/stripe", (404, "not_found")),
        ("DELETE /v1/payments/webhooks/stripe", (404, "not_found")),
        ("POST /v1/payments/webhooks/stripe/nothing", (404, "not_found")),
    ] {
        let answer = shop.ask(Who::Nobody, asked).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{asked}");
        let answer = shop.ask(Who::Operator, asked).await;
        assert_eq!(answer.problem(), of_known, "{asked}");
    }
    // What is for everybody has no secrets. Here the simulator takes the money, and nobody takes notices.
    for (asked, of_all) in [
        ("GET /nothing", (404, "not_found")),
        ("POST /health/ready", (405, "method_not_allowed")),
        ("POST /v1/payments/webhooks/stripe", (404, "not_found")),
    ] {
        assert_eq!(shop.ask(Who::Nobody, asked).await.problem(), of_all, "{asked}");
    }
}

/// A payment provider has no token: its signature is looked at by the command-service.
#[tokio::test]
async fn what_stripe_tells_is_described_and_nobodys_token_stands_for_its_signature() {
    let (platform, tokens) = crate::access::guarded_with_stripe().await;
    let shop = Shop::of(&platform, &tokens);
    let api = platform.get("/openapi.json").await.ok();
    let mut described: Vec<String> = operations(&api).into_iter().map(|(name, _)| name).collect();
    let mut rows: Vec<&str> = ROWS.iter().chain([&WITH_STRIPE]).map(|(name, _)| *name).collect();
    described.sort_unstable();
    rows.sort_unstable();
    assert_eq!(described, rows);
    let said = &api["paths"]["/v1/payments/webhooks/stripe"]["post"];
    assert!(said["security"].is_null() && said["x-docket-access"].is_null(), "{said}");
    assert!(said["responses"]["401"].is_object(), "{said}");
    for (who, wanted) in Who::ALL.into_iter().zip(WITH_STRIPE.1.split_whitespace()) {
        let answer = shop.ask(who, WITH_STRIPE.0).await;
        assert_eq!(verdict(&answer), wanted, "{who:?}: {answer:?}");
    }
    // What is no notice is as everything else.
    let other = "GET /v1/payments/webhooks/stripe";
    assert_eq!(shop.ask(Who::Nobody, other).await.problem(), (401, "unauthenticated"));
    assert_eq!(shop.ask(Who::Operator, other).await.problem(), (405, "method_not_allowed"));
    assert!(platform.terminate().await.success());
}
