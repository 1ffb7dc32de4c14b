//! What an order costs against what its payments hold and took.

use super::placed_order::PlacedOrder;
use crate::decide::{Context, Halt, View};
use crate::ids::{OrderId, PaymentId};
use crate::refusal::Refusal;

impl PlacedOrder {
    /// What a payment of this order holds now, in minor units: 0 once the provider has let go of it.
    ///
    /// While the provider is being asked something the answer is open, so the decision waits.
    pub(super) fn authorized_by(
        &self,
        payment_id: &PaymentId,
        order_id: &OrderId,
        view: &View<'_>,
        context: &Context,
    ) -> Result<i64, Halt> {
        let payment = view.payment(payment_id)?;
        if payment.order_id() != Some(order_id) {
            return Err(Refusal::PaymentNotFound { payment_id: payment_id.clone() }.into());
        }
        if payment.has_open_operation() {
            return Err(Halt::Busy);
        }
        let held = payment.requested().filter(|_| payment.is_live(context.now));
        match held {
            Some(amount) if amount.currency() != self.currency => {
                let (expected, found) = (self.currency, amount.currency());
                Err(Refusal::MixedCurrencies { expected, found }.into())
            }
            Some(_) => Ok(payment.uncaptured()),
            None => Ok(0),
        }
    }

    /// What is paid, in minor units: what the order's payments took, and what a person settled by hand.
    pub(super) fn paid(&self, view: &View<'_>) -> Result<i64, Halt> {
        let mut paid = 0_i64;
        for payment_id in &self.payments {
            let payment = view.payment(payment_id)?;
            paid =
                paid.saturating_add(payment.captured()).saturating_add(payment.settled_by_hand());
        }
        Ok(paid)
    }

    /// What the shipped units cost: so much has to be paid.
    pub(super) fn due(&self) -> i64 {
        self.lines.iter().map(|line| line.amount_of(line.shipped)).sum()
    }

    /// What all units cost that are not cancelled.
    pub(super) fn worth(&self) -> i64 {
        self.lines
            .iter()
            .map(|line| line.amount_of(line.ordered.saturating_sub(line.cancelled)))
            .sum()
    }
}
