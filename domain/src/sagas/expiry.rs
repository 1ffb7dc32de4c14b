//! Letting an authorization go whose time is over: from then on the provider holds nothing, and the log says so.
//!
//! | step | kind |
//! |--|--|
//! | `expire_authorization`, per payment | retriable |

use std::sync::LazyLock;

use super::definition::{Answer, Ask, Did, Heard, Row};
use super::order_facts::OrderFacts;
use crate::event::Event;
use crate::payments::{ExpireAuthorization, PaymentEvent};

/// The table.
pub(super) static EXPIRY: LazyLock<Vec<Row<OrderFacts>>> =
    LazyLock::new(|| vec![Row::new("expire_authorization", expire, expired)]);

fn expire(order: &OrderFacts, _: Did) -> Ask {
    match &order.expiring {
        Some(payment_id) => {
            let (payment_id, order_id) = (payment_id.clone(), order.order_id.clone());
            Ask::send(ExpireAuthorization { payment_id, order_id })
        }
        None => Ask::Nothing,
    }
}

fn expired(order: &OrderFacts, heard: &Heard<'_>) -> Option<Answer> {
    let Event::Payment(PaymentEvent::AuthorizationExpired(event)) = heard.event else {
        return None;
    };
    (Some(&event.payment_id) == order.expiring.as_ref()).then_some(Answer::Done)
}
