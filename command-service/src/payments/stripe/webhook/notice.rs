//! Which payment a notice is about.

use std::collections::BTreeMap;

use domain::ids::PaymentId;
use serde::Deserialize;

use crate::payments::stripe::objects::PAYMENT;

/// A notice, as far as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The object that something happened to.
    pub object: String,
    /// What happened, as Stripe calls it.
    pub kind: String,
    /// Our payment; none when it is not one of ours.
    pub payment_id: Option<PaymentId>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl Notice {
    /// Reads the body of a notice.
    pub fn parse(body: &[u8]) -> serde_json::Result<Self> {
        let Event { kind, data: Data { object } } = serde_json::from_slice(body)?;
        let metadata = object.metadata.unwrap_or_default();
        let payment_id = metadata.get(PAYMENT).and_then(|id| PaymentId::parse(id).ok());
        Ok(Self { object: object.id.unwrap_or_default(), kind, payment_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_tells_its_payment_by_the_metadata_and_nothing_else_of_it_is_read() {
        let body =
            br#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded","livemode":false,
            "data":{"object":{"id":"pi_1","amount":1,"metadata":{"docket_payment_id":"o-p1"}}}}"#;
        let notice = Notice::parse(body).unwrap();
        assert_eq!(
            (notice.object.as_str(), notice.kind.as_str()),
            ("pi_1", "payment_intent.succeeded")
        );
        assert_eq!(notice.payment_id.unwrap().as_str(), "o-p1");
        let other = br#"{"type":"balance.available","data":{"object":{"metadata":null}}}"#;
        assert_eq!(Notice::parse(other).unwrap().payment_id, None);
        assert!(Notice::parse(b"{}").is_err());
    }
}
