//! The one decision.
//!
//! **Invariant:** whoever may do something to their own only is told of what is another's the same as of what is not there.

use crate::action::{Action, Cell};
use crate::principal::Principal;

/// What something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource<'r> {
    /// It is not known yet which one: whether anything of the kind may be touched at all.
    Some,
    /// One of this customer's; of nobody's, as a guest's order, with `None`.
    Of(Option<&'r str>),
}

/// How far a grant goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'p> {
    /// Everything of the kind.
    All,
    /// What is this customer's.
    Own(&'p str),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No role of theirs may.
    #[error("none of your roles may do this ({})", .0.as_str())]
    Role(Action),
    /// A role of theirs may, and this token is confined to other things.
    #[error("the token lacks the scope `{}`", .0.scope())]
    Scope(Action),
    /// It is another's: who asks is told that there is no such thing.
    #[error("it is another customer's")]
    NotTheirs,
}

/// Whether they may do this to that, and how far that goes.
pub fn authorize<'p>(
    principal: &'p Principal,
    action: Action,
    resource: Resource<'_>,
) -> Result<Reach<'p>, Denied> {
    let Principal::Known(known) = principal else { return Ok(Reach::All) };
    let widest = known.roles.iter().map(|&role| action.cell(role)).max().unwrap_or(Cell::No);
    let reach = match (widest, known.customer.as_deref()) {
        (Cell::All, _) => Reach::All,
        (Cell::Own, Some(customer)) => Reach::Own(customer),
        (Cell::Own, None) | (Cell::No, _) => return Err(Denied::Role(action)),
    };
    if known.scopes.as_ref().is_some_and(|scopes| !scopes.contains(action.scope())) {
        return Err(Denied::Scope(action));
    }
    match (reach, resource) {
        (Reach::Own(customer), Resource::Of(owner)) if owner != Some(customer) => {
            Err(Denied::NotTheirs)
        }
        (reach, _) => Ok(reach),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::principal::Known;
    use crate::role::Role;

    fn with(roles: &[Role], customer: Option<&str>, scopes: Option<&[&str]>) -> Principal {
        Principal::Known(Known {
            issuer: "shop".to_owned(),
            subject: "17850".to_owned(),
            roles: roles.iter().copied().collect(),
            customer: customer.map(str::to_owned),
            scopes: scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
            taken_until: chrono::DateTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_customer_reaches_their_own_and_nothing_else() {
        let ada = with(&[Role::Customer], Some("17850"), None);
        let read = |resource| authorize(&ada, Action::ReadOrders, resource);
        assert_eq!(read(Resource::Some), Ok(Reach::Own("17850")));
        assert_eq!(read(Resource::Of(Some("17850"))), Ok(Reach::Own("17850")));
        assert_eq!(read(Resource::Of(Some("17851"))), Err(Denied::NotTheirs));
        assert_eq!(read(Resource::Of(None)), Err(Denied::NotTheirs), "a guest's is nobody's");
        let hold = authorize(&ada, Action::HoldOrder, Resource::Of(Some("17850")));
        assert_eq!(hold, Err(Denied::Role(Action::HoldOrder)), "not even their own");
    }

    #[test]
    fn support_and_operators_are_staff_whatever_else_they_are() {
        for (roles, is_staff) in [
            (&[Role::Support][..], true),
            (&[Role::Operator], true),
            (&[Role::Customer, Role::Support], true),
            (&[Role::Operator, Role::Service], true),
            (&[Role::Customer], false),
            (&[Role::Service], false),
            (&[], false),
        ] {
            assert_eq!(known(&with(roles, None, None)).is_staff(), is_staff, "{roles:?}");
        }
    }

    #[test]
    fn of_several_roles_the_widest_counts() {
        let both = with(&[Role::Customer, Role::Support], Some("17850"), None);
        let another = authorize(&both, Action::ReadOrders, Resource::Of(Some("17851")));
        assert_eq!(another, Ok(Reach::All));
    }

    #[test]
    fn a_scope_takes_away_and_never_gives() {
        let reads = with(&[Role::Operator], None, Some(&["orders:read"]));
        assert_eq!(authorize(&reads, Action::ReadOrders, Resource::Some), Ok(Reach::All));
        let denied = authorize(&reads, Action::CancelOrder, Resource::Some);
        assert_eq!(denied, Err(Denied::Scope(Action::CancelOrder)));
        let none = with(&[Role::Service], None, Some(&[]));
        for &action in Action::ALL {
            assert!(authorize(&none, action, Resource::Some).is_err(), "{action:?}");
        }
        let wide = with(&[Role::Support], None, Some(&["operations:write"]));
        let denied = authorize(&wide, Action::OperateSagas, Resource::Some);
        assert_eq!(denied, Err(Denied::Role(Action::OperateSagas)));
    }

    #[test]
    fn who_has_no_role_may_nothing_and_who_is_not_asked_everything() {
        let nobody = Known { roles: BTreeSet::new(), ..known(&with(&[], None, None)) };
        for &action in Action::ALL {
            let denied = authorize(&Principal::Known(nobody.clone()), action, Resource::Some).err();
            assert_eq!(denied, Some(Denied::Role(action)));
            assert_eq!(authorize(&Principal::Open, action, Resource::Of(None)), Ok(Reach::All));
        }
    }

    fn known(principal: &Principal) -> Known {
        principal.known().unwrap().clone()
    }
}
