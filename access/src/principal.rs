//! Who asks.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::role::Role;

/// What stays as it is of a subject in an id.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'@').remove(b'|');

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Whoever it is: nobody is asked who they are, and everybody may everything.
    Open,
    /// Somebody whose token was verified.
    Known(Known),
}

/// Somebody whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The name of the issuer that vouches for them, as the settings have it.
    pub(crate) issuer: String,
    /// Their name there.
    pub(crate) subject: String,
    pub(crate) roles: BTreeSet<Role>,
    /// Which customer they are, if they are one.
    pub(crate) customer: Option<String>,
    /// What their token is confined to; `None` for all that their roles have.
    pub(crate) scopes: Option<BTreeSet<String>>,
    /// Until when their token is taken.
    pub(crate) taken_until: DateTime<Utc>,
}

impl Known {
    /// Their name with the issuer's before it, as it stands in the log: two issuers may know the same name.
    pub fn name(&self) -> String {
        format!("{}:{}", self.issuer, self.subject)
    }

    /// The same as part of an id: it has no `/`, and no two have the same.
    pub fn id(&self) -> String {
        format!("{}:{}", self.issuer, utf8_percent_encode(&self.subject, KEPT))
    }

    /// Until when their token is taken: it has expired then, also by a clock that is behind as far as clocks may be.
    pub fn taken_until(&self) -> DateTime<Utc> {
        self.taken_until
    }

    /// Whether they are a person of the shop's: what they do to what is there already they do for a reason, which is recorded. With a
    /// token that also makes them a customer or a program they are one still.
    pub fn is_staff(&self) -> bool {
        [Role::Support, Role::Operator].iter().any(|role| self.roles.contains(role))
    }

    /// Their roles.
    pub fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        self.roles.iter().copied()
    }
}

impl Principal {
    /// Who it is, where somebody was asked.
    pub fn known(&self) -> Option<&Known> {
        match self {
            Self::Open => None,
            Self::Known(known) => Some(known),
        }
    }
}
