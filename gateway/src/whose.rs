//! Whose a request is, as far as what may be under way of each client is counted.

use std::net::IpAddr;
use std::sync::Arc;

use access::{Known, Principal};
use axum::http::Extensions;

use crate::limits::CameFrom;

/// Who sends a request, as far as is known. Counting them takes a [`Whose`], which most requests need not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'r> {
    /// As who they have shown to be, if anybody asked.
    pub(crate) principal: Option<&'r Principal>,
    /// Where they come from, if that counts.
    pub(crate) from: Option<IpAddr>,
}

/// The same for what is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    Known(String),
    /// Of nobody who is known, from here.
    From(Option<IpAddr>),
    /// Nobody is asked who they are: they have everything together.
    Anybodys,
}

impl<'r> Who<'r> {
    /// Where others have left with the request what they know of it.
    pub(crate) fn left_on(extensions: &'r Extensions) -> Self {
        let principal = extensions.get::<Arc<Principal>>();
        let from = extensions.get().map(|CameFrom(address)| *address);
        Self { principal: principal.map(AsRef::as_ref), from }
    }

    /// Whose their requests are.
    pub(crate) fn whose(self) -> Whose {
        match self.principal.map(|principal| principal.known().map(Known::name)) {
            Some(Some(name)) => Whose::Known(name),
            Some(None) => Whose::Anybodys,
            None => Whose::From(self.from),
        }
    }
}

#[cfg(test)]
impl Who<'static> {
    /// One of those whom nobody asks.
    pub(crate) const ANYBODY: Self = Self { principal: Some(&Principal::Open), from: None };

    /// Somebody from an address that ends so.
    pub(crate) fn at(last: u8) -> Self {
        Self { principal: None, from: Some([192, 0, 2, last].into()) }
    }
}
