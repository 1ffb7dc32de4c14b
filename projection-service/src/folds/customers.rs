//! Customers: who they are, sealed, and whether they may order.

use chrono::{DateTime, Utc};
use domain::customers::CustomerEvent;
use domain::ids::CustomerId;
use domain::personal::Personal;
use serde::{Deserialize, Serialize};

use super::{FoldError, Seen};

/// A customer. Names and addresses stay sealed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRow {
    /// The customer.
    pub id: CustomerId,
    /// Their name.
    pub name: Option<Personal<String>>,
    /// Their mail address.
    pub email: Option<Personal<String>>,
    /// Their telephone number.
    pub phone: Option<Personal<String>>,
    /// True when they may not order any more.
    pub blocked: bool,
    /// Why they are blocked.
    pub reason: Option<String>,
    /// True when nothing of them can be read any more.
    pub erased: bool,
    /// Business time of their registration.
    pub registered_at: DateTime<Utc>,
    /// The version of their stream.
    pub version: u64,
}

/// Folds an event of a customer.
pub fn fold(
    row: Option<CustomerRow>,
    event: &CustomerEvent,
    seen: Seen,
) -> Result<CustomerRow, FoldError> {
    let begun = |row: Option<CustomerRow>| {
        let key = event.customer_id().as_str();
        row.ok_or_else(|| FoldError::nothing_began(event.event_type(), key))
    };
    let row = match event {
        CustomerEvent::CustomerRegistered(event) => CustomerRow {
            id: event.customer_id.clone(),
            name: event.name.clone(),
            email: event.email.clone(),
            phone: event.phone.clone(),
            blocked: false,
            reason: None,
            erased: false,
            registered_at: seen.occurred_at,
            version: 0,
        },
        CustomerEvent::ContactChanged(event) => {
            let row = begun(row)?;
            CustomerRow {
                name: event.name.clone().or(row.name),
                email: event.email.clone().or(row.email),
                phone: event.phone.clone().or(row.phone),
                ..row
            }
        }
        CustomerEvent::CustomerBlocked(event) => CustomerRow {
            blocked: true,
            reason: event.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            ..begun(row)?
        },
        CustomerEvent::CustomerErased(_) => {
            CustomerRow { name: None, email: None, phone: None, erased: true, ..begun(row)? }
        }
    };
    Ok(CustomerRow { version: seen.version, ..row })
}
