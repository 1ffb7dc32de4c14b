//! The parcel left the house.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Shipment, ShipmentCreated, ShipmentLine, ShipmentShipped, ShipmentSplit, ShipmentStatus,
};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{OrderId, PaymentId, ShipmentId};
use crate::orders::{LineQuantity, Order};
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Label;

/// The parcel left the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkShipped {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// Who carries it.
    pub carrier: Label,
    /// The carrier's tracking number.
    pub tracking: Label,
    /// What left; `None`: all of it. What is left over moves to a new shipment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<LineQuantity>>,
}

impl Decide for MarkShipped {
    fn target(&self) -> Stream {
        Stream::Shipment(self.shipment_id.clone())
    }

    fn decide(&self, view: &View<'_>, context: &Context) -> Result<Vec<Event>, Halt> {
        let shipment = view.shipment(&self.shipment_id)?;
        let missing = || Refusal::ShipmentNotFound { shipment_id: self.shipment_id.clone() };
        let order_id = shipment.order_id().ok_or_else(missing)?;
        let status = shipment.status().ok_or_else(missing)?;
        if status != ShipmentStatus::Pending {
            let repeated = shipment.shipped_with(&self.carrier, &self.tracking)
                && self.lines.as_deref().is_none_or(|lines| shipment.is_exactly(lines));
            let refusal = Refusal::WrongState { what: "shipment", state: status.name() };
            return if repeated { Ok(vec![]) } else { Err(refusal.into()) };
        }
        let left_over = self.left_over(shipment)?;
        let shipped = match &left_over {
            Some(rest) => shipment.without(&quantities(rest)).unwrap_or_default(),
            None => shipment.lines().to_vec(),
        };
        let order = view.order(order_id)?;
        if order.is_held() {
            return Err(Refusal::OnHold { order_id: order_id.clone() }.into());
        }
        check_covered(view, context, order_id, order, &shipped)?;
        let mut events = match left_over {
            Some(rest) => self.split(view, order_id, rest)?,
            None => vec![],
        };
        events.push(
            ShipmentShipped {
                shipment_id: self.shipment_id.clone(),
                order_id: order_id.clone(),
                carrier: self.carrier.clone(),
                tracking: self.tracking.clone(),
                lines: shipped,
            }
            .into(),
        );
        Ok(events)
    }
}

impl MarkShipped {
    /// What stays behind; `None` when all of it leaves.
    fn left_over(&self, shipment: &Shipment) -> Result<Option<Vec<ShipmentLine>>, Refusal> {
        let Some(lines) = &self.lines else { return Ok(None) };
        if lines.is_empty() {
            return Err(Refusal::NoLines {});
        }
        let rest = shipment.without(lines).ok_or_else(|| Refusal::QuantityExceeded {
            what: format!("shipment `{}`", self.shipment_id),
            requested: lines.iter().map(|line| u64::from(line.quantity.get())).sum(),
            allowed: shipment.lines().iter().map(|line| u64::from(line.quantity.get())).sum(),
        })?;
        Ok((!rest.is_empty()).then_some(rest))
    }

    /// The rest gets the order's next free shipment number, in the same append. Numbers are taken without gaps, so
    /// looking upwards for the first free one finds it, whichever shipments were split or cancelled before.
    fn split(
        &self,
        view: &View<'_>,
        order_id: &OrderId,
        rest: Vec<ShipmentLine>,
    ) -> Result<Vec<Event>, Halt> {
        let mut number = 1;
        while view.shipment(&ShipmentId::nth(order_id, number))?.order_id().is_some() {
            number += 1;
        }
        let remainder_id = ShipmentId::nth(order_id, number);
        Ok(vec![
            ShipmentSplit {
                shipment_id: self.shipment_id.clone(),
                order_id: order_id.clone(),
                remainder_id: remainder_id.clone(),
                moved: quantities(&rest),
            }
            .into(),
            ShipmentCreated { shipment_id: remainder_id, order_id: order_id.clone(), lines: rest }
                .into(),
        ])
    }
}

fn quantities(lines: &[ShipmentLine]) -> Vec<LineQuantity> {
    lines.iter().map(|line| LineQuantity { line: line.line, quantity: line.quantity }).collect()
}

/// What these lines cost at the order's prices.
fn price(order: &Order, lines: &[ShipmentLine]) -> i64 {
    let price = |line: &ShipmentLine| {
        let unit_price = order.line(line.line).map_or(0, |found| found.unit_price);
        unit_price.saturating_mul(i64::from(line.quantity.get()))
    };
    lines.iter().map(price).fold(0, i64::saturating_add)
}

/// What leaves has to be covered by money that can be captured now. A provider that captures only once covers no
/// second parcel: not after the first was paid, and not while it is still to be paid.
fn check_covered(
    view: &View<'_>,
    context: &Context,
    order_id: &OrderId,
    order: &Order,
    shipped: &[ShipmentLine],
) -> Result<(), Halt> {
    let due = price(order, shipped);
    if due == 0 {
        return Ok(());
    }
    let mut live = 0;
    let mut last = PaymentId::nth(order_id, 1);
    for payment_id in order.payments() {
        let payment = view.payment(payment_id)?;
        last = payment_id.clone();
        let taken = !payment.multi_capture()
            && (payment.is_spent() || another_is_unpaid(view, order_id, order)?);
        if payment.is_live(context.now) && !taken {
            live += payment.uncaptured();
        }
    }
    if live < due {
        return Err(Refusal::AuthorizationExpired { payment_id: last }.into());
    }
    Ok(())
}

/// Whether another parcel of the order left that is not paid yet.
fn another_is_unpaid(view: &View<'_>, order_id: &OrderId, order: &Order) -> Result<bool, Halt> {
    for number in 1.. {
        let shipment_id = ShipmentId::nth(order_id, number);
        let shipment = view.shipment(&shipment_id)?;
        let left = match shipment.status() {
            None => break,
            Some(ShipmentStatus::Shipped | ShipmentStatus::Delivered) => true,
            Some(ShipmentStatus::Pending | ShipmentStatus::Cancelled) => false,
        };
        if !left || price(order, shipment.lines()) == 0 {
            continue;
        }
        let mut paid = false;
        for payment_id in order.payments() {
            paid |= view.payment(payment_id)?.is_paid_for(&shipment_id);
        }
        if !paid {
            return Ok(true);
        }
    }
    Ok(false)
}
