//! Who is let in, and what they may: tokens, customers' own, prices and times, and who did what.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::platform::{Answer, Data, Platform, docket, text};
use crate::services::Services;
use crate::shop::order;

/// Somebody who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Nobody,
    Owner,
    Other,
    Support,
    Operator,
    Service,
}

impl Who {
    pub(crate) const ALL: [Self; 6] =
        [Self::Nobody, Self::Owner, Self::Other, Self::Support, Self::Operator, Self::Service];

    /// Their name and role.
    fn is(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Nobody => None,
            Self::Owner => Some(("17850", "customer")),
            Self::Other => Some(("17851", "customer")),
            Self::Support => Some(("sue", "support")),
            Self::Operator => Some(("ada", "operator")),
            Self::Service => Some(("web-shop", "service")),
        }
    }
}

/// Keys, the settings that name them, and everybody's token.
pub(crate) struct Tokens {
    folder: Data,
    made: Vec<String>,
}

impl Tokens {
    pub(crate) async fn new() -> Self {
        let folder = Data::new();
        let path = folder.path().join("auth");
        let output = docket(&["token", "init", path.to_str().unwrap()]).output().await.unwrap();
        assert!(output.status.success(), "{}", text(&output));
        let mut tokens = Self { folder, made: Vec::new() };
        for who in Who::ALL {
            let token = match who.is() {
                Some((subject, role)) => tokens.make(&["--subject", subject, "--role", role]).await,
                None => String::new(),
            };
            tokens.made.push(token);
        }
        tokens
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.folder.path().join("auth/auth.toml")
    }

    /// What `docket token` prints.
    async fn make(&self, words: &[&str]) -> String {
        let mut command = docket(&["token"]);
        command.args(words).env("DOCKET_AUTH_FILE", self.settings());
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn of(&self, who: Who) -> &str {
        &self.made[who as usize]
    }

    fn header(&self, who: Who) -> Option<String> {
        (who != Who::Nobody).then(|| format!("Bearer {}", self.of(who)))
    }
}

/// A platform in one process that takes these tokens.
pub(crate) async fn guarded() -> (Platform, Tokens) {
    let tokens = Tokens::new().await;
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.env("DOCKET_AUTH_FILE", tokens.settings());
    command.arg("--data-dir").arg(tokens.folder.path().join("data"));
    let platform = Platform::of(command).await;
    (platform, tokens)
}

/// A platform in one process that takes these tokens, and whose money Stripe takes: it is not asked before there is an order.
pub(crate) async fn guarded_with_stripe() -> (Platform, Tokens) {
    let tokens = Tokens::new().await;
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0", "--payment-provider", "stripe"]);
    command.env("DOCKET_AUTH_FILE", tokens.settings());
    command.env("DOCKET_STRIPE_SECRET_KEY", "sk_test_docket");
    command.env("DOCKET_STRIPE_WEBHOOK_SECRET", "whsec_docket");
    command.arg("--data-dir").arg(tokens.folder.path().join("data"));
    let platform = Platform::of(command).await;
    (platform, tokens)
}

/// A platform on which a customer has an order, a cart, a payment, a parcel and a notice.
pub(crate) struct Shop<'p> {
    pub(crate) platform: &'p Platform,
    tokens: &'p Tokens,
    payment: String,
    shipment: String,
    notice: String,
}

impl<'p> Shop<'p> {
    /// One with nothing in it.
    pub(crate) fn of(platform: &'p Platform, tokens: &'p Tokens) -> Self {
        let (payment, shipment, notice) = (String::new(), String::new(), String::new());
        Self { platform, tokens, payment, shipment, notice }
    }

    pub(crate) async fn open(platform: &'p Platform, tokens: &'p Tokens) -> Self {
        let mut shop = Self::of(platform, tokens);
        let product = json!({ "sku": "22423", "name": "Cakestand", "stocked": true,
            "unit_price": { "amount": 1275, "currency": "GBP" } });
        shop.post(Who::Service, "/v1/products", "product", &product).await.ok();
        shop.post(Who::Service, "/v1/stock/22423/receive", "in", &json!({ "quantity": 50 }))
            .await
            .ok();
        for customer in [Who::Owner, Who::Other] {
            shop.post(customer, "/v1/customers", "me", &json!({ "name": "A person" })).await.ok();
        }
        let placed =
            shop.post(Who::Owner, "/v1/orders", "o", &order("first", "22423", "pm_ok")).await.ok();
        shop.until(Who::Owner, "/v1/orders/first", |order| order["status"] == "confirmed").await;
        assert_eq!(placed["id"], "first");
        let one = |list: &Value| list["items"].as_array().is_some_and(|list| list.len() == 1);
        let payments = shop.until(Who::Owner, "/v1/payments?order_id=first", one).await;
        let shipments = shop.until(Who::Owner, "/v1/shipments?order_id=first", one).await;
        let id = |list: &Value| list["items"][0]["id"].as_str().unwrap().to_owned();
        (shop.payment, shop.shipment) = (id(&payments), id(&shipments));
        shop.notice = id(&shop.until(Who::Owner, "/v1/notices", one).await);
        let customer = |customer: &Value| customer["id"] == "17850";
        shop.until(Who::Owner, "/v1/customers/17850", customer).await;
        shop.until(Who::Operator, "/v1/stock/22423", |stock| stock["on_hand"] == 50).await;
        shop
    }

    pub(crate) async fn get(&self, who: Who, path: &str) -> Answer {
        let token = self.tokens.header(who);
        let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        self.platform.get_with(path, &headers).await
    }

    /// The same by way of a proxy, which says from where.
    pub(crate) async fn get_from(&self, who: Who, path: &str, from: &str) -> Answer {
        let token = self.tokens.header(who).unwrap_or_default();
        let headers = [("authorization", token.as_str()), ("x-forwarded-for", from)];
        self.platform.get_with(path, &headers).await
    }

    /// The same of what is no JSON.
    pub(crate) async fn get_text(&self, who: Who, path: &str) -> String {
        Platform::at(&self.platform.url).bearing(self.tokens.of(who)).text(path).await
    }

    pub(crate) async fn post(&self, who: Who, path: &str, key: &str, body: &Value) -> Answer {
        let token = self.tokens.header(who);
        let token = token.iter().map(|token| ("authorization", token.as_str()));
        let headers: Vec<_> = token.chain([("idempotency-key", key)]).collect();
        self.platform.post_with(path, &headers, body.to_string()).await
    }

    /// The customer's parcel.
    pub(crate) fn shipment(&self) -> &str {
        &self.shipment
    }

    /// What the customer was told.
    pub(crate) fn notice(&self) -> &str {
        &self.notice
    }

    pub(crate) async fn until(
        &self,
        who: Who,
        path: &str,
        there: impl Fn(&Value) -> bool,
    ) -> Value {
        let begun = std::time::Instant::now();
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let body = self.get(who, path).await.body;
            if there(&body) {
                return body;
            }
            assert!(begun.elapsed() < crate::platform::PATIENCE, "{path} stayed {body:#}");
        }
    }

    /// Asks for an operation of the description, about what is there; without a key, so that nothing comes of a command.
    pub(crate) async fn ask(&self, who: Who, operation: &str) -> Answer {
        let (method, path) = operation.split_once(' ').unwrap();
        let id = match path.split('/').nth(2).unwrap_or_default() {
            "customers" => "17850",
            "payments" => &self.payment,
            "shipments" => &self.shipment,
            "notices" => &self.notice,
            "sagas" => "order-first",
            "dead-letters" | "webhooks" => "none",
            _ => "first",
        };
        self.ask_at(who, method, path, id).await
    }

    /// The same of what is not there; the code of the answer.
    pub(crate) async fn ask_for_nothing(&self, who: Who, operation: &str) -> Value {
        let (method, path) = operation.split_once(' ').unwrap();
        self.ask_at(who, method, path, "nowhere").await.body["code"].clone()
    }

    async fn ask_at(&self, who: Who, method: &str, path: &str, id: &str) -> Answer {
        let path = path.replace("{id}", id).replace("{sku}", "22423").replace("{name}", "orders");
        let path = path.replace("{line}", "1").replace("{return}", "r").replace("{delivery}", "1");
        if method == "GET" {
            return self.get(who, &path).await;
        }
        let token = self.tokens.header(who);
        let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
        if method == "DELETE" {
            return self.platform.delete_with(&path, &headers).await;
        }
        self.platform.post_with(&path, &headers, "{}").await
    }
}

#[tokio::test]
async fn a_customer_s_lists_hold_their_own_and_what_they_place_is_theirs() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let of =
        async |who, path: &str| shop.get(who, path).await.ok()["items"].as_array().unwrap().len();
    for list in ["/v1/orders", "/v1/orders?customer_id=17850"] {
        assert_eq!((of(Who::Owner, list).await, of(Who::Other, list).await), (1, 0), "{list}");
        assert_eq!(of(Who::Support, list).await, 1);
    }
    for list in ["/v1/payments?order_id=first", "/v1/shipments?order_id=first"] {
        assert_eq!((of(Who::Owner, list).await, of(Who::Other, list).await), (1, 0), "{list}");
    }
    let whose = shop.get(Who::Operator, "/v1/orders/first").await.ok();
    assert_eq!(whose["customer_id"], "17850", "the order named nobody");
    let hidden = shop.get(Who::Other, "/v1/orders/first?as_of_version=99").await;
    assert_eq!(hidden.problem(), (404, "order_not_found"));
    let mut another = order("second", "22423", "pm_ok");
    for (customer, answer) in [("17850", (403, "forbidden")), ("nobody", (403, "forbidden"))] {
        another["customer_id"] = customer.into();
        let placed = shop.post(Who::Other, "/v1/orders", customer, &another).await;
        assert_eq!(placed.problem(), answer, "whether they are there or not");
    }
}

#[tokio::test]
async fn the_catalog_and_the_clock_say_what_customers_and_support_can_t() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let mut priced = order("cheap", "22423", "pm_ok");
    priced["lines"][0]["unit_price"] = 1.into();
    let mut dated = order("early", "22423", "pm_ok");
    dated["occurred_at"] = "2010-12-01T08:26:00Z".into();
    for (body, pointer) in [(&priced, "/lines/0/unit_price"), (&dated, "/occurred_at")] {
        for who in [Who::Owner, Who::Support] {
            let refused = shop.post(who, "/v1/orders", pointer, body).await;
            assert_eq!(refused.problem(), (403, "forbidden"), "{who:?} {pointer}");
            assert_eq!(refused.body["errors"][0]["pointer"], pointer);
        }
        shop.post(Who::Service, "/v1/orders", pointer, body).await.ok();
    }
    let cart = json!({ "order_id": "cart", "currency": "GBP", "lines": [], "draft": true,
        "payment_method": "pm_ok", "shipping_address": { "country": "France" } });
    shop.post(Who::Owner, "/v1/orders", "cart", &cart).await.ok();
    let line = json!({ "sku": "22423", "quantity": 1, "unit_price": 1 });
    let refused = shop.post(Who::Owner, "/v1/orders/cart/lines", "line", &line).await;
    assert_eq!(refused.problem(), (403, "forbidden"));
}

#[tokio::test]
async fn one_s_key_is_no_other_s_and_the_log_names_who_acted() {
    let (platform, tokens) = guarded().await;
    let shop = Shop::open(&platform, &tokens).await;
    let path = "/v1/stock/22423/receive";
    let service = shop.post(Who::Service, path, "k", &json!({ "quantity": 1 })).await;
    let two = json!({ "quantity": 2, "reason": "delivery note 2" });
    let operator = shop.post(Who::Operator, path, "k", &two).await;
    assert_ne!(service.ok()["position"], operator.ok()["position"]);
    let token = format!("Bearer {}", tokens.of(Who::Operator));
    let headers =
        [("authorization", token.as_str()), ("idempotency-key", "r"), ("docket-actor", "mallory")];
    let rebuilt =
        platform.post_with("/v1/projections/stock/rebuild", &headers, r#"{"reason":"why not"}"#);
    assert_eq!(rebuilt.await.status, 202);
    let log = shop.get(Who::Operator, "/v1/events?limit=1000").await.ok();
    let events = log["items"].as_array().unwrap();
    let acted: Vec<_> = events.iter().filter(|event| event["type"] == "OperatorActed").collect();
    let [acted] = acted.as_slice() else { panic!("{log}") };
    assert_eq!(
        (&acted["data"]["actor"], &acted["data"]["reason"]),
        (&"dev:ada".into(), &"why not".into())
    );
    let commands: Vec<_> = events.iter().filter_map(|event| event["command_id"].as_str()).collect();
    assert!(
        commands.contains(&"caller/dev:web-shop/k") && commands.contains(&"caller/dev:ada/k"),
        "{commands:?}"
    );
}

#[tokio::test]
async fn a_token_that_is_not_taken_is_told_why() {
    let (platform, tokens) = guarded().await;
    let good = tokens.of(Who::Operator);
    let (rest, _) = good.rsplit_once('.').unwrap();
    let forged = format!("Bearer {rest}.AAAA");
    let confined =
        tokens.make(&["--subject", "ada", "--role", "operator", "--scope", "catalog:read"]);
    let confined = format!("Bearer {}", confined.await);
    let none = platform.get("/v1/events").await;
    assert_eq!(none.problem(), (401, "unauthenticated"));
    assert_eq!(none.header("www-authenticate"), "Bearer realm=\"docket\"");
    for (header, reason) in [
        (forged.as_str(), "the signature is wrong"),
        ("Bearer x", "this is no token"),
        ("Basic YWRhOmFkYQ==", "`Authorization` is one value"),
        (good, "`Authorization` is one value"),
    ] {
        let answer = platform.get_with("/v1/events", &[("authorization", header)]).await;
        assert_eq!(answer.problem(), (401, "unauthenticated"), "{header}");
        assert!(answer.body["detail"].as_str().unwrap().starts_with(reason), "{answer:?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer realm=\"docket\""));
    }
    let two = format!("Bearer {good}");
    let headers = [("authorization", two.as_str()), ("authorization", two.as_str())];
    assert_eq!(platform.get_with("/v1/events", &headers).await.problem(), (401, "unauthenticated"));
    let denied = platform.get_with("/v1/events", &[("authorization", &confined)]).await;
    assert_eq!(denied.problem(), (403, "forbidden"));
    assert_eq!(denied.body["detail"], "the token lacks the scope `log:read`");
    platform.get_with("/v1/products", &[("authorization", &confined)]).await.ok();
    let unasked = platform.get("/health/ready").await.ok();
    assert_eq!(unasked["entrance"], "tokens");
}

#[tokio::test]
async fn without_tokens_nothing_listens_where_others_can_reach_it() {
    let data = Data::new();
    for service in ["dev", "gateway", "command-service", "payment-simulator"] {
        let mut command = docket(&[service, "--listen", "0.0.0.0:0"]);
        command
            .env("DOCKET_DATA_DIR", data.path())
            .env("DOCKET_POSTGRES_URL", "postgres://127.0.0.1:1/x");
        command.env("DOCKET_NATS_URL", "nats://127.0.0.1:1").env("DOCKET_MASTER_KEY_FILE", "x");
        command.env("DOCKET_PAYMENT_PROVIDER_URL", "http://127.0.0.1:1");
        let output = command.output().await.unwrap();
        assert!(!output.status.success(), "{service}");
        let said = text(&output);
        assert!(said.contains("can be reached from other machines"), "{service}: {said}");
    }
    let tokens = Tokens::new().await;
    let mut command = docket(&["dev", "--listen", "0.0.0.0:0"]);
    command.env("DOCKET_AUTH_FILE", tokens.settings()).arg("--data-dir").arg(data.path());
    let platform = Platform::of(command).await;
    let at = platform.url.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(Platform::at(&at).get("/v1/orders").await.problem(), (401, "unauthenticated"));
}

#[tokio::test]
async fn the_tools_take_the_token_from_the_environment() {
    let (platform, tokens) = guarded().await;
    let status = async |token: &str| {
        let mut command = docket(&["status", "--url", &platform.url]);
        command.env("DOCKET_TOKEN", token).output().await.unwrap()
    };
    assert!(status(tokens.of(Who::Operator)).await.status.success());
    let refused = status("").await;
    assert!(!refused.status.success());
    assert!(text(&refused).contains("DOCKET_TOKEN"), "{}", text(&refused));
}

#[tokio::test]
async fn a_gateway_that_asks_for_tokens_hands_nothing_to_a_service_that_does_not() {
    let Some(services) = Services::start().await else { return };
    let tokens = Tokens::new().await;
    let gateway = services.gateway_with(&tokens.settings()).await;
    let token = tokens.header(Who::Owner).unwrap();
    assert_eq!(gateway.get("/v1/orders").await.problem(), (401, "unauthenticated"));
    let answer = gateway.get_with("/v1/orders", &[("authorization", &token)]).await;
    assert_eq!(answer.problem(), (503, "unavailable"));
    assert!(answer.body["detail"].as_str().unwrap().contains("auth_file"), "{answer:?}");
}
