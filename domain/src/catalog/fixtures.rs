//! Products for tests.

use super::{ProductDiscontinued, ProductRegistered};
use crate::ids::Sku;
use crate::money::{Currency, Money};
use crate::text::Label;

pub(crate) fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap())
}

pub(crate) fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap())
}

pub(crate) fn sku(code: &str) -> Sku {
    Sku::parse(code).unwrap()
}

/// A stocked product.
pub(crate) fn product(code: &str, unit_price: Money) -> ProductRegistered {
    ProductRegistered {
        sku: sku(code),
        name: Label::parse("Cakestand").unwrap(),
        unit_price,
        stocked: true,
    }
}

/// A product whose units are not counted.
pub(crate) fn service(code: &str, unit_price: Money) -> ProductRegistered {
    ProductRegistered { stocked: false, ..product(code, unit_price) }
}

pub(crate) fn discontinued(code: &str) -> ProductDiscontinued {
    ProductDiscontinued { sku: sku(code), reason: None }
}
