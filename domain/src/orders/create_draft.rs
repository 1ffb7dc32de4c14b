//! A cart is to be begun.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DraftCreated, LineAdded, Order, pricing};
use super::{ShippingAddress, WantedLine};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::{CustomerId, OrderId};
use crate::money::Currency;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::{Label, PaymentMethod};

/// A cart is to be begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDraft {
    /// The order.
    pub order_id: OrderId,
    /// Whose it is; a guest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The one currency of the order.
    pub currency: Currency,
    /// Its first lines; may be none.
    pub lines: Vec<WantedLine>,
    /// How it will be paid.
    pub payment_method: PaymentMethod,
    /// Where it goes.
    pub shipping_address: ShippingAddress,
    /// The client's own reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
}

impl Decide for CreateDraft {
    fn target(&self) -> Stream {
        Stream::Order(self.order_id.clone())
    }

    fn reads(&self) -> Vec<Stream> {
        let needed = pricing::reads(self.customer_id.as_ref(), &self.lines);
        std::iter::once(self.target()).chain(needed).collect()
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let order_id = self.order_id.clone();
        if *view.order(&order_id)? != Order::Absent {
            return Err(Refusal::OrderExists { order_id }.into());
        }
        pricing::check_customer(self.customer_id.as_ref(), view)?;
        pricing::check_count(self.lines.len())?;
        let mut events: Vec<Event> = Vec::with_capacity(1 + self.lines.len());
        events.push(
            DraftCreated {
                order_id,
                customer_id: self.customer_id.clone(),
                currency: self.currency,
                payment_method: self.payment_method.clone(),
                shipping_address: self.shipping_address.clone(),
                reference: self.reference.clone(),
            }
            .into(),
        );
        for (line, wanted) in (1..).zip(&self.lines) {
            pricing::price(wanted, self.currency, view)?;
            events.push(LineAdded::new(self.order_id.clone(), line, wanted).into());
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{address, currency, method, order_id, shop, wanted};
    use super::*;
    use crate::catalog::fixtures::{eur, gbp, sku};
    use crate::customers::fixtures::{blocked, customer_id};
    use crate::orders::MOST_LINES;
    use crate::spec::given;

    fn create(lines: Vec<WantedLine>) -> CreateDraft {
        CreateDraft {
            order_id: order_id(),
            customer_id: Some(customer_id()),
            currency: currency(),
            lines,
            payment_method: method(),
            shipping_address: address(),
            reference: None,
        }
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
