//! What an order owes: its total, the amount of each parcel and of each return, and that what was taken is what is due.

use domain::orders::{LineQuantity, OrderEvent};
use domain::payments::Operation;

use super::{Money, Sums};
use crate::finding::{Report, Rule};
use crate::orders::{OrderFacts, Orders};

/// An event of an order's stream that names an amount, or settles one.
pub(super) fn observe(
    money: &Money,
    at: u64,
    event: &OrderEvent,
    orders: &Orders,
    report: &mut Report,
) {
    let id = event.order().as_str();
    let (Some(order), Some(facts)) = (orders.names.find(id), orders.find(id)) else { return };
    let mut amounts = |what: &str, named: i64, expected: i64| {
        if named != expected {
            let statement =
                format!("Order `{id}`: {what} is {named}, its lines come to {expected}.");
            report.at(Rule::Balance, &[at], statement);
        }
    };
    match event {
        OrderEvent::OrderPlaced(event) => amounts("the total", event.total, facts.lines.total()),
        OrderEvent::LinesCancelled(event) => {
            amounts("what was cancelled", event.amount, of(facts, &event.lines));
        }
        OrderEvent::ReturnReceived(event) => {
            amounts("what was returned", event.amount, of(facts, &event.lines));
        }
        OrderEvent::OrderCompleted(_) => {
            let left: i64 = facts.parcels.iter().map(|parcel| parcel.amount).sum();
            let Sums { captured, settled, .. } = money.sums(order);
            amounts("what was paid when it was completed", captured + settled, left);
        }
        OrderEvent::OrderConfirmed(_) => {
            let Sums { authorized, voided, last, .. } = money.sums(order);
            let total = facts.lines.total();
            if authorized - voided < total {
                let held = authorized - voided;
                let statement = format!("Order `{id}` of {total} was confirmed with {held} held.");
                report.at(Rule::Charges, &[at, last], statement);
            }
        }
        OrderEvent::DraftCreated(_)
        | OrderEvent::LineAdded(_)
        | OrderEvent::QuantityChanged(_)
        | OrderEvent::LineRemoved(_)
        | OrderEvent::PaymentReplaced(_)
        | OrderEvent::RejectionStarted(_)
        | OrderEvent::OrderRejected(_)
        | OrderEvent::OrderHeld(_)
        | OrderEvent::HoldReleased(_)
        | OrderEvent::CancellationRequested(_)
        | OrderEvent::CancellationDeclined(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::LinesShipped(_)
        | OrderEvent::LinesDelivered(_)
        | OrderEvent::ReturnRequested(_)
        | OrderEvent::OrderErased(_) => {}
    }
}

fn of(facts: &OrderFacts, lines: &[LineQuantity]) -> i64 {
    facts.lines.amount(lines.iter().map(|line| (line.line, line.quantity)))
}

/// Per order without anything open: Σ captured − Σ refunded = Σ due, with what was settled by hand. Per return: never more
/// than its amount.
pub(super) fn finish(money: &Money, orders: &Orders, report: &mut Report) {
    for (order, facts) in orders.all() {
        let sums = money.sums(order);
        let id = orders.names.name(order);
        let mut unsettled = sums.open;
        let mut due = 0_i64;
        for parcel in facts.parcels.iter().filter(|parcel| parcel.left_at > 0) {
            let (_, taken) = money.done_for(order, Operation::Capture, &parcel.id);
            // A capture that is on its way or was refused leaves a parcel unsettled; a completed order has none such.
            unsettled |= !parcel.recorded || taken < parcel.amount;
            due += parcel.amount;
        }
        for returned in &facts.returns {
            let (_, paid_back) = money.done_for(order, Operation::Refund, &returned.id);
            let amount = returned.amount.unwrap_or_default();
            // A refund that the provider refuses leaves a return unsettled for a person to see to.
            unsettled |= paid_back < amount;
            due -= amount;
            if paid_back > amount {
                report.at(
                    Rule::Charges,
                    &[sums.last],
                    format!("Return `{}` of {amount} was paid back with {paid_back}.", returned.id),
                );
            }
        }
        let Sums { captured, refunded, settled, returned_by_hand, .. } = sums;
        let taken = captured + settled - refunded - returned_by_hand;
        if !unsettled && taken != due {
            let statement = format!(
                "Order `{id}` has {taken} taken ({captured} captured, {refunded} refunded, {settled} and \
                 {returned_by_hand} of that by hand), but {due} is due.",
            );
            report.at(Rule::Balance, &[sums.last.max(facts.since)], statement);
        }
    }
}
