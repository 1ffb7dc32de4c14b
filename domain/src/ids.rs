//! Identifiers as types: an order can't be passed where a customer is meant.
//!
//! The one list of ids is at the end of this file. Ids are text: the client chooses those of orders, customers and
//! products (1 to 64 characters); the ids of payments, shipments, cancellations, returns and sagas are derived from
//! the order's, so that a repeated step names the same thing again. What a client may choose today is narrower than what
//! may have been stored: [`FromClient`] asks for more than `parse`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::given::FromClient;

/// Longest id that a client may choose, in characters.
pub const MAX_CLIENT_ID_CHARS: usize = 64;
/// Longest id that may stand in an event, in characters: a client's plus what deriving adds.
pub const MAX_ID_CHARS: usize = 96;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty.
    #[error("an id has at least 1 character")]
    Empty,
    /// The text has more characters than the limit.
    #[error("an id has at most {limit} characters")]
    TooLong {
        /// The most that is allowed.
        limit: usize,
    },
    /// The text has a control character.
    #[error("an id has no control characters")]
    ControlCharacter,
    /// The text begins or ends with a blank.
    #[error("an id neither begins nor ends with a blank")]
    BlankAround,
    /// The text has a slash, which ends a segment of a URL.
    #[error("an id has no `/`")]
    Slash,
    /// The text is `.` or `..`, which a URL takes for a way up.
    #[error("an id is neither `.` nor `..`")]
    Dots,
    /// The text has a character that nobody sees.
    #[error("an id has no invisible characters (U+{0:04X})")]
    Invisible(u32),
}

fn check(text: &str, limit: usize) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.chars().count() > limit {
        return Err(InvalidId::TooLong { limit });
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidId::ControlCharacter);
    }
    Ok(())
}

/// What a new id must be beyond [`check`]: it can stand in a URL's path, and who reads it sees all of it.
fn check_chosen(text: &str) -> Result<(), InvalidId> {
    if text.trim() != text {
        return Err(InvalidId::BlankAround);
    }
    if text.contains('/') {
        return Err(InvalidId::Slash);
    }
    if matches!(text, "." | "..") {
        return Err(InvalidId::Dots);
    }
    match text.chars().find(|character| is_invisible(*character)) {
        Some(character) => Err(InvalidId::Invisible(character.into())),
        None => Ok(()),
    }
}

/// Blanks that are not the space, and what Unicode calls format characters: of no width, or turning the text's direction.
fn is_invisible(character: char) -> bool {
    let formats = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    formats || (character.is_whitespace() && character != ' ')
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident: $limit:expr),+ $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses an id, refusing empty, too long and unprintable text.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                check(text, $limit)?;
                Ok(Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": $limit })
            }
        }
    )+ };
}

typed_ids! {
    /// A customer.
    CustomerId: MAX_CLIENT_ID_CHARS,
    /// A product's stock keeping unit; case and spaces matter.
    Sku: MAX_CLIENT_ID_CHARS,
    /// An order; also names its reservation.
    OrderId: MAX_CLIENT_ID_CHARS,
    /// A payment of an order: `{order}-p{n}`.
    PaymentId: MAX_ID_CHARS,
    /// A shipment of an order: `{order}-s{n}`.
    ShipmentId: MAX_ID_CHARS,
    /// A cancellation of lines of an order: `{order}-c{n}`.
    CancellationId: MAX_ID_CHARS,
    /// A return of lines of an order: `{order}-r{n}`.
    ReturnId: MAX_ID_CHARS,
    /// A saga: `order-{order}`, `cancellation-{cancellation}` or `return-{return}`.
    SagaId: MAX_ID_CHARS,
    /// What operators act on: `projection/{name}`, `saga/{saga}`, `dead-letter/{letter}`, `webhook/{webhook}`, `mail/{mail}` or
    /// `notices/{customer}`.
    SubjectId: MAX_ID_CHARS + 16,
}

macro_rules! chosen_by_clients {
    ($($name:ident),+) => { $(
        impl FromClient for $name {
            type Refused = InvalidId;

            fn from_client(text: &str) -> Result<Self, InvalidId> {
                let id = Self::parse(text)?;
                check_chosen(text)?;
                Ok(id)
            }

            fn from_before(text: &str) -> Option<Self> {
                Self::parse(text).ok()
            }

            fn as_text(&self) -> &str {
                self.as_str()
            }
        }
    )+ };
}

chosen_by_clients! { CustomerId, Sku, OrderId }

macro_rules! derived_from_order {
    ($($name:ident $suffix:literal),+) => { $(
        impl $name {
            #[doc = concat!("The order's `n`th, counted from 1: `{order}-", $suffix, "{n}`.")]
            pub fn nth(order_id: &OrderId, n: u32) -> Self {
                Self(format!(concat!("{}-", $suffix, "{}"), order_id, n).into())
            }
        }
    )+ };
}

derived_from_order! { PaymentId "p", ShipmentId "s", CancellationId "c", ReturnId "r" }

macro_rules! leads_to_order {
    ($($name:ident $mark:literal),+) => { $(
        impl $name {
            /// The order that it was derived from; `None` when it was not derived.
            pub fn order(&self) -> Option<OrderId> {
                let (order, n) = self.as_str().rsplit_once($mark)?;
                n.parse::<u32>().ok()?;
                OrderId::parse(order).ok()
            }
        }
    )+ };
}

leads_to_order! { PaymentId "-p", ShipmentId "-s" }

impl SagaId {
    /// The saga that carries an order from placed to completed or undone.
    pub fn of_order(order_id: &OrderId) -> Self {
        Self(format!("order-{order_id}").into())
    }

    /// The saga that carries out a cancellation after the pivot.
    pub fn of_cancellation(cancellation_id: &CancellationId) -> Self {
        Self(format!("cancellation-{cancellation_id}").into())
    }

    /// The saga that carries out a return.
    pub fn of_return(return_id: &ReturnId) -> Self {
        Self(format!("return-{return_id}").into())
    }
}

impl SubjectId {
    /// A read model with what folds it.
    pub fn of_projection(name: &str) -> Self {
        Self(format!("projection/{name}").into())
    }

    /// A saga.
    pub fn of_saga(saga_id: &SagaId) -> Self {
        Self(format!("saga/{saga_id}").into())
    }

    /// An endpoint of webhooks; `None` when none has such a name.
    pub fn of_webhook(id: &str) -> Option<Self> {
        Self::parse(&format!("webhook/{id}")).ok()
    }

    /// A mail to a customer, by its number.
    pub fn of_mail(number: i64) -> Self {
        Self(format!("mail/{number}").into())
    }

    /// All mails that were given up.
    pub fn of_failed_mails() -> Self {
        Self("mail/failed".into())
    }

    /// What a customer was told of their orders; `None` when no customer has such an id.
    pub fn of_notices(customer_id: &str) -> Option<Self> {
        Self::parse(&format!("notices/{customer_id}")).ok()
    }

    /// A dead letter; `None` when no letter has such a name.
    pub fn of_dead_letter(id: &str) -> Option<Self> {
        Self::parse(&format!("dead-letter/{id}")).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_1_to_64_printable_characters() {
        assert_eq!(OrderId::parse(""), Err(InvalidId::Empty));
        assert_eq!(OrderId::parse(&"x".repeat(65)), Err(InvalidId::TooLong { limit: 64 }));
        assert_eq!(OrderId::parse("a\nb"), Err(InvalidId::ControlCharacter));
        assert_eq!(OrderId::parse(&"ä".repeat(64)).unwrap().as_str().chars().count(), 64);
    }

    #[test]
    fn codes_are_taken_as_written() {
        assert_ne!(Sku::parse("85123A").unwrap(), Sku::parse("85123a").unwrap());
        assert_eq!(Sku::parse("BANK CHARGES").unwrap().as_str(), "BANK CHARGES");
    }

    #[test]
    fn what_was_derived_from_an_order_leads_back_to_it() {
        let order = OrderId::parse("a-p7").unwrap();
        assert_eq!(PaymentId::nth(&order, 12).order(), Some(order.clone()));
        assert_eq!(ShipmentId::nth(&order, 1).order(), Some(order));
        assert_eq!(PaymentId::parse("a-s1").unwrap().order(), None);
        assert_eq!(PaymentId::parse("a-px").unwrap().order(), None);
    }

    #[test]
    fn the_longest_order_id_leaves_room_for_what_is_derived_from_it() {
        let order = OrderId::parse(&"x".repeat(64)).unwrap();
        let cancellation = CancellationId::nth(&order, u32::MAX);
        let saga = SagaId::of_cancellation(&cancellation);
        assert_eq!(SagaId::parse(saga.as_str()), Ok(saga.clone()));
    }
}
