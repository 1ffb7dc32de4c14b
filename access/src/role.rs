//! The roles that a token may give.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What somebody is to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys, and sees what is theirs.
    Customer,
    /// Helps customers, and takes no money in hand.
    Support,
    /// Runs shop and platform.
    Operator,
    /// A program of the shop's, such as its web shop or its warehouse.
    Service,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Support, Self::Operator, Self::Service];

    /// Its word in a token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Support => "support",
            Self::Operator => "operator",
            Self::Service => "service",
        }
    }

    /// The role of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
