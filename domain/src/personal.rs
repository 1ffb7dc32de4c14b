//! Personal data: always sealed here.
//!
//! **Invariant:** a [`Personal`] holds ciphertext and nothing else. Clear text is sealed at the HTTP edge, before a
//! command exists, and opened at the answering edge; decisions, events, snapshots, read models and messages in between
//! carry the sealed bytes unchanged. Whatever decides, counts, groups or is searched stands outside.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A sealed `T` and whose key seals it. Erasing the person destroys the key, never these bytes.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Personal<T> {
    /// Whose data it is: `customer-{id}`, or `order-{id}` for a guest.
    pub person: Arc<str>,
    /// Ciphertext of the JSON of a `T`, base64.
    pub sealed: Arc<str>,
    #[serde(skip)]
    clear: PhantomData<fn() -> T>,
}

impl<T> Personal<T> {
    /// Takes what the vault sealed. This does not seal: it names the type of what is inside.
    pub fn from_sealed(person: impl Into<Arc<str>>, sealed: impl Into<Arc<str>>) -> Self {
        Self { person: person.into(), sealed: sealed.into(), clear: PhantomData }
    }
}

impl<T> Clone for Personal<T> {
    fn clone(&self) -> Self {
        Self::from_sealed(Arc::clone(&self.person), Arc::clone(&self.sealed))
    }
}

impl<T> PartialEq for Personal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.person == other.person && self.sealed == other.sealed
    }
}

impl<T> Eq for Personal<T> {}

impl<T> std::fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Personal({})", self.person)
    }
}

impl<T> schemars::JsonSchema for Personal<T> {
    fn schema_name() -> Cow<'static, str> {
        "Personal".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "Personal data, sealed with the key of its person",
            "properties": { "person": { "type": "string" }, "sealed": { "type": "string" } },
            "required": ["person", "sealed"],
        })
    }
}

/// What of an address is personal. Lives in clear only at the edges.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressDetails {
    /// The recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and house, one entry a line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Post code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl AddressDetails {
    /// True when there is nothing to seal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
