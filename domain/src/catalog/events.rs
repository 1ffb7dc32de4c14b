//! What happens to a product.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::context_events;
use crate::ids::{OrderId, Sku};
use crate::money::Money;
use crate::stream::Stream;
use crate::text::{Label, Reason};

/// A product is sold from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductRegistered {
    /// Its stock keeping unit.
    pub sku: Sku,
    /// What people call it.
    pub name: Label,
    /// The catalog price of one unit.
    pub unit_price: Money,
    /// Whether units of it are kept in stock; a service or a fee is not.
    pub stocked: bool,
}

/// The catalog price is another from now on; orders already placed keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceChanged {
    /// The product.
    pub sku: Sku,
    /// The new price of one unit.
    pub unit_price: Money,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// People call it otherwise from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductRenamed {
    /// The product.
    pub sku: Sku,
    /// What people call it now.
    pub name: Label,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The product is sold no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductDiscontinued {
    /// The product.
    pub sku: Sku,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

context_events! {
    /// The events of a product.
    ProductEvent { ProductRegistered = 1, PriceChanged = 1, ProductRenamed = 1, ProductDiscontinued = 1 }
}

impl ProductEvent {
    /// The product that the event is about.
    pub fn sku(&self) -> &Sku {
        match self {
            Self::ProductRegistered(event) => &event.sku,
            Self::PriceChanged(event) => &event.sku,
            Self::ProductRenamed(event) => &event.sku,
            Self::ProductDiscontinued(event) => &event.sku,
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        Stream::Product(self.sku().clone())
    }

    #[expect(
        clippy::unused_self,
        reason = "every context answers this, so that `Event` can ask it"
    )]
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        None
    }
}
