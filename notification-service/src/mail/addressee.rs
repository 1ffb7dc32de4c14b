//! Whom a mail goes to: read from the customer's own stream when it is sent, and opened then.
//!
//! **Invariant:** nobody who was erased has an address, whatever keys are still held: the log is read first.

use std::sync::Arc;

use domain::customers::CustomerEvent;
use domain::event::Event;
use domain::ids::CustomerId;
use domain::personal::Personal;
use domain::stream::Stream;
use event_store::StreamId;
use event_store::keys::{OpenError, Vault};
use lettre::Address;
use messaging::feed::Feed;

use super::answer::Unsent;

/// Events of a customer that are read at once. Most have one.
const PAGE: usize = 100;

/// Somebody who can be written to. No `Debug`: it is personal.
pub(super) struct Addressee {
    pub(super) address: Address,
    /// What they call themselves, if they said so.
    pub(super) name: Option<String>,
}

/// Where addressees are looked up.
#[derive(Clone)]
pub(super) struct Addressees {
    pub(super) feed: Arc<dyn Feed>,
    pub(super) vault: Arc<Vault>,
}

/// How somebody is reached, sealed.
#[derive(Default)]
struct Contact {
    name: Option<Personal<String>>,
    email: Option<Personal<String>>,
    is_erased: bool,
}

impl Addressees {
    /// How a customer is reached now.
    pub(super) async fn of(&self, customer_id: &CustomerId) -> Result<Addressee, Unsent> {
        let contact = self.read(customer_id).await?;
        if contact.is_erased {
            return Err(Unsent::Erased);
        }
        let email = contact.email.ok_or(Unsent::NoAddress)?;
        let address = self.open(&email).await?.parse().map_err(|_| Unsent::BadAddress)?;
        let name = match &contact.name {
            Some(name) => Some(self.open(name).await?),
            None => None,
        };
        Ok(Addressee { address, name: name.filter(|name| !name.trim().is_empty()) })
    }

    async fn read(&self, customer_id: &CustomerId) -> Result<Contact, Unsent> {
        let stream: StreamId = Stream::Customer(customer_id.clone()).to_string().into();
        let (mut contact, mut after) = (Contact::default(), 0);
        loop {
            let page = self.feed.read_stream(&stream, after, PAGE).await;
            let page = page.map_err(|error| {
                tracing::debug!(%error, "a customer can't be read for a mail now");
                Unsent::Unknown
            })?;
            for recorded in &page {
                let (version, payload) = (recorded.schema_version, &recorded.payload);
                match Event::from_json(&recorded.event_type, version, payload) {
                    Ok(Event::Customer(event)) => contact.take(event),
                    // Another's stream is not read, and what can't be read may have been an erasure.
                    Ok(_) | Err(_) => return Err(Unsent::Unknown),
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.version,
                _ => return Ok(contact),
            }
        }
    }

    async fn open(&self, sealed: &Personal<String>) -> Result<String, Unsent> {
        let clear = self.vault.open(&sealed.person, &sealed.sealed).await;
        let clear = clear.map_err(|error| match error {
            OpenError::Store(error) => {
                tracing::debug!(%error, "a customer's key can't be asked for now");
                Unsent::Unknown
            }
            OpenError::NoKey | OpenError::WrongMasterKey | OpenError::Damaged => Unsent::NotOpened,
        })?;
        let clear = clear.ok_or(Unsent::Erased)?;
        serde_json::from_slice(&clear).map_err(|_| Unsent::NotOpened)
    }
}

impl Contact {
    fn take(&mut self, event: CustomerEvent) {
        let (name, email) = match event {
            CustomerEvent::CustomerRegistered(event) => (event.name, event.email),
            CustomerEvent::ContactChanged(event) => (event.name, event.email),
            // What they ordered is carried out all the same.
            CustomerEvent::CustomerBlocked(_) => return,
            CustomerEvent::CustomerErased(_) => {
                self.is_erased = true;
                return;
            }
        };
        self.name = name.or(self.name.take());
        self.email = email.or(self.email.take());
    }
}
