//! A payment's events beside its order: its currency, what its parcels cost, what its returns are owed.
//!
//! Whether the payment's own sums hold is judged in [`judge`](super::judge).

use domain::ids::OrderId;
use domain::payments::{Operation, PaymentEvent, PaymentSettledByHand, Unmet};

use super::judge::Judge;
use super::{Money, Payment};
use crate::finding::{Report, Rule};
use crate::orders::{OrderFacts, Orders};

impl Money {
    /// An event of a payment's stream.
    pub(crate) fn observe_payment(
        &mut self,
        at: u64,
        event: &PaymentEvent,
        orders: &mut Orders,
        report: &mut Report,
    ) {
        let id = event.payment_id().as_str();
        self.know(id, order_of(event), orders);
        let Some(payment) = self.payments.get_mut(id) else { return };
        payment.last = at;
        Judge { at, id, payment, report }.hear(event);
        self.check_order(at, event, orders, report);
    }

    fn know(&mut self, id: &str, order_id: &OrderId, orders: &mut Orders) {
        if self.payments.contains_key(id) {
            return;
        }
        let order = orders.names.id(order_id.as_str());
        self.payments.insert(id.into(), Payment { order, ..Payment::default() });
        self.of_order.entry(order).or_default().push(id.into());
    }

    /// The rules that need the order: its currency, and one capture per shipment.
    fn check_order(&self, at: u64, event: &PaymentEvent, orders: &Orders, report: &mut Report) {
        let id = event.payment_id();
        let order_id = order_of(event).as_str();
        let Some(payment) = self.payments.get(id.as_str()) else { return };
        let facts = orders.find(order_id);
        if let (PaymentEvent::PaymentRequested(event), expected) =
            (event, facts.and_then(|facts| facts.currency))
            && expected != Some(event.amount.currency())
        {
            let found = event.amount.currency();
            let expected = expected.map_or("no currency at all".to_owned(), |c| c.to_string());
            report.at(
                Rule::Balance,
                &[at],
                format!("Payment `{id}` is in {found}, its order `{order_id}` in {expected}."),
            );
        }
        if let PaymentEvent::CaptureRequested(event) = event {
            let shipment = event.shipment_id.as_str();
            let left = facts.and_then(|facts| facts.left(shipment));
            let (amount, left) = (event.amount.minor(), left.map(|parcel| parcel.amount));
            if left != Some(amount) {
                let left = left.map_or("never left".to_owned(), |left| format!("came to {left}"));
                let statement = format!(
                    "Payment `{id}` asked for {amount} for shipment `{shipment}`, which {left}."
                );
                report.at(Rule::Balance, &[at], statement);
            }
        }
        if let PaymentEvent::RefundRequested(event) = event {
            let return_id = event.return_id.as_str();
            let (_, paid_back) = self.done_for(payment.order, Operation::Refund, return_id);
            let amount = facts.and_then(|facts| facts.returned_amount(return_id));
            let (asked, left) = (event.amount.minor(), amount.map(|amount| amount - paid_back));
            if left.is_none_or(|left| asked > left) {
                let left = left.map_or("was never received".to_owned(), |left| {
                    format!("has {left} left to be paid back")
                });
                let statement = format!(
                    "Payment `{id}` asked to pay back {asked} for return `{return_id}`, which {left}."
                );
                report.at(Rule::Returns, &[at], statement);
            }
        }
        if let PaymentEvent::PaymentSettledByHand(event) = event {
            self.check_settled(at, event, facts, report);
        }
        let settled = if let PaymentEvent::PaymentSettledByHand(event) = event
            && let Unmet::Capture { shipment_id } = &event.unmet
        {
            Some(shipment_id)
        } else {
            None
        };
        let captured = if let PaymentEvent::PaymentCaptured(event) = event {
            Some(&event.shipment_id)
        } else {
            None
        };
        if let Some(shipment) = captured.or(settled) {
            let (times, sum) = self.done_for(payment.order, Operation::Capture, shipment.as_str());
            if times > 1 {
                report.at(
                    Rule::Charges,
                    &[at],
                    format!("Shipment `{shipment}` was paid {times} times, {sum} in all."),
                );
            }
        }
    }

    /// What is settled by hand is what a parcel cost that left, or what a return that was received is still owed.
    fn check_settled(
        &self,
        at: u64,
        event: &PaymentSettledByHand,
        facts: Option<&OrderFacts>,
        report: &mut Report,
    ) {
        let (id, amount) = (event.payment_id.as_str(), event.amount.minor());
        let Some(payment) = self.payments.get(id) else { return };
        let statement = match &event.unmet {
            Unmet::Capture { shipment_id } => {
                let left = facts.and_then(|facts| facts.left(shipment_id.as_str()));
                let due = left.map_or(0, |parcel| parcel.amount);
                (amount != due).then(|| format!("shipment `{shipment_id}`, which came to {due}"))
            }
            Unmet::Refund { return_id } => {
                let (_, back) = self.done_for(payment.order, Operation::Refund, return_id.as_str());
                let due = facts.and_then(|facts| facts.returned_amount(return_id.as_str()));
                let due = due.unwrap_or_default() - (back - amount);
                (amount > due).then(|| format!("return `{return_id}`, which was owed {due}"))
            }
            Unmet::Void { .. } => None,
        };
        if let Some(what) = statement {
            let statement = format!("Payment `{id}` had {amount} settled by hand for {what}.");
            report.at(Rule::Balance, &[at], statement);
        }
    }
}

fn order_of(event: &PaymentEvent) -> &OrderId {
    match event {
        PaymentEvent::PaymentRequested(event) => &event.order_id,
        PaymentEvent::PaymentAuthorized(event) => &event.order_id,
        PaymentEvent::PaymentDeclined(event) => &event.order_id,
        PaymentEvent::PaymentOutcomeUnknown(event) => &event.order_id,
        PaymentEvent::CaptureRequested(event) => &event.order_id,
        PaymentEvent::PaymentCaptured(event) => &event.order_id,
        PaymentEvent::CaptureFailed(event) => &event.order_id,
        PaymentEvent::VoidRequested(event) => &event.order_id,
        PaymentEvent::AuthorizationVoided(event) => &event.order_id,
        PaymentEvent::VoidRefused(event) => &event.order_id,
        PaymentEvent::RefundRequested(event) => &event.order_id,
        PaymentEvent::PaymentRefunded(event) => &event.order_id,
        PaymentEvent::RefundFailed(event) => &event.order_id,
        PaymentEvent::AuthorizationExpired(event) => &event.order_id,
        PaymentEvent::PaymentSettledByHand(event) => &event.order_id,
    }
}
