//! What a decision needs to know of a product.

use serde::{Deserialize, Serialize};

use super::ProductEvent;
use crate::decide::Aggregate;
use crate::ids::Sku;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::text::Label;

/// How a product is described in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What people call it.
    pub name: Label,
    /// The catalog price of one unit.
    pub unit_price: Money,
    /// Whether units of it are kept in stock.
    pub stocked: bool,
}

/// What a decision needs to know of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// Never registered.
    #[default]
    Absent,
    /// Can be ordered.
    Sold(Listing),
    /// Sold no more; its stock still counts.
    Discontinued(Listing),
}

impl Product {
    /// The description, also of a product that is sold no more.
    pub fn listing(&self) -> Option<&Listing> {
        match self {
            Self::Absent => None,
            Self::Sold(listing) | Self::Discontinued(listing) => Some(listing),
        }
    }

    /// The description of a product that can be ordered.
    pub fn orderable(&self, sku: &Sku) -> Result<&Listing, Refusal> {
        match self {
            Self::Absent => Err(Refusal::UnknownProduct { sku: sku.clone() }),
            Self::Sold(listing) => Ok(listing),
            Self::Discontinued(_) => Err(Refusal::ProductDiscontinued { sku: sku.clone() }),
        }
    }

    /// Refuses what is asked of a product that is not there, or whose units are not counted.
    pub fn check_stocked(&self, sku: &Sku) -> Result<(), Refusal> {
        match self.listing() {
            None => Err(Refusal::ProductNotFound { sku: sku.clone() }),
            Some(listing) if !listing.stocked => Err(Refusal::NotStocked { sku: sku.clone() }),
            Some(_) => Ok(()),
        }
    }

    fn described(self, change: impl FnOnce(Listing) -> Listing) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Sold(listing) => Self::Sold(change(listing)),
            Self::Discontinued(listing) => Self::Discontinued(change(listing)),
        }
    }
}

impl Aggregate for Product {
    type Event = ProductEvent;

    fn evolve(self, event: &ProductEvent) -> Self {
        match event {
            ProductEvent::ProductRegistered(event) => Self::Sold(Listing {
                name: event.name.clone(),
                unit_price: event.unit_price,
                stocked: event.stocked,
            }),
            ProductEvent::PriceChanged(event) => {
                self.described(|listing| Listing { unit_price: event.unit_price, ..listing })
            }
            ProductEvent::ProductRenamed(event) => {
                self.described(|listing| Listing { name: event.name.clone(), ..listing })
            }
            ProductEvent::ProductDiscontinued(_) => match self {
                Self::Absent => Self::Absent,
                Self::Sold(listing) | Self::Discontinued(listing) => Self::Discontinued(listing),
            },
        }
    }
}
