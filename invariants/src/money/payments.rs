//! A payment's events: intents and outcomes match, sums stay within what was authorized.

use domain::ids::OrderId;
use domain::money::Money as Amount;
use domain::payments::{Operation, PaymentEvent, PaymentSettledByHand, Unmet};

use super::{Asked, ByHand, Money, Outcome, Payment};
use crate::finding::{Report, Rule};
use crate::orders::{OrderFacts, Orders};

/// An intent, as the events of all operations have it.
struct Intent<'e> {
    operation: Operation,
    attempt: u32,
    amount: Amount,
    subject: Option<&'e str>,
}

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
        let mut judge = Judge { at, id, payment, report };
        judge.observe(event);
        judge.check_sums();
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
            Unmet::Void => None,
        };
        if let Some(what) = statement {
            let statement = format!("Payment `{id}` had {amount} settled by hand for {what}.");
            report.at(Rule::Balance, &[at], statement);
        }
    }
}

/// A payment's event is judged by what the payment was before it.
struct Judge<'f> {
    at: u64,
    id: &'f str,
    payment: &'f mut Payment,
    report: &'f mut Report,
}

impl Judge<'_> {
    fn observe(&mut self, event: &PaymentEvent) {
        match event {
            PaymentEvent::PaymentRequested(event) => self.asks(&Intent {
                operation: Operation::Authorize,
                attempt: event.attempt,
                amount: event.amount,
                subject: None,
            }),
            PaymentEvent::CaptureRequested(event) => self.asks(&Intent {
                operation: Operation::Capture,
                attempt: event.attempt,
                amount: event.amount,
                subject: Some(event.shipment_id.as_str()),
            }),
            PaymentEvent::VoidRequested(event) => self.asks(&Intent {
                operation: Operation::Void,
                attempt: event.attempt,
                amount: event.amount,
                subject: None,
            }),
            PaymentEvent::RefundRequested(event) => self.asks(&Intent {
                operation: Operation::Refund,
                attempt: event.attempt,
                amount: event.amount,
                subject: Some(event.return_id.as_str()),
            }),
            PaymentEvent::PaymentAuthorized(event) => {
                if self.payment.given_up {
                    self.lands_late(event.amount);
                }
                self.does(Operation::Authorize, event.amount, None);
                self.payment.authorized += event.amount.minor();
            }
            PaymentEvent::PaymentCaptured(event) => {
                let shipment = event.shipment_id.as_str();
                self.does(Operation::Capture, event.amount, Some(shipment));
                self.payment.captured += event.amount.minor();
            }
            PaymentEvent::AuthorizationVoided(event) => {
                // Of nothing it is a tombstone, which the provider was not asked for.
                if event.amount.is_zero() {
                    self.payment.given_up = true;
                } else {
                    self.does(Operation::Void, event.amount, None);
                }
                self.payment.voided += event.amount.minor();
            }
            PaymentEvent::PaymentRefunded(event) => {
                let return_id = event.return_id.as_str();
                self.does(Operation::Refund, event.amount, Some(return_id));
                self.payment.refunded += event.amount.minor();
            }
            PaymentEvent::PaymentDeclined(_) => self.fails(Operation::Authorize),
            PaymentEvent::CaptureFailed(_) => self.fails(Operation::Capture),
            PaymentEvent::VoidRefused(_) => self.fails(Operation::Void),
            PaymentEvent::RefundFailed(_) => self.fails(Operation::Refund),
            PaymentEvent::PaymentOutcomeUnknown(_) => {}
            PaymentEvent::AuthorizationExpired(event) => {
                self.payment.voided += event.amount.minor();
            }
            PaymentEvent::PaymentSettledByHand(event) => self.settles(event),
        }
    }

    /// What a person settles is not the provider's any more: nothing of the payment may be open at it.
    fn settles(&mut self, event: &PaymentSettledByHand) {
        let amount = event.amount.minor();
        let (operation, subject) = match &event.unmet {
            Unmet::Capture { shipment_id } => (Operation::Capture, Some(shipment_id.as_str())),
            Unmet::Refund { return_id } => (Operation::Refund, Some(return_id.as_str())),
            Unmet::Void => {
                self.payment.voided += amount;
                (Operation::Void, None)
            }
        };
        if let Some(open) = self.payment.asked.iter().find(|asked| asked.outcome == Outcome::Open) {
            let (positions, name) = ([self.at, open.at], open.operation.name());
            let statement =
                format!("Payment `{}` was settled by hand while its {name} was open.", self.id);
            self.report.at(Rule::Charges, &positions, statement);
        }
        self.one_currency(event.amount);
        self.payment.by_hand.push(ByHand { operation, amount, subject: subject.map(Into::into) });
    }

    /// What was given up before it was asked for, and landed at the provider all the same: as if it had been asked for.
    fn lands_late(&mut self, amount: Amount) {
        let known = self.payment.asked.iter().any(|asked| asked.operation == Operation::Authorize);
        if !known {
            let (operation, attempt, subject) = (Operation::Authorize, 1, None);
            self.asks(&Intent { operation, attempt, amount, subject });
        }
    }

    fn asks(&mut self, intent: &Intent<'_>) {
        let Intent { operation, attempt, amount, subject } = intent;
        let name = operation.name();
        if let Some(open) = self.payment.asked.iter().find(|asked| asked.outcome == Outcome::Open) {
            let positions = [self.at, open.at];
            let statement = format!(
                "Payment `{}` asked for {name} while its {} was open.",
                self.id,
                open.operation.name(),
            );
            self.report.at(Rule::Charges, &positions, statement);
        }
        let same = |asked: &&Asked| asked.operation == *operation && asked.attempt == *attempt;
        if let Some(before) = self.payment.asked.iter().find(same) {
            let positions = [self.at, before.at];
            let statement = format!(
                "Payment `{}` used attempt {attempt} of {name} twice, so two calls had one key.",
                self.id,
            );
            self.report.at(Rule::Charges, &positions, statement);
        }
        self.one_currency(*amount);
        self.payment.asked.push(Asked {
            operation: *operation,
            attempt: *attempt,
            amount: amount.minor(),
            outcome: Outcome::Open,
            at: self.at,
            subject: subject.map(Into::into),
        });
    }

    fn does(&mut self, operation: Operation, amount: Amount, subject: Option<&str>) {
        self.one_currency(amount);
        let open = self.payment.asked.iter_mut().find(|asked| {
            asked.outcome == Outcome::Open
                && asked.operation == operation
                && asked.subject.as_deref() == subject
        });
        let name = operation.name();
        let wrong = match open {
            None => Some(format!("Payment `{}` had {name} {amount} done unasked.", self.id)),
            Some(asked) => {
                asked.outcome = Outcome::Done;
                (asked.amount != amount.minor()).then(|| {
                    format!(
                        "Payment `{}` asked for {name} {}, got {amount}.",
                        self.id, asked.amount
                    )
                })
            }
        };
        if let Some(statement) = wrong {
            self.report.at(Rule::Charges, &[self.at], statement);
        }
    }

    /// A refusal may come unasked: a tombstone refuses without asking the provider.
    fn fails(&mut self, operation: Operation) {
        let open = self
            .payment
            .asked
            .iter_mut()
            .find(|asked| asked.outcome == Outcome::Open && asked.operation == operation);
        if let Some(asked) = open {
            asked.outcome = Outcome::Failed;
        }
    }

    fn one_currency(&mut self, amount: Amount) {
        let expected = *self.payment.currency.get_or_insert(amount.currency());
        if expected != amount.currency() {
            let found = amount.currency();
            let statement = format!("Payment `{}` is in {expected} and in {found}.", self.id);
            self.report.at(Rule::Balance, &[self.at], statement);
        }
    }

    fn check_sums(&mut self) {
        let Payment { authorized, captured, voided, refunded, .. } = &self.payment;
        if authorized - captured - voided < 0 || refunded > captured {
            let statement = format!(
                "Payment `{}` has authorized {authorized}, captured {captured}, voided {voided}, refunded {refunded}.",
                self.id,
            );
            self.report.at(Rule::Charges, &[self.at], statement);
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
