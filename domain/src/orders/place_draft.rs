//! A cart is to be placed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrderPlaced, pricing};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::OrderId;
use crate::stream::Stream;
use crate::text::Reason;

/// A cart is to be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceDraft {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for PlaceDraft {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        let draft = view.order(&order_id)?.draft(&order_id)?;
        let head = &draft.head;
        pricing::look_at(head.customer_id.as_ref(), draft.lines.values(), view)?;
        pricing::check_customer(head.customer_id.as_ref(), view)?;
        let numbered = draft.lines.iter().map(|(number, line)| (*number, line));
        let (lines, total) = pricing::place(numbered, head.currency, view)?;
        Ok(vec![
            OrderPlaced {
                order_id,
                customer_id: head.customer_id.clone(),
                currency: head.currency,
                lines,
                total,
                payment_method: head.payment_method.clone(),
                shipping_address: head.shipping_address.clone(),
                reference: head.reference.clone(),
                reason: self.reason.clone(),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        added, cancellation, cart, confirmed, draft, expires_at, of, order_after, order_id, placed,
        shop, wanted,
    };
    use super::*;
    use crate::catalog::PriceChanged;
    use crate::catalog::fixtures::{discontinued, gbp, sku};
    use crate::customers::fixtures::{blocked, customer_id};
    use crate::decide::{Entry, State};
    use crate::orders::{
        AddLine, CancelLines, CancelOrder, EraseOrder, LineRemoved, OrderCancelled, OrderErased,
    };
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};
    use std::collections::HashMap;

    fn place() -> PlaceDraft {
        PlaceDraft { order_id: order_id(), reason: None }
    }

    fn add(code: &str) -> AddLine {
        AddLine { order_id: order_id(), line: wanted(code, 1, None) }
    }

    #[test]
    fn a_cart_is_placed_with_the_prices_of_that_moment() {
        cart()
            .and([PriceChanged { sku: sku("A"), unit_price: gbp(200), reason: None }])
            .and([added(1, "A", 6), added(2, "B", 4), added(3, "POST", 1)])
            .and([PriceChanged { sku: sku("A"), unit_price: gbp(255), reason: None }])
            .when(place())
            .then([placed()]);
    }

    #[test]
    fn why_a_cart_is_placed_is_kept_when_it_is_said() {
        let reason = Some(Reason::parse("asked for on the telephone").unwrap());
        cart()
            .and([added(1, "A", 6), added(2, "B", 4), added(3, "POST", 1)])
            .when(PlaceDraft { reason: reason.clone(), ..place() })
            .then([OrderPlaced { reason, ..placed() }]);
    }

    #[test]
    fn a_line_keeps_the_number_that_it_had_in_the_cart() {
        let mut kept = placed();
        for line in &mut kept.lines {
            line.line += 1;
        }
        let cancel =
            |line| CancelLines { order_id: order_id(), lines: vec![of(line, 1)], reason: None };
        let missing = Refusal::LineNotFound { order_id: order_id(), line: 1 };
        cart()
            .and([added(1, "POST", 9), added(2, "A", 6), added(3, "B", 4), added(4, "POST", 1)])
            .and([LineRemoved { order_id: order_id(), line: 1 }])
            .when(place())
            .then([kept])
            .and([confirmed()])
            .when(cancel(1))
            .then_refused(&missing)
            .when(cancel(4))
            .then([cancellation(Some(1), &[of(4, 1)])]);
    }

    #[test]
    fn an_empty_cart_is_not_placed() {
        cart().when(place()).then_refused(&Refusal::NoLines {});
    }

    #[test]
    fn what_changed_since_the_cart_was_filled_counts_at_placing() {
        cart()
            .and([added(1, "A", 1)])
            .and([discontinued("A")])
            .when(place())
            .then_refused(&Refusal::ProductDiscontinued { sku: sku("A") });
        cart()
            .and([added(1, "A", 1)])
            .and([blocked()])
            .when(place())
            .then_refused(&Refusal::CustomerBlocked { customer_id: customer_id() });
    }

    #[test]
    fn only_a_cart_that_is_there_is_placed_and_once() {
        given_nothing()
            .when(place())
            .then_refused(&Refusal::OrderNotFound { order_id: order_id() });
        given([placed()])
            .when(place())
            .then_refused(&Refusal::WrongState { what: "order", state: "placed" });
    }

    #[test]
    fn a_cancelled_cart_is_neither_filled_nor_placed() {
        let wrong = Refusal::WrongState { what: "order", state: "cancelled" };
        let cancel = CancelOrder { order_id: order_id(), reason: None };
        let cancelled = cart()
            .and([added(1, "A", 1)])
            .when(cancel.clone())
            .then([OrderCancelled { order_id: order_id(), reason: None }])
            .when(cancel)
            .then_nothing();
        cancelled.clone().when(add("A")).then_refused(&wrong);
        cancelled.when(place()).then_refused(&wrong);
    }

    #[test]
    fn an_erased_cart_has_no_address_to_go_to() {
        given(shop())
            .and([draft(None)])
            .and([added(1, "A", 1)])
            .when(EraseOrder { order_id: order_id(), reason: None })
            .then([OrderErased { order_id: order_id(), reason: None }])
            .when(place())
            .then_refused(&Refusal::WrongState { what: "order", state: "erased" });
    }

    #[test]
    fn all_that_placing_needs_is_looked_at_before_anything_is_refused() {
        let order = order_after([
            draft(Some(customer_id())).into(),
            added(1, "A", 1).into(),
            added(2, "B", 1).into(),
        ]);
        let needed = [
            Stream::Order(order_id()),
            Stream::Customer(customer_id()),
            Stream::Product(sku("A")),
            Stream::Product(sku("B")),
        ];
        let absent =
            |stream: &Stream| (stream.clone(), Entry { version: 0, state: State::absent(stream) });
        let mut states: HashMap<Stream, Entry> = needed.iter().map(absent).collect();
        states.insert(needed[0].clone(), Entry { version: 3, state: State::Order(order) });
        let view = View::new(&states);
        let refused = place().decide(&view, &Context { now: expires_at() });
        assert_eq!(refused, Err(Refusal::UnknownCustomer { customer_id: customer_id() }.into()));
        assert_eq!(view.into_reads(), needed);
    }
}
