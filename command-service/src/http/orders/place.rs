//! `POST /orders`: an order is placed at once, or begun as a draft.

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::command::Command;
use domain::given::Given;
use domain::ids::{CustomerId, OrderId, Sku};
use domain::money::Currency;
use domain::orders::{CreateDraft, NewOrder, PlaceOrder, WantedLine};
use domain::text::{Label, PaymentMethod, Quantity};
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::ShortText;
use service_kit::problem::{Code, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::accepted::{self, Created};
use crate::http::address::AddressBody;
use crate::http::answers;
use crate::http::app::App;
use crate::http::asked::CommandHeaders;
use crate::http::body::{LinePrice, check_count};
use crate::http::decided::Awaited;
use crate::http::described::{ChosenId, KnownId, MethodText};
use crate::http::prefer::{PreferHeader, PreferWait};
use crate::http::problems::Problems;
use crate::http::sealing::Person;
use crate::http::told::{CommandBody, Told};
use crate::http::whose::customer_of;
use crate::ids;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(place_order).needs(Action::PlaceOrder))
}

impl CommandBody for PlaceOrderBody {
    fn occurred_at(&self) -> Option<BusinessTime> {
        self.occurred_at
    }

    fn price_at(&self) -> Option<String> {
        let priced = self.lines.iter().position(|line| line.unit_price.is_some());
        priced.map(|index| format!("/lines/{index}/unit_price"))
    }
}

/// A line that is wanted.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct WantedLineBody {
    /// The product.
    #[schema(value_type = KnownId)]
    sku: Sku,
    /// How many units.
    #[schema(value_type = u32, minimum = 1, maximum = 1_000_000_000)]
    quantity: Quantity,
    /// A price agreed for this line; the catalog's when absent. With a token: for operators and services only.
    #[serde(default)]
    unit_price: Option<LinePrice>,
}

impl WantedLineBody {
    /// The line as the domain takes it; a bare price is in `currency`.
    fn wanted(&self, currency: Currency) -> WantedLine {
        WantedLine {
            sku: self.sku.clone(),
            quantity: self.quantity,
            unit_price: self.unit_price.as_ref().map(|price| price.money(currency)),
        }
    }
}

// No `Debug`: the address must not reach a log.

/// An order.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "order_id": "first", "currency": "GBP", "lines": [{ "sku": "22423", "quantity": 2 }],
    "payment_method": "pm_ok", "shipping_address": { "country": "United Kingdom" }
}))]
struct PlaceOrderBody {
    /// The id; drawn when absent. No personal data: ids are kept when a person is erased.
    #[serde(default)]
    #[schema(value_type = Option<ChosenId>)]
    order_id: Option<Given<OrderId>>,
    /// Whose it is; a guest's when absent, or with a customer's token that customer's.
    #[serde(default)]
    #[schema(value_type = Option<KnownId>)]
    customer_id: Option<CustomerId>,
    /// ISO 4217; the one currency of the order.
    #[schema(value_type = String, format = "iso-4217", pattern = "^[A-Z]{3}$")]
    currency: Currency,
    /// What is wanted: 1 to 2000 lines; a draft may begin without. Their total is at most 10,000,000,000,000 minor units
    /// of the currency, and one product is in them at most 1,000,000,000 times.
    lines: Vec<WantedLineBody>,
    /// How it is paid, such as `pm_ok`.
    #[schema(value_type = MethodText)]
    payment_method: Given<PaymentMethod>,
    /// Where it goes.
    shipping_address: AddressBody,
    /// The client's own reference; no personal data: it is kept when a person is erased.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    reference: Option<Given<Label>>,
    /// True to begin a cart that is placed later.
    #[serde(default)]
    draft: Option<bool>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

impl PlaceOrderBody {
    fn is_draft(&self) -> bool {
        self.draft.unwrap_or_default()
    }
}

/// Place an order, or begin a draft
#[utoipa::path(post, path = "/orders", tag = "Orders", params(CommandHeaders, PreferHeader),
    request_body = PlaceOrderBody, responses(Created, Problems))]
#[tracing::instrument(skip_all)]
async fn place_order(
    State(app): State<App>,
    PreferWait(wait): PreferWait,
    told: Told<PlaceOrderBody>,
) -> Result<Response, Problem> {
    let told = if told.body.order_id.is_none() { told.of_something_new() } else { told };
    let is_draft = told.body.is_draft();
    let answer = if is_draft { answers::drafted } else { answers::placed };
    let outcome = told.carry_out(&app, command(&app, &told), answer).await?;
    match wait {
        Some(wait) if !is_draft => {
            app.decided(outcome, wait, |order_id, _| Awaited::Order(order_id.clone())).await
        }
        Some(_) | None => Ok(accepted::response(&app, &outcome)),
    }
}

async fn command(app: &App, told: &Told<PlaceOrderBody>) -> Result<Command, Problem> {
    let body = &told.body;
    check_count(body.lines.len())?;
    let drawn = || ids::order_id().ok_or(Code::Internal);
    let order_id = body.order_id.as_ref().map(Given::value).map_or_else(drawn, Ok)?;
    let customer_id = customer_of(told.caller(), body.customer_id.clone())?;
    let person = match &customer_id {
        Some(customer_id) => Person::Customer(customer_id.clone()),
        None => Person::Guest(order_id.clone()),
    };
    let shipping_address = body.shipping_address.seal(app, &person).await?;
    let order = NewOrder {
        order_id,
        customer_id,
        currency: body.currency,
        lines: body.lines.iter().map(|line| line.wanted(body.currency)).collect(),
        payment_method: body.payment_method.value(),
        shipping_address,
        reference: body.reference.as_ref().map(Given::value),
    };
    Ok(if body.is_draft() { CreateDraft(order).into() } else { PlaceOrder(order).into() })
}
