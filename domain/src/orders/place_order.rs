//! An order is to be placed at once, without a cart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LineNumber, NewOrder, OrderPlaced, pricing};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::stream::Stream;

/// An order is to be placed at once, without a cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceOrder(pub NewOrder);

impl Decide for PlaceOrder {
    fn target(&self) -> Stream {
        self.0.target()
    }

    fn reads(&self) -> Vec<Stream> {
        self.0.reads()
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let Self(order) = self;
        order.check(view)?;
        let numbered =
            order.lines.iter().zip(1..LineNumber::MAX).map(|(line, number)| (number, line));
        let (lines, total) = pricing::place(numbered, order.currency, view)?;
        Ok(vec![
            OrderPlaced {
                order_id: order.order_id.clone(),
                customer_id: order.customer_id.clone(),
                currency: order.currency,
                lines,
                total,
                payment_method: order.payment_method.clone(),
                shipping_address: order.shipping_address.clone(),
                reference: order.reference.clone(),
                reason: None,
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{
        address, currency, method, order_id, placed, shop, wanted, wanted_order,
    };
    use super::*;
    use crate::catalog::fixtures::{discontinued, eur, gbp, product, sku};
    use crate::catalog::{ChangePrice, PriceChanged};
    use crate::customers::fixtures::{blocked, customer_id, erased};
    use crate::ids::OrderId;
    use crate::money::Money;
    use crate::orders::{CreateDraft, DraftCreated, MOST_LINES, WantedLine};
    use crate::refusal::Refusal;
    use crate::spec::{given, given_nothing};
    use crate::text::Quantity;

    fn lines() -> Vec<WantedLine> {
        vec![wanted("A", 6, None), wanted("B", 4, None), wanted("POST", 1, None)]
    }

    fn place(lines: Vec<WantedLine>) -> PlaceOrder {
        PlaceOrder(wanted_order(lines))
    }

    fn by_a_guest(lines: Vec<WantedLine>) -> PlaceOrder {
        PlaceOrder(NewOrder { customer_id: None, ..wanted_order(lines) })
    }

    fn placed_line(when: &crate::spec::When) -> (i64, i64) {
        match when.events() {
            [Event::Order(crate::orders::OrderEvent::OrderPlaced(placed))] => {
                (placed.lines[0].unit_price, placed.total)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_order_stands_with_numbered_lines_and_the_prices_of_today() {
        given(shop()).when(place(lines())).then([placed()]);
    }

    #[test]
    fn an_id_is_an_order_once() {
        let exists = Refusal::OrderExists { order_id: order_id() };
        given(shop()).and([placed()]).when(place(lines())).then_refused(&exists);
        let NewOrder { order_id, customer_id, currency, .. } = draft().0;
        let head = DraftCreated {
            order_id,
            customer_id,
            currency,
            payment_method: method(),
            shipping_address: address(),
            reference: None,
        };
        given(shop()).and([head]).when(place(lines())).then_refused(&exists);
        given(shop()).and([placed()]).when(draft()).then_refused(&exists);
    }

    fn draft() -> CreateDraft {
        CreateDraft(NewOrder { customer_id: None, ..wanted_order(vec![]) })
    }

    #[test]
    fn a_guest_may_order() {
        given(shop())
            .when(by_a_guest(lines()))
            .then([OrderPlaced { customer_id: None, ..placed() }]);
    }

    #[test]
    fn a_named_customer_is_registered_and_neither_blocked_nor_erased() {
        let customer_id = customer_id();
        given([product("A", gbp(255))])
            .when(place(vec![wanted("A", 1, None)]))
            .then_refused(&Refusal::UnknownCustomer { customer_id: customer_id.clone() });
        given(shop())
            .and([blocked()])
            .when(place(lines()))
            .then_refused(&Refusal::CustomerBlocked { customer_id: customer_id.clone() });
        given(shop())
            .and([erased()])
            .when(place(lines()))
            .then_refused(&Refusal::CustomerErased { customer_id });
    }

    #[test]
    fn products_are_known_and_sold() {
        given(shop())
            .when(place(vec![wanted("Z", 1, None)]))
            .then_refused(&Refusal::UnknownProduct { sku: sku("Z") });
        given(shop())
            .and([discontinued("B")])
            .when(place(lines()))
            .then_refused(&Refusal::ProductDiscontinued { sku: sku("B") });
    }

    #[test]
    fn an_agreed_price_holds_against_the_catalog_and_may_be_0() {
        let agreed = given(shop()).when(place(vec![wanted("A", 3, Some(gbp(199)))]));
        assert_eq!(placed_line(&agreed), (199, 597));
        let free = given(shop()).when(place(vec![wanted("A", 3, Some(gbp(0)))]));
        assert_eq!(placed_line(&free), (0, 0));
        given(shop())
            .when(place(vec![wanted("A", 3, Some(gbp(-1)))]))
            .then_refused(&Refusal::NegativePrice { price: -1 });
    }

    #[test]
    fn a_price_is_frozen_when_the_order_is_placed() {
        let change = ChangePrice { sku: sku("A"), unit_price: gbp(999), reason: None };
        let before = given(shop()).when(place(vec![wanted("A", 1, None)]));
        assert_eq!(placed_line(&before), (255, 255));
        let changed = before.after().when(change).then([PriceChanged {
            sku: sku("A"),
            unit_price: gbp(999),
            reason: None,
        }]);
        let other = OrderId::parse("536366").unwrap();
        let order = NewOrder { order_id: other, ..wanted_order(vec![wanted("A", 1, None)]) };
        let after = changed.when(PlaceOrder(order));
        assert_eq!(placed_line(&after), (999, 999));
    }

    #[test]
    fn an_order_has_one_currency() {
        let mixed = Refusal::MixedCurrencies { expected: currency(), found: eur(0).currency() };
        given(shop()).when(place(vec![wanted("A", 1, Some(eur(1)))])).then_refused(&mixed);
        given(shop())
            .and([product("E", eur(1))])
            .when(place(vec![wanted("E", 1, None)]))
            .then_refused(&mixed);
    }

    #[test]
    fn an_order_has_1_to_2000_lines() {
        given(shop()).when(place(vec![])).then_refused(&Refusal::NoLines {});
        let most = vec![wanted("A", 1, None); MOST_LINES];
        assert_eq!(placed_line(&given(shop()).when(place(most.clone()))), (255, 510_000));
        let more = [most, vec![wanted("A", 1, None)]].concat();
        given(shop())
            .when(place(more))
            .then_refused(&Refusal::TooManyLines { lines: 2_001, limit: MOST_LINES });
    }

    #[test]
    fn an_order_comes_to_so_little_that_sums_over_many_orders_do_not_overflow() {
        let exceeded =
            |what: &str| Refusal::AmountOverflow { what: what.into(), limit: Money::MOST };
        let half = Some(gbp(Money::MOST / 2));
        let most = given(shop()).when(place(vec![wanted("A", 1, half), wanted("B", 1, half)]));
        assert_eq!(placed_line(&most), (Money::MOST / 2, Money::MOST));
        let one_more = wanted("POST", 1, Some(gbp(1)));
        let too_many = wanted("A", Quantity::MAX, half);
        for lines in [vec![wanted("A", 2, half), one_more], vec![too_many]] {
            let refused = exceeded("the total of the order");
            given(shop()).when(place(lines)).then_refused(&refused);
        }
        for dear in [Money::MOST + 1, i64::MAX] {
            given(shop())
                .when(place(vec![wanted("A", 1, Some(gbp(dear)))]))
                .then_refused(&exceeded("the price of `A`"));
        }
        assert!(Money::MOST.checked_mul(900_000).is_some());
    }

    #[test]
    fn no_more_of_one_product_is_ordered_than_can_be_counted() {
        let many = wanted("A", 1_000_000_000, Some(gbp(0)));
        given(shop()).when(place(vec![many, wanted("A", 1, None)])).then_refused(
            &Refusal::QuantityExceeded {
                what: "`A`".to_owned(),
                requested: 1_000_000_001,
                allowed: 1_000_000_000,
            },
        );
    }

    #[test]
    fn all_that_placing_reads_is_named_ahead() {
        let command = place(lines());
        let states = std::collections::HashMap::new();
        assert_eq!(command.reads().len(), 5);
        let missing = command
            .decide(&View::new(&states), &Context { now: super::super::fixtures::expires_at() });
        assert_eq!(missing, Err(Halt::Missing(Stream::Order(order_id()))));
        given_nothing()
            .when(by_a_guest(vec![wanted("A", 1, None)]))
            .then_refused(&Refusal::UnknownProduct { sku: sku("A") });
    }
}
