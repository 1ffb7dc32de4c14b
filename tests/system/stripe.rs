//! Real orders with Stripe as the provider: the platform in one process, and localstripe, which nobody here wrote.
//!
//! localstripe does not say what it captured, so an order that is captured in part is looked at in its own words only.

use serde_json::{Value, json};
use test_servers::{LocalStripe, localstripe};

use crate::platform::{Data, Platform, docket, text};
use crate::shop::order;

const KEY: &str = "sk_test_docket";
const WEBHOOK_SECRET: &str = "whsec_docket";
const GOOD: &str = "pm_card_visa";
const DECLINED: &str = "pm_card_chargeCustomerFail";

struct Shop {
    stripe: LocalStripe,
    data: Data,
    platform: Platform,
    client: reqwest::Client,
}

impl Shop {
    async fn open() -> Option<Self> {
        let stripe = localstripe()?;
        let data = Data::new();
        let secret = data.path().join("stripe-key");
        std::fs::write(&secret, format!("{KEY}\n")).unwrap();
        let mut command =
            docket(&["dev", "--listen", "127.0.0.1:0", "--payment-provider", "stripe"]);
        command.arg("--data-dir").arg(data.path()).arg("--stripe-secret-key-file").arg(&secret);
        command.args(["--stripe-api-url", &stripe.url()]);
        command.env("DOCKET_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
        let platform = Platform::of(command).await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let shop = Self { stripe, data, platform, client };
        shop.platform.sell("cup", 100).await;
        Some(shop)
    }

    async fn ask_stripe(&self, path: &str) -> Value {
        let asked = self.client.get(format!("{}{path}", self.stripe.url())).bearer_auth(KEY);
        asked.send().await.unwrap().json().await.unwrap()
    }

    /// Every intent of a payment, at Stripe.
    async fn intents(&self, payment: &str) -> Vec<Value> {
        let page = self.ask_stripe("/v1/payment_intents?limit=100").await;
        let all = page["data"].as_array().unwrap().iter();
        all.filter(|one| one["metadata"]["docket_payment_id"] == payment).cloned().collect()
    }

    /// The one intent of a payment.
    async fn intent(&self, payment: &str) -> Value {
        let intents = self.intents(payment).await;
        assert_eq!(intents.len(), 1, "{intents:#?}");
        intents[0].clone()
    }

    async fn until_order(&self, id: &str, status: &str) -> Value {
        self.platform.until(&format!("/v1/orders/{id}"), |order| order["status"] == status).await
    }

    /// The report of a reconciliation of today, and the exit code.
    async fn reconcile(&self) -> (Value, Option<i32>) {
        let (from, to) = ("2020-01-01", "2120-01-01");
        let words = ["payments", "reconcile", "--json", "--from", from, "--to", to];
        let mut command = docket(&words);
        command.arg("--data-dir").arg(self.data.path());
        command.args(["--payment-provider", "stripe", "--stripe-api-url", &self.stripe.url()]);
        let output = command.env("DOCKET_STRIPE_SECRET_KEY", KEY).output().await.unwrap();
        let report = serde_json::from_slice(&output.stdout);
        (report.unwrap_or_else(|_| panic!("{}", text(&output))), output.status.code())
    }
}

#[tokio::test]
async fn orders_are_paid_with_stripe_from_authorization_to_refund() {
    let Some(shop) = Shop::open().await else { return };
    let platform = &shop.platform;

    let placed = platform.place(&order("paid", "cup", GOOD)).await;
    assert_eq!(placed["status"], "confirmed", "{placed}");
    let held = shop.intent("paid-p1").await;
    assert_eq!(
        (&held["status"], &held["amount"], &held["currency"]),
        (&json!("requires_capture"), &json!(2550), &json!("gbp"))
    );
    platform.deliver("paid").await;
    shop.until_order("paid", "completed").await;
    assert_eq!(shop.intent("paid-p1").await["status"], "succeeded");

    let refused = platform.place(&order("declined", "cup", DECLINED)).await;
    assert_eq!(
        (&refused["status"], &refused["reason"]),
        (&json!("rejected"), &json!("card_declined"))
    );
    assert_eq!(shop.intent("declined-p1").await["status"], "requires_payment_method");

    platform.place(&order("canceled", "cup", GOOD)).await;
    platform
        .post("/v1/orders/canceled/cancel", "cancel", &json!({ "reason": "changed my mind" }))
        .await
        .ok();
    shop.until_order("canceled", "cancelled").await;
    assert_eq!(shop.intent("canceled-p1").await["status"], "canceled");

    let lines = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
    platform.post("/v1/orders/paid/returns", "return", &lines).await.ok();
    platform
        .post("/v1/orders/paid/returns/paid-r1/receive", "receive", &json!({ "restock": true }))
        .await
        .ok();
    let paid_back = |order: &Value| order["payment"]["refunded"] == 1275;
    platform.until("/v1/orders/paid", paid_back).await;
    let refunds = shop.ask_stripe("/v1/refunds?limit=100").await;
    let refunds = refunds["data"].as_array().unwrap();
    assert_eq!(refunds.len(), 1, "{refunds:#?}");
    assert_eq!(
        (&refunds[0]["amount"], &refunds[0]["metadata"]["docket_key"]),
        (&json!(1275), &json!("paid-p1/refund/1"))
    );

    platform.settle().await;
    let (report, code) = shop.reconcile().await;
    assert_eq!(
        (code, &report["clean"], &report["compared"]),
        (Some(0), &json!(true), &json!(3)),
        "{report:#}"
    );
    // Somebody gives money back at Stripe's own desk: the log does not know.
    let intent = shop.intent("paid-p1").await["id"].as_str().unwrap().to_owned();
    let form = format!("payment_intent={intent}&amount=100");
    let desk = shop.client.post(format!("{}/v1/refunds", shop.stripe.url())).bearer_auth(KEY);
    let desk = desk.header("content-type", "application/x-www-form-urlencoded").body(form);
    assert!(desk.send().await.unwrap().status().is_success());
    let (report, code) = shop.reconcile().await;
    let [difference] = &report["differences"].as_array().unwrap()[..] else { panic!("{report:#}") };
    assert_eq!(
        (code, &difference["kind"], &difference["payment_id"]),
        (Some(1), &json!("amounts_differ"), &json!("paid-p1")),
        "{report:#}"
    );
    assert_eq!(
        (&difference["log"]["refunded"], &difference["provider"]["refunded"]),
        (&json!(1275), &json!(1375))
    );
    shop.data.verify().await;
}

#[tokio::test]
async fn a_line_is_cancelled_and_only_the_rest_is_captured() {
    let Some(shop) = Shop::open().await else { return };
    let platform = &shop.platform;
    platform.sell("plate", 10).await;
    let two = json!({ "order_id": "two", "currency": "GBP", "payment_method": GOOD,
        "lines": [{ "sku": "cup", "quantity": 2 }, { "sku": "plate", "quantity": 1 }],
        "shipping_address": { "country": "United Kingdom" } });
    assert_eq!(platform.place(&two).await["status"], "confirmed");
    let lines = json!({ "lines": [{ "line": 2, "quantity": 1 }], "reason": "one plate less" });
    platform.post("/v1/orders/two/lines/cancel", "less", &lines).await.ok();
    let done = |order: &Value| order["lines"][1]["cancelled"] == 1;
    platform.until("/v1/orders/two", done).await;
    let noted = shop.intent("two-p1").await;
    assert_eq!(
        (&noted["status"], &noted["metadata"]["docket_void_1"]),
        (&json!("requires_capture"), &json!("1275")),
        "Stripe gives a part back with the capture: {noted:#}"
    );
    platform.deliver("two").await;
    shop.until_order("two", "completed").await;
    let taken = shop.intent("two-p1").await;
    assert_eq!(taken["status"], "succeeded");
    // What it did not take it shows as given back.
    assert_eq!(taken["latest_charge"]["amount_refunded"], 1275, "{taken:#}");
    platform.settle().await;
    shop.data.verify().await;
}

#[tokio::test]
async fn what_stripe_tells_is_believed_when_it_is_signed() {
    let Some(shop) = Shop::open().await else { return };
    let platform = &shop.platform;
    let to = format!("{}/v1/payments/webhooks/stripe", platform.url);
    let hook = json!({ "url": to, "secret": WEBHOOK_SECRET });
    let at = format!("{}/_config/webhooks/docket", shop.stripe.url());
    let asked =
        shop.client.post(at).header("content-type", "application/json").body(hook.to_string());
    assert!(asked.send().await.unwrap().status().is_success());
    platform.place(&order("told", "cup", GOOD)).await;
    platform.deliver("told").await;
    shop.until_order("told", "completed").await;
    // Signed by localstripe, a second after the capture.
    let taken = r#"docket_provider_notices_total{provider="stripe",outcome="taken"} 1"#;
    let begun = std::time::Instant::now();
    while !platform.text("/metrics").await.contains(taken) {
        assert!(begun.elapsed() < crate::platform::PATIENCE, "no notice came");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let forged = [("stripe-signature", "t=1,v1=00")];
    let answer = platform.post_with("/v1/payments/webhooks/stripe", &forged, "{}").await;
    assert_eq!(answer.problem(), (401, "invalid_signature"));
}

#[tokio::test]
async fn a_notice_needs_a_signature_and_no_token() {
    let tokens = crate::access::Tokens::new().await;
    let data = Data::new();
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0", "--payment-provider", "stripe"]);
    command.arg("--data-dir").arg(data.path()).env("DOCKET_AUTH_FILE", tokens.settings());
    command
        .env("DOCKET_STRIPE_SECRET_KEY", KEY)
        .env("DOCKET_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET);
    let platform = Platform::of(command).await;
    let forged = [("stripe-signature", "t=1,v1=00")];
    let answer = platform.post_with("/v1/payments/webhooks/stripe", &forged, "{}").await;
    assert_eq!(answer.problem(), (401, "invalid_signature"));
    assert_eq!(platform.get("/v1/orders").await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn the_simulator_s_ledger_is_compared_with_the_log() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("cup", 10).await;
    platform.place(&order("a", "cup", "pm_ok")).await;
    platform.place(&order("b", "cup", "pm_declined")).await;
    platform.deliver("a").await;
    platform.until("/v1/orders/a", |order| order["status"] == "completed").await;
    platform.settle().await;
    let whole = ["payments", "reconcile", "--from", "2020-01-01", "--to", "2120-01-01"];
    let output = data.docket(&whole).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("2 payments compared, all agree."), "{}", text(&output));
    let of_yesterday = data.docket(&["payments", "reconcile"]).await;
    assert!(text(&of_yesterday).contains("0 payments compared"), "{}", text(&of_yesterday));
    platform.terminate().await;
    let ledger = data.path().join("payments-simulator.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&ledger);
    let mut book = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let forge = sqlx::query("UPDATE entries SET amount = amount - 1 WHERE operation = 'capture'");
    forge.execute(&mut book).await.unwrap();
    sqlx::Connection::close(book).await.unwrap();
    let output = data.docket(&whole).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("a-p1 has other amounts"), "{}", text(&output));
    std::fs::remove_file(&ledger).unwrap();
    let output = data.docket(&whole).await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    let backwards = ["payments", "reconcile", "--from", "2026-01-02", "--to", "2026-01-01"];
    assert_eq!(data.docket(&backwards).await.status.code(), Some(2));
}
