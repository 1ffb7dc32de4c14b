//! Whose an order is, and whom a body may name.
//!
//! **Invariant:** whoever is confined to their own is told of another's order the same as of one that is not there, before anything
//! else of the request is looked at.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use domain::event::Event;
use domain::given::Given;
use domain::ids::{CustomerId, OrderId, ReturnId};
use domain::money::Currency;
use domain::orders::OrderEvent;
use domain::refusal::Refusal;
use domain::stream::Stream;
use serde::de::DeserializeOwned;
use service_kit::access::Caller;
use service_kit::extract::PathParams;
use service_kit::problem::{Code, Problem};

use super::app::App;
use super::problems::refused;
use crate::codec;

/// What an order was begun with, which nothing changes.
pub(super) struct Begun {
    pub(super) currency: Currency,
    pub(super) customer_id: Option<CustomerId>,
}

impl App {
    /// What the first event of an order says.
    pub(super) async fn begun(&self, order_id: &OrderId) -> Result<Begun, Problem> {
        let stream = codec::stream_id(&Stream::Order(order_id.clone()));
        let first = self.log.read_stream(&stream, 0, 1).await;
        let first = first.map_err(|error| self.unreadable_log(&error))?;
        let begun = first.first().and_then(|first| match codec::decode(first) {
            Ok(Event::Order(OrderEvent::DraftCreated(draft))) => {
                Some(Begun { currency: draft.currency, customer_id: draft.customer_id })
            }
            Ok(Event::Order(OrderEvent::OrderPlaced(order))) => {
                Some(Begun { currency: order.currency, customer_id: order.customer_id })
            }
            Ok(_) | Err(_) => None,
        });
        begun.ok_or_else(|| not_found(order_id))
    }
}

fn not_found(order_id: &OrderId) -> Problem {
    refused(&Refusal::OrderNotFound { order_id: order_id.clone() })
}

/// The ids of a path that begins with an order's.
pub(super) trait NamesOrder {
    /// The order's.
    fn order_id(&self) -> &OrderId;
}

impl NamesOrder for OrderId {
    fn order_id(&self) -> &OrderId {
        self
    }
}

impl NamesOrder for (OrderId, u32) {
    fn order_id(&self) -> &OrderId {
        &self.0
    }
}

impl NamesOrder for (OrderId, ReturnId) {
    fn order_id(&self) -> &OrderId {
        &self.0
    }
}

/// The ids of a path, of an order that who asks may touch.
pub(super) struct OfOrder<T>(pub(super) T);

impl<T: NamesOrder + DeserializeOwned + Send + Sync> FromRequestParts<App> for OfOrder<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let PathParams(path) = PathParams::<T>::from_request_parts(parts, app).await?;
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.confined_to().is_some() {
            let begun = app.begun(path.order_id()).await?;
            if !caller.may_touch(begun.customer_id.as_ref().map(CustomerId::as_str)) {
                return Err(not_found(path.order_id()));
            }
        }
        Ok(Self(path))
    }
}

/// The id of a path, of a customer whom who asks may touch.
pub(super) struct OfCustomer(pub(super) CustomerId);

impl FromRequestParts<App> for OfCustomer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let PathParams(customer_id) =
            PathParams::<CustomerId>::from_request_parts(parts, app).await?;
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.may_touch(Some(customer_id.as_str())) {
            Ok(Self(customer_id))
        } else {
            Err(refused(&Refusal::CustomerNotFound { customer_id }))
        }
    }
}

/// The customer that a body is about: whom it names, or of whoever is confined to one, that one. Naming another is refused whether they
/// are there or not.
pub(super) fn customer_of(
    caller: &Caller,
    named: Option<CustomerId>,
) -> Result<Option<CustomerId>, Problem> {
    let Some(own) = caller.confined_to() else { return Ok(named) };
    let forbidden = |detail: &str| {
        Problem::from(Code::Forbidden).detail(detail).mistake("/customer_id", detail)
    };
    match named {
        Some(named) if named.as_str() == own => Ok(Some(named)),
        Some(_) => Err(forbidden("a customer acts for themselves only")),
        None => {
            let own = serde_json::from_value::<Given<CustomerId>>(own.into());
            let own = own
                .map_err(|_| forbidden("the customer of the token has no id that is taken here"))?;
            Ok(Some(own.value()))
        }
    }
}
