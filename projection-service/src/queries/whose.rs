//! Whose what is read is: whoever is confined to their own is answered about another's as if it were not there.

use domain::ids::CustomerId;
use service_kit::access::Caller;
use service_kit::problem::{Code, Problem};

use super::answer::read;
use super::app::App;
use super::reading::{MinPosition, Reading};
use crate::folds::order_row::OrderRow;
use crate::projectors::Projector;
use crate::storage::orders;

/// Whether they may see this order.
pub(super) fn may_see(caller: &Caller, order: &OrderRow) -> bool {
    caller.may_touch(order.customer_id.as_ref().map(CustomerId::as_str))
}

impl App {
    /// Whether they may see what belongs to this order. An order that its own model does not show yet is nobody's so far.
    pub(super) async fn may_see_of(
        &self,
        caller: &Caller,
        order_id: &str,
    ) -> Result<bool, Problem> {
        if caller.confined_to().is_none() {
            return Ok(true);
        }
        let min = MinPosition::default();
        let Reading { mut transaction, .. } =
            self.read_one(Projector::Orders, order_id, &min, caller).await?;
        let order = read(orders::find(&mut transaction, order_id).await)?;
        Ok(order.is_some_and(|order| may_see(caller, &order)))
    }

    /// The same of a list, which whoever is confined to their own has to ask for by order.
    pub(super) async fn may_list_of(
        &self,
        caller: &Caller,
        order_id: Option<&str>,
    ) -> Result<bool, Problem> {
        match order_id {
            Some(order_id) => self.may_see_of(caller, order_id).await,
            None if caller.confined_to().is_none() => Ok(true),
            None => {
                let told = "a customer lists those of one of their orders: `order_id` says which";
                Err(Problem::from(Code::Forbidden).mistake("order_id", told))
            }
        }
    }
}
