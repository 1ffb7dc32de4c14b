//! `POST /customers`, `/customers/{id}/contact|block|erase`

use access::Action;
use axum::extract::State;
use axum::response::Response;
use domain::contact::{MailAddress, PhoneNumber};
use domain::customers::{BlockCustomer, ChangeContact, EraseCustomer, RegisterCustomer};
use domain::given::Given;
use domain::ids::CustomerId;
use domain::text::{Label, Reason};
use serde::{Deserialize, Serialize};
use service_kit::access::Needs;
use service_kit::business_time::BusinessTime;
use service_kit::described::{LongText, PathId, ShortText};
use service_kit::extract::PathParams;
use service_kit::problem::{Code, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accepted::{self, Changed, Created};
use super::answers;
use super::app::App;
use super::asked::CommandHeaders;
use super::body::WhyBody;
use super::described::{ChosenId, MailText, PhoneText};
use super::problems::Problems;
use super::sealing::Person;
use super::told::{CommandBody as _, Told, command_bodies};
use super::whose::{OfCustomer, customer_of};
use crate::ids;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register_customer).needs(Action::RegisterCustomer))
        .routes(routes!(change_contact).needs(Action::ChangeContact))
        .routes(routes!(block_customer).needs(Action::BlockCustomer))
        .routes(routes!(erase_customer).needs(Action::ErasePerson))
}

command_bodies! { RegisterCustomerBody }
command_bodies! { ChangeContactBody that may say why }

// No `Debug`: it must not reach a log.

/// A customer.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_id": "17850", "name": "Ada Example", "email": "ada@example.com", "phone": "+44 20 7946 0000"
}))]
struct RegisterCustomerBody {
    /// The id; drawn when absent, or with a customer's token their own. No personal data, such as a mail address: ids are kept when a person is erased.
    #[serde(default)]
    #[schema(value_type = Option<ChosenId>)]
    customer_id: Option<Given<CustomerId>>,
    /// Their name.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    name: Option<Given<Label>>,
    /// Their mail address: something on both sides of its `@`.
    #[serde(default)]
    #[schema(value_type = Option<MailText>)]
    email: Option<Given<MailAddress>>,
    /// Their telephone number: at least 3 digits, however it is written.
    #[serde(default)]
    #[schema(value_type = Option<PhoneText>)]
    phone: Option<Given<PhoneNumber>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

/// Register a customer
#[utoipa::path(post, path = "/customers", tag = "Customers", params(CommandHeaders),
    request_body = RegisterCustomerBody, responses(Created, Problems))]
#[tracing::instrument(skip_all)]
async fn register_customer(
    State(app): State<App>,
    told: Told<RegisterCustomerBody>,
) -> Result<Response, Problem> {
    let made = async {
        let drawn = || ids::customer_id().ok_or(Code::Internal);
        let RegisterCustomerBody { customer_id, name, email, phone, .. } = &told.body;
        let named = customer_of(told.caller(), customer_id.as_ref().map(Given::value))?;
        let customer_id = named.map_or_else(drawn, Ok)?;
        let person = Person::Customer(customer_id.clone());
        Ok(RegisterCustomer {
            customer_id,
            name: app.seal_text(&person, name.as_ref()).await?,
            email: app.seal_text(&person, email.as_ref()).await?,
            phone: app.seal_text(&person, phone.as_ref()).await?,
        })
    };
    told.run_made(&app, made, answers::created).await
}

// No `Debug`: it must not reach a log.

/// How a customer is reached; what is absent stays. At least one of name, email and phone is given.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "email": "ada@example.org", "reason": "asked for on the telephone" }))]
struct ChangeContactBody {
    /// Their new name.
    #[serde(default)]
    #[schema(value_type = Option<ShortText>)]
    name: Option<Given<Label>>,
    /// Their new mail address: something on both sides of its `@`.
    #[serde(default)]
    #[schema(value_type = Option<MailText>)]
    email: Option<Given<MailAddress>>,
    /// Their new telephone number: at least 3 digits, however it is written.
    #[serde(default)]
    #[schema(value_type = Option<PhoneText>)]
    phone: Option<Given<PhoneNumber>>,
    /// Why, in a person's words; no personal data: it is kept when a person is erased. Staff (`support`, `operator`) have to say it.
    // Without it a body is what it was when it could not be said, so that a repeat of such a request is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<LongText>)]
    reason: Option<Given<Reason>>,
    /// Business time; now when absent.
    #[serde(default)]
    occurred_at: Option<BusinessTime>,
}

impl ChangeContactBody {
    fn changes_something(&self) -> bool {
        self.name.is_some() || self.email.is_some() || self.phone.is_some()
    }
}

/// Change how a customer is reached
#[utoipa::path(post, path = "/customers/{id}/contact", tag = "Customers",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = ChangeContactBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(customer.id = %customer_id))]
async fn change_contact(
    State(app): State<App>,
    OfCustomer(customer_id): OfCustomer,
    told: Told<ChangeContactBody>,
) -> Result<Response, Problem> {
    let made = async {
        if !told.body.changes_something() {
            let nothing = "at least one of `name`, `email` and `phone` has to be given";
            return Err(Problem::from(Code::InvalidBody).mistake("", nothing));
        }
        let reason = told.why_of_staff()?;
        let person = Person::Customer(customer_id.clone());
        let ChangeContactBody { name, email, phone, .. } = &told.body;
        Ok(ChangeContact {
            customer_id,
            name: app.seal_text(&person, name.as_ref()).await?,
            email: app.seal_text(&person, email.as_ref()).await?,
            phone: app.seal_text(&person, phone.as_ref()).await?,
            reason,
        })
    };
    told.run_made(&app, made, answers::changed).await
}

/// Take no more orders of a customer
#[utoipa::path(post, path = "/customers/{id}/block", tag = "Customers",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = WhyBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(customer.id = %customer_id))]
async fn block_customer(
    State(app): State<App>,
    PathParams(customer_id): PathParams<CustomerId>,
    told: Told<WhyBody>,
) -> Result<Response, Problem> {
    let made = async { Ok(BlockCustomer { customer_id, reason: Some(told.why()?) }) };
    told.run_made(&app, made, answers::changed).await
}

/// Make a customer's personal data unreadable, everywhere and for ever
///
/// That is their name, mail address and telephone number, and of their orders' addresses all but the country. What is kept is
/// whatever else was sent: ids, references, reasons, carriers and tracking numbers, idempotency keys.
#[utoipa::path(post, path = "/customers/{id}/erase", tag = "Customers",
    params(("id" = inline(PathId), Path), CommandHeaders), request_body = WhyBody,
    responses(Changed, Problems))]
#[tracing::instrument(skip_all, fields(customer.id = %customer_id))]
async fn erase_customer(
    State(app): State<App>,
    PathParams(customer_id): PathParams<CustomerId>,
    told: Told<WhyBody>,
) -> Result<Response, Problem> {
    let reason = told.body.reason();
    let command = EraseCustomer { customer_id: customer_id.clone(), reason };
    let made = async { told.why().map(|_| command.clone()) };
    let outcome = told.carry_out(&app, made, answers::changed).await?;
    app.erase(&told.fingerprint().command_id, &Person::Customer(customer_id), command).await?;
    Ok(accepted::response(&app, &outcome))
}
