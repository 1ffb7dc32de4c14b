//! A cart is to be begun.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DraftCreated, LineAdded, NewOrder, pricing};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::stream::Stream;

/// A cart is to be begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreateDraft(pub NewOrder);

impl Decide for CreateDraft {
    fn target(&self) -> Stream {
        self.0.target()
    }

    fn reads(&self) -> Vec<Stream> {
        self.0.reads()
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self(order) = self;
        order.check(view)?;
        pricing::check_count(order.lines.len())?;
        let mut events: Vec<Event> = Vec::with_capacity(1 + order.lines.len());
        events.push(
            DraftCreated {
                order_id: order.order_id.clone(),
                customer_id: order.customer_id.clone(),
                currency: order.currency,
                payment_method: order.payment_method.clone(),
                shipping_address: order.shipping_address.clone(),
                reference: order.reference.clone(),
            }
            .into(),
        );
        for (line, wanted) in (1..).zip(&order.lines) {
            pricing::price(wanted, order.currency, view)?;
            events.push(LineAdded::new(order.order_id.clone(), line, wanted).into());
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{address, currency, method, order_id, shop, wanted, wanted_order};
    use super::*;
    use crate::catalog::fixtures::{eur, gbp, sku};
    use crate::customers::fixtures::{blocked, customer_id};
    use crate::orders::{MOST_LINES, WantedLine};
    use crate::refusal::Refusal;
    use crate::spec::given;

    fn create(lines: Vec<WantedLine>) -> CreateDraft {
        CreateDraft(wanted_order(lines))
    }

    fn created() -> DraftCreated {
        DraftCreated {
            order_id: order_id(),
            customer_id: Some(customer_id()),
            currency: currency(),
            payment_method: method(),
            shipping_address: address(),
            reference: None,
        }
    }

    #[test]
    fn a_cart_begins_empty_or_with_lines() {
        given(shop()).when(create(vec![])).then([created()]);
        let lines = [wanted("A", 1, None), wanted("B", 2, Some(gbp(300)))];
        given(shop()).when(create(lines.to_vec())).then([
            Event::from(created()),
            LineAdded::new(order_id(), 1, &lines[0]).into(),
            LineAdded::new(order_id(), 2, &lines[1]).into(),
        ]);
    }

    #[test]
    fn what_could_not_be_placed_is_refused_early() {
        given(shop())
            .and([blocked()])
            .when(create(vec![]))
            .then_refused(&Refusal::CustomerBlocked { customer_id: customer_id() });
        given(shop())
            .when(create(vec![wanted("Z", 1, None)]))
            .then_refused(&Refusal::UnknownProduct { sku: sku("Z") });
        given(shop()).when(create(vec![wanted("A", 1, Some(eur(1)))])).then_refused(
            &Refusal::MixedCurrencies { expected: currency(), found: eur(1).currency() },
        );
        given(shop())
            .when(create(vec![wanted("A", 1, None); 2_001]))
            .then_refused(&Refusal::TooManyLines { lines: 2_001, limit: MOST_LINES });
    }
}
