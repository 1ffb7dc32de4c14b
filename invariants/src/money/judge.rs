//! A payment's events by themselves: intents and outcomes match, sums stay within what was authorized.

use domain::money::Money as Amount;
use domain::payments::{Operation, PaymentEvent, PaymentSettledByHand, Unmet};

use super::{Asked, ByHand, Outcome, Payment};
use crate::finding::{Report, Rule};

/// An intent, as the events of all operations have it.
struct Intent<'e> {
    operation: Operation,
    attempt: u32,
    amount: Amount,
    subject: Option<&'e str>,
}

/// A payment's event is judged by what the payment was before it.
pub(super) struct Judge<'f> {
    pub(super) at: u64,
    pub(super) id: &'f str,
    pub(super) payment: &'f mut Payment,
    pub(super) report: &'f mut Report,
}

impl Judge<'_> {
    /// Takes an event in, and judges what it comes to.
    pub(super) fn hear(mut self, event: &PaymentEvent) {
        self.observe(event);
        self.check_sums();
    }

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
                self.payment.has_reference |= event.reference.is_some();
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
            Unmet::Void { .. } => {
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
