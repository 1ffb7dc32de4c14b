//! A person settled by hand what the provider did not do: an operator's resolution of a saga that could not go on.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Payment, PaymentSettledByHand, Settlement, Unmet};
use crate::command::Command;
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::stream::Stream;
use crate::text::Reason;

/// What an operator says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// Whether money went another way.
    pub settlement: Settlement,
    /// How, in the operator's words.
    pub reason: Reason,
    /// When, by business time.
    pub occurred_at: DateTime<Utc>,
}

/// A person settled by hand what the provider did not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettlePaymentByHand {
    /// The payment.
    pub payment_id: PaymentId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What the provider did not do.
    pub unmet: Unmet,
    /// What it is about; of a void `None` is all that is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Whether money went another way.
    pub settlement: Settlement,
    /// How, in a person's words.
    pub reason: Reason,
}

impl SettlePaymentByHand {
    /// Whether a person can do in the provider's place what this command asks.
    pub fn can_replace(command: &Command) -> bool {
        matches!(
            command,
            Command::CapturePayment(_) | Command::VoidAuthorization(_) | Command::RefundPayment(_)
        )
    }

    /// What settles by hand what this command can't get done; `None` when nobody can do it in the provider's place.
    ///
    /// Only the provider can say that money is held, so an authorization is not settled by hand; and what the platform does
    /// itself nobody does outside of it.
    pub fn instead_of(command: &Command, by_hand: &ByHand) -> Option<Self> {
        let (payment_id, order_id, unmet, amount) = if let Command::CapturePayment(asked) = command
        {
            let unmet = Unmet::Capture { shipment_id: asked.shipment_id.clone() };
            (&asked.payment_id, &asked.order_id, unmet, Some(asked.amount))
        } else if let Command::VoidAuthorization(asked) = command {
            let unmet = Unmet::Void { cancellation_id: asked.cancellation_id.clone() };
            (&asked.payment_id, &asked.order_id, unmet, asked.amount)
        } else if let Command::RefundPayment(asked) = command {
            let unmet = Unmet::Refund { return_id: asked.return_id.clone() };
            (&asked.payment_id, &asked.order_id, unmet, Some(asked.amount))
        } else {
            return None;
        };
        let (payment_id, order_id) = (payment_id.clone(), order_id.clone());
        let ByHand { settlement, reason, .. } = by_hand.clone();
        Some(Self { payment_id, order_id, unmet, amount, settlement, reason })
    }

    /// What is left to be settled; `None` when the provider did it after all, or a person settled it before.
    fn open(&self, payment: &Payment) -> Option<Money> {
        let amount = match &self.unmet {
            Unmet::Capture { shipment_id } => {
                self.amount.filter(|_| !payment.is_paid_for(shipment_id))
            }
            Unmet::Refund { return_id } => {
                self.amount.filter(|_| !payment.is_return_settled(return_id))
            }
            Unmet::Void { cancellation_id: Some(id) } if payment.is_voided_for(id) => None,
            Unmet::Void { .. } => {
                let held = Money::new(payment.uncaptured(), payment.requested()?.currency());
                Some(self.amount.filter(|amount| amount.minor() < held.minor()).unwrap_or(held))
            }
        };
        amount.filter(|amount| amount.minor() > 0)
    }
}

impl Decide for SettlePaymentByHand {
    fn target(&self) -> Stream {
        Stream::Payment(self.payment_id.clone())
    }

    /// Once. What the provider is being asked is settled by its answer first: it may still do it.
    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let payment = view.payment(&self.payment_id)?;
        payment.check_order(&self.payment_id, &self.order_id, self.amount)?;
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        let Some(amount) = self.open(payment) else { return Ok(vec![]) };
        let Self { payment_id, order_id, unmet, settlement, reason, .. } = self.clone();
        Ok(vec![
            PaymentSettledByHand { payment_id, order_id, unmet, amount, settlement, reason }.into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::*;
    use super::super::{
        CaptureFailed, Operation, PaymentStatus, ProviderOutcome, RefundPayment, VoidAuthorization,
    };
    use super::*;
    use crate::decide::Aggregate as _;
    use crate::ids::{CancellationId, OrderId};
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn settle(unmet: Unmet, minor: Option<i64>) -> SettlePaymentByHand {
        let (payment_id, order_id) = (payment_id(), order_id());
        let (settlement, reason) = (Settlement::Elsewhere, Reason::code("bank transfer"));
        SettlePaymentByHand {
            payment_id,
            order_id,
            unmet,
            amount: minor.map(gbp),
            settlement,
            reason,
        }
    }

    fn settled(unmet: Unmet, minor: i64) -> PaymentSettledByHand {
        let SettlePaymentByHand { payment_id, order_id, unmet, settlement, reason, .. } =
            settle(unmet, None);
        let amount = gbp(minor);
        PaymentSettledByHand { payment_id, order_id, unmet, amount, settlement, reason }
    }

    fn of_shipment(n: u32) -> Unmet {
        Unmet::Capture { shipment_id: shipment(n) }
    }

    fn of_return(n: u32) -> Unmet {
        Unmet::Refund { return_id: return_id(n) }
    }

    fn void() -> Unmet {
        Unmet::Void { cancellation_id: None }
    }

    fn capture_failed(n: u32) -> Event {
        let (payment_id, order_id, shipment_id) = (payment_id(), order_id(), shipment(n));
        let code = Reason::code("capture_refused");
        CaptureFailed { payment_id, order_id, shipment_id, code, retriable: false }.into()
    }

    #[test]
    fn a_refused_capture_is_settled_once_and_nothing_is_captured_for_the_shipment_any_more() {
        given(authorized(1_000))
            .and([capture_requested(1, 600, 1), capture_failed(1)])
            .when(settle(of_shipment(1), Some(600)))
            .then([settled(of_shipment(1), 600)])
            .when(settle(of_shipment(1), Some(600)))
            .then_nothing()
            .when(capture(1, 600))
            .then_nothing()
            .when(capture(2, 400))
            .then([capture_requested(2, 400, 2)]);
    }

    #[test]
    fn what_the_provider_took_after_all_is_not_settled() {
        given(authorized(1_000))
            .and(captured(1, 600, 1))
            .when(settle(of_shipment(1), Some(600)))
            .then_nothing();
    }

    #[test]
    fn what_the_provider_is_being_asked_is_waited_for() {
        given(authorized(1_000))
            .and([capture_requested(1, 600, 1)])
            .when(settle(of_shipment(1), Some(600)))
            .then_busy()
            .when(record(Operation::Capture, 1, ProviderOutcome::Unknown))
            .after()
            .when(settle(of_shipment(1), Some(600)))
            .then_busy();
    }

    #[test]
    fn a_void_that_was_refused_is_settled_for_what_is_still_held_and_no_more() {
        given(authorized(1_000))
            .when(settle(void(), Some(400)))
            .then([settled(void(), 400)])
            .when(settle(void(), None))
            .then([settled(void(), 600)])
            .when(settle(void(), Some(1)))
            .then_nothing()
            .when(VoidAuthorization {
                payment_id: payment_id(),
                order_id: order_id(),
                amount: None,
                cancellation_id: None,
            })
            .then_nothing();
    }

    #[test]
    fn what_a_cancellation_freed_is_settled_once_also_when_its_void_is_asked_for_again() {
        let cancellation_id = CancellationId::nth(&order_id(), 1);
        let void = |minor| VoidAuthorization {
            payment_id: payment_id(),
            order_id: order_id(),
            amount: Some(gbp(minor)),
            cancellation_id: Some(cancellation_id.clone()),
        };
        let reason = Reason::code("written off");
        let by_hand = ByHand { settlement: Settlement::Waived, reason, occurred_at: expires_at() };
        let instead = SettlePaymentByHand::instead_of(&void(400).into(), &by_hand).unwrap();
        given(authorized(1_000))
            .when(instead.clone())
            .after()
            .when(void(400))
            .then_nothing()
            .when(instead)
            .then_nothing();
    }

    #[test]
    fn a_return_is_settled_once_also_when_a_part_of_it_was_refunded() {
        let refund = RefundPayment {
            payment_id: payment_id(),
            order_id: order_id(),
            return_id: return_id(1),
            amount: gbp(200),
        };
        given(authorized(1_000))
            .and(captured(1, 600, 1))
            .when(refund.clone())
            .after()
            .when(record(Operation::Refund, 1, ProviderOutcome::Done))
            .after()
            .when(settle(of_return(1), Some(100)))
            .then([settled(of_return(1), 100)])
            .when(settle(of_return(1), Some(100)))
            .then_nothing()
            .when(refund)
            .then_nothing();
    }

    #[test]
    fn a_payment_never_claims_that_the_provider_took_or_gave_what_was_settled() {
        let events = [authorized(1_000), vec![settled(of_shipment(1), 600).into()]].concat();
        let payment = |events: &[Event]| {
            let mut payment = Payment::default();
            for event in events {
                let Event::Payment(event) = event else { continue };
                payment = payment.evolve(event);
            }
            payment
        };
        let held = payment(&events);
        assert_eq!((held.captured(), held.settled_by_hand(), held.uncaptured()), (0, 600, 1_000));
        assert_eq!(held.status(), PaymentStatus::Authorized);
        let voided = [events, vec![settled(void(), 1_000).into()]].concat();
        assert_eq!(payment(&voided).status(), PaymentStatus::SettledByHand);
        assert_eq!(payment(&voided).captured(), 0);
        let paid = [authorized(600), captured(1, 600, 1)].concat();
        let returned = [paid, vec![settled(of_return(1), 600).into()]].concat();
        let returned = payment(&returned);
        assert_eq!((returned.refunded(), returned.status()), (0, PaymentStatus::Captured));
    }

    #[test]
    fn another_order_or_currency_is_refused() {
        let other = OrderId::parse("o2").unwrap();
        given(authorized(1_000))
            .when(SettlePaymentByHand { order_id: other, ..settle(void(), None) })
            .then_refused(&Refusal::PaymentNotFound { payment_id: payment_id() });
        let euros = Money::new(600, crate::money::Currency::parse("EUR").unwrap());
        given(authorized(1_000))
            .when(SettlePaymentByHand { amount: Some(euros), ..settle(of_shipment(1), None) })
            .then_refused(&Refusal::MixedCurrencies {
                expected: gbp(1).currency(),
                found: euros.currency(),
            });
    }

    #[test]
    fn only_what_a_provider_takes_or_gives_back_is_settled_in_its_place() {
        let reason = Reason::code("written off");
        let by_hand = ByHand { settlement: Settlement::Waived, reason, occurred_at: expires_at() };
        let capture: Command = capture(1, 600).into();
        let instead = SettlePaymentByHand::instead_of(&capture, &by_hand).unwrap();
        assert_eq!((instead.unmet, instead.amount), (of_shipment(1), Some(gbp(600))));
        assert_eq!(
            (instead.settlement, instead.reason),
            (by_hand.settlement, by_hand.reason.clone())
        );
        let expire: Command = expire().into();
        assert!(!SettlePaymentByHand::can_replace(&expire));
        assert_eq!(SettlePaymentByHand::instead_of(&expire, &by_hand), None);
    }
}
