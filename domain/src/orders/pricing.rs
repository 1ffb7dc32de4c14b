//! What an order needs before it can stand: a customer who may order, products that are sold, prices in one currency.

use std::collections::HashMap;

use super::{LineNumber, PlacedLine, WantedLine};
use crate::decide::{Halt, View};
use crate::ids::{CustomerId, Sku};
use crate::money::{Currency, Money};
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Quantity;

/// The most lines that an order can have.
pub const MOST_LINES: usize = 2_000;

/// The streams that [`check_customer`] and [`place`] look at.
pub(super) fn reads<'a>(
    customer_id: Option<&CustomerId>,
    lines: impl IntoIterator<Item = &'a WantedLine>,
) -> impl Iterator<Item = Stream> {
    let products = lines.into_iter().take(MOST_LINES);
    let products: Vec<_> = products.map(|line| Stream::Product(line.sku.clone())).collect();
    customer_id.cloned().map(Stream::Customer).into_iter().chain(products)
}

/// Looks at all of them before any is judged, so that whoever loads states hears of all of them at once.
pub(super) fn look_at<'a>(
    customer_id: Option<&CustomerId>,
    lines: impl IntoIterator<Item = &'a WantedLine>,
    view: &View<'_>,
) -> Result<(), Halt> {
    if let Some(id) = customer_id {
        view.customer(id)?;
    }
    for line in lines {
        view.product(&line.sku)?;
    }
    Ok(())
}

/// Refuses an order of a customer who may not order; a guest may.
pub(super) fn check_customer(
    customer_id: Option<&CustomerId>,
    view: &View<'_>,
) -> Result<(), Halt> {
    match customer_id {
        None => Ok(()),
        Some(id) => Ok(view.customer(id)?.check_may_order(id)?),
    }
}

/// Refuses more lines than an order can have.
pub(super) fn check_count(lines: usize) -> Result<(), Refusal> {
    if lines > MOST_LINES {
        return Err(Refusal::TooManyLines { lines, limit: MOST_LINES });
    }
    Ok(())
}

/// The price of one unit today, and whether units of it are kept in stock.
pub(super) fn price(
    line: &WantedLine,
    currency: Currency,
    view: &View<'_>,
) -> Result<(Money, bool), Halt> {
    let listing = view.product(&line.sku)?.orderable(&line.sku)?;
    let unit_price = line.unit_price.unwrap_or(listing.unit_price);
    if unit_price.currency() != currency {
        let (expected, found) = (currency, unit_price.currency());
        return Err(Refusal::MixedCurrencies { expected, found }.into());
    }
    unit_price.check_bounds(|| format!("the price of `{}`", line.sku))?;
    Ok((unit_price, listing.stocked))
}

fn total_exceeded() -> Refusal {
    Refusal::AmountOverflow { what: "the total of the order".to_owned(), limit: Money::MOST }
}

/// The lines with frozen prices, in the order of their numbers, and what they cost together in minor units.
pub(super) fn place<'a>(
    wanted: impl ExactSizeIterator<Item = (LineNumber, &'a WantedLine)>,
    currency: Currency,
    view: &View<'_>,
) -> Result<(Vec<PlacedLine>, i64), Halt> {
    check_count(wanted.len())?;
    if wanted.len() == 0 {
        return Err(Refusal::NoLines {}.into());
    }
    let mut total = Money::zero(currency);
    let mut lines = Vec::with_capacity(wanted.len());
    let mut units: HashMap<&Sku, u64> = HashMap::with_capacity(wanted.len());
    for (line, wanted) in wanted {
        let (unit_price, stocked) = price(wanted, currency, view)?;
        let amount = unit_price.times(wanted.quantity.get());
        let sum = amount.and_then(|amount| total.checked_add(amount));
        let within = sum.filter(|sum| sum.minor() <= Money::MOST);
        total = within.ok_or_else(total_exceeded)?;
        let of_sku = units.entry(&wanted.sku).or_default();
        *of_sku += u64::from(wanted.quantity.get());
        if *of_sku > Quantity::MAX.into() {
            let what = format!("`{}`", wanted.sku);
            let (requested, allowed) = (*of_sku, Quantity::MAX.into());
            return Err(Refusal::QuantityExceeded { what, requested, allowed }.into());
        }
        lines.push(PlacedLine {
            line,
            sku: wanted.sku.clone(),
            quantity: wanted.quantity,
            unit_price: unit_price.minor(),
            stocked,
        });
    }
    Ok((lines, total.minor()))
}
