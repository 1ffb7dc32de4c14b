//! I9 and I10 as far as the log shows them: an order that has ended left behind what its end allows, and nothing else.

use crate::finding::{Report, Rule};
use crate::money::{Money, Sums};
use crate::names::NameId;
use crate::orders::{OrderFacts, Orders, Status};
use crate::stock::Stock;

/// Looks at every order at the end of the log.
pub(crate) fn check(orders: &Orders, stock: &Stock, money: &Money, report: &mut Report) {
    for (order, facts) in orders.all() {
        let name = orders.names.name(order);
        match facts.status {
            Status::Rejected | Status::Cancelled => {
                undone(name, facts, stock.effect_of(order), money.sums(order), report);
            }
            Status::Completed => {
                let (held, _) = stock.effect_of(order);
                if held != 0 {
                    let statement = format!("Order `{name}` is completed and holds {held} units.");
                    report.at(Rule::Reservations, &[facts.since], statement);
                }
            }
            Status::Absent => {
                let (held, gone) = stock.effect_of(order);
                let Sums { authorized, last, .. } = money.sums(order);
                if held != 0 || gone != 0 || authorized != 0 {
                    let statement = format!(
                        "Order `{name}` does not exist, but has {held} units held, {gone} gone and {authorized} \
                         authorized.",
                    );
                    report.at(Rule::Compensation, &[last], statement);
                }
            }
            Status::Draft
            | Status::Placed
            | Status::Rejecting
            | Status::Cancelling
            | Status::Confirmed => {}
        }
        shipped(order, name, facts, orders, stock, report);
    }
}

/// No net stock, no net money. What the provider has not answered is not known yet.
fn undone(
    name: &str,
    facts: &OrderFacts,
    (held, gone): (i64, i64),
    sums: Sums,
    report: &mut Report,
) {
    if held != 0 || gone != 0 {
        let statement =
            format!("Order `{name}` was undone, but {held} units are held and {gone} are gone.");
        report.at(Rule::Compensation, &[facts.since], statement);
    }
    let Sums { authorized, captured, voided, refunded, settled, returned_by_hand, open, last } =
        sums;
    let on_hold = authorized - captured - voided;
    let taken = captured + settled - refunded - returned_by_hand;
    if !open && (on_hold != 0 || taken != 0) {
        let statement = format!(
            "Order `{name}` was undone, but {on_hold} is held by the provider and {taken} was taken.",
        );
        report.at(Rule::Compensation, &[facts.since, last], statement);
    }
}

/// What left the house by the reservation's account is what left by the order's, once every parcel is recorded.
fn shipped(
    order: NameId,
    name: &str,
    facts: &OrderFacts,
    orders: &Orders,
    stock: &Stock,
    report: &mut Report,
) {
    if facts.parcels.iter().any(|parcel| parcel.left_at > 0 && !parcel.recorded) {
        return;
    }
    let mut difference = facts.lines.shipped_stock();
    let mut left = Vec::new();
    for (sku, units) in stock.shipped_of(order) {
        let by_order = difference.remove(&sku).unwrap_or_default();
        if i64::try_from(by_order) != Ok(units) {
            left.push((sku, units, by_order));
        }
    }
    left.extend(difference.into_iter().map(|(sku, by_order)| (sku, 0, by_order)));
    for (sku, units, by_order) in left {
        let sku = orders.skus.name(sku);
        let statement = format!(
            "Order `{name}` shipped {by_order} of SKU `{sku}` by its lines and {units} by its reservation.",
        );
        report.at(Rule::Reservations, &[facts.since], statement);
    }
}
