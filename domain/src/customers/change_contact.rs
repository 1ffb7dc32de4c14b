//! A customer is reached otherwise; what is absent stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContactChanged, Customer};
use crate::decide::{Context, Decide, Halt, View};
use crate::event::Event;
use crate::ids::CustomerId;
use crate::personal::Personal;
use crate::refusal::Refusal;
use crate::stream::Stream;
use crate::text::Reason;

/// A customer is reached otherwise; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeContact {
    /// The customer.
    pub customer_id: CustomerId,
    /// Their new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// Their new mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<String>>,
    /// Their new telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<String>>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Decide for ChangeContact {
    fn target(&self) -> Stream {
        Stream::Customer(self.customer_id.clone())
    }

    fn decide(&self, view: &View<'_>, _context: &Context) -> Result<Vec<Event>, Halt> {
        let customer_id = self.customer_id.clone();
        let changes = self.name.is_some() || self.email.is_some() || self.phone.is_some();
        match view.customer(&customer_id)? {
            Customer::Absent => Err(Refusal::CustomerNotFound { customer_id }.into()),
            Customer::Erased => Err(Refusal::CustomerErased { customer_id }.into()),
            Customer::Active | Customer::Blocked if !changes => Ok(vec![]),
            Customer::Active | Customer::Blocked => Ok(vec![
                ContactChanged {
                    customer_id,
                    name: self.name.clone(),
                    email: self.email.clone(),
                    phone: self.phone.clone(),
                    reason: self.reason.clone(),
                }
                .into(),
            ]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{blocked, customer_id, erased, registered, sealed};
    use super::*;
    use crate::spec::{given, given_nothing};

    fn change(phone: Option<Personal<String>>) -> ChangeContact {
        ChangeContact { customer_id: customer_id(), name: None, email: None, phone, reason: None }
    }

    fn changed() -> ContactChanged {
        let phone = Some(sealed());
        ContactChanged { customer_id: customer_id(), name: None, email: None, phone, reason: None }
    }

    #[test]
    fn a_contact_changes_also_of_a_blocked_customer() {
        given([registered()]).when(change(Some(sealed()))).then([changed()]);
        given([registered()]).and([blocked()]).when(change(Some(sealed()))).then([changed()]);
    }

    #[test]
    fn why_a_contact_changes_is_kept_when_it_is_said() {
        let reason = Some(Reason::parse("asked for on the telephone").unwrap());
        given([registered()])
            .when(ChangeContact { reason: reason.clone(), ..change(Some(sealed())) })
            .then([ContactChanged { reason, ..changed() }]);
    }

    #[test]
    fn nothing_given_changes_nothing() {
        given([registered()]).when(change(None)).then_nothing();
    }

    #[test]
    fn nothing_is_added_to_an_unknown_or_erased_customer() {
        given_nothing()
            .when(change(Some(sealed())))
            .then_refused(&Refusal::CustomerNotFound { customer_id: customer_id() });
        given([registered()])
            .and([erased()])
            .when(change(Some(sealed())))
            .then_refused(&Refusal::CustomerErased { customer_id: customer_id() });
    }
}
