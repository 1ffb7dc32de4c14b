//! Who asks, as a handler sees it.

use std::borrow::Cow;
use std::sync::Arc;

use access::{Action, Known, Principal, Reach, Resource, Role, authorize};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::needs::forbidden;
use crate::problem::{Code, Problem};
use crate::{idempotency, operator};

/// Whoever asks, and the action that the route is.
#[derive(Debug, Clone)]
pub struct Caller {
    principal: Arc<Principal>,
    action: Action,
}

impl Caller {
    pub(super) fn new(principal: Arc<Principal>, action: Action) -> Self {
        Self { principal, action }
    }

    /// The one customer whose things they may touch; `None` when they may touch everybody's.
    pub fn confined_to(&self) -> Option<&str> {
        match authorize(&self.principal, self.action, Resource::Some) {
            Ok(Reach::Own(customer)) => Some(customer),
            Ok(Reach::All) | Err(_) => None,
        }
    }

    /// Whether they may touch what is this customer's, or a guest's. Where they may not, it is to be as if it were not there.
    pub fn may_touch(&self, owner: Option<&str>) -> bool {
        authorize(&self.principal, self.action, Resource::Of(owner)).is_ok()
    }

    /// Refuses what this part of a request asks for unless they may that as well.
    pub fn check(&self, action: Action, pointer: &str) -> Result<(), Problem> {
        authorize(&self.principal, action, Resource::Some)
            .map(drop)
            .map_err(|denied| forbidden(denied).mistake(pointer, denied.to_string()))
    }

    /// Who acts, for the log: who they are, or where nobody was asked, who they say to be.
    pub fn actor<'c>(&self, headers: &'c HeaderMap) -> Result<Cow<'c, str>, Problem> {
        match self.principal.known() {
            Some(known) => Ok(known.name().into()),
            None => operator::actor(headers).map(Cow::Borrowed),
        }
    }

    /// The key of their request. What one uses is no other's.
    pub fn key<'c>(&self, headers: &'c HeaderMap) -> Result<Cow<'c, str>, Problem> {
        let key = idempotency::key(headers)?;
        Ok(match self.principal.known() {
            Some(known) => format!("{}/{key}", known.id()).into(),
            None => Cow::Borrowed(key),
        })
    }

    /// Whether they are a customer and nothing else: what goes on inside the shop is not for them.
    pub fn is_only_a_customer(&self) -> bool {
        self.known().is_some_and(|known| known.roles().all(|role| role == Role::Customer))
    }

    /// Who they are; `None` where nobody was asked.
    pub fn known(&self) -> Option<&Known> {
        self.principal.known()
    }

    /// What the ids of their commands begin with, without a `/`; `None` where nobody was asked.
    pub fn id(&self) -> Option<String> {
        self.principal.known().map(Known::id)
    }

    /// Their name, for the log; `None` where nobody was asked.
    pub fn name(&self) -> Option<String> {
        self.principal.known().map(Known::name)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::from(Code::Internal).caused_by("a route does not say what it needs")
        })
    }
}
