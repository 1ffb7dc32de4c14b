//! Sealing personal data at the edge.

use domain::command::Command;
use domain::given::{FromClient, Given};
use domain::ids::{CustomerId, OrderId};
use domain::personal::Personal;
use domain::refusal::Refusal;
use event_store::LoadRequest;
use service_kit::problem::Problem;

use super::app::App;
use super::asked::Fingerprint;
use super::problems::{KEYS_AWAY, unreachable_store, unsealed};
use crate::processor::Outcome;

/// Whose data it is.
#[derive(Debug, Clone)]
pub(super) enum Person {
    /// A customer.
    Customer(CustomerId),
    /// A guest, known by the order.
    Guest(OrderId),
}

impl Person {
    /// The name that the key goes by.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Customer(customer_id) => format!("customer-{customer_id}"),
            Self::Guest(order_id) => format!("order-{order_id}"),
        }
    }

    /// Why nothing is sealed for them any more.
    fn erased(&self) -> Refusal {
        match self {
            Self::Customer(customer_id) => {
                Refusal::CustomerErased { customer_id: customer_id.clone() }
            }
            Self::Guest(order_id) => Refusal::OrderExists { order_id: order_id.clone() },
        }
    }
}

impl App {
    /// Seals a short text for this person.
    pub(super) async fn seal_text<T: FromClient>(
        &self,
        person: &Person,
        clear: Option<&Given<T>>,
    ) -> Result<Option<Personal<String>>, Problem> {
        match clear {
            None => Ok(None),
            Some(clear) => {
                let clear = clear.get().as_text().to_owned();
                self.seal(person, &clear).await.map(Some)
            }
        }
    }

    /// Seals a value for this person, as JSON.
    pub(super) async fn seal<T: serde::Serialize>(
        &self,
        person: &Person,
        clear: &T,
    ) -> Result<Personal<T>, Problem> {
        let clear =
            serde_json::to_vec(clear).map_err(|error| service_kit::problem::internal(&error))?;
        match self.vault.seal(&person.name(), &clear).await {
            Ok(sealed) => Ok(Personal::from_sealed(sealed.person, sealed.sealed)),
            Err(error) => Err(unsealed(error, || person.erased())),
        }
    }

    /// The stored answer of this request, if it was carried out before. Asked when something keeps it from
    /// the processor: a repeat is answered the same also after its person was erased.
    pub(super) async fn answered_before(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Option<Outcome>, Problem> {
        let commands = vec![std::sync::Arc::clone(&fingerprint.command_id)];
        let request = LoadRequest { commands, ..LoadRequest::default() };
        let mut loaded =
            self.log.load(request).await.map_err(|error| self.unreadable_log(&error))?;
        match loaded.commands.remove(&fingerprint.command_id) {
            Some(known) if known.request_hash == fingerprint.request_hash => {
                Ok(Some(Outcome::replayed(known.answer)))
            }
            Some(_) => Err(self.reused(&fingerprint.key, &fingerprint.command_id).await),
            None => Ok(None),
        }
    }

    /// Destroys the person's key. Again is harmless, and needed: a crash may have come between the event and this.
    pub(super) async fn erase(
        &self,
        command_id: &str,
        person: &Person,
        command: impl Into<Command>,
    ) -> Result<(), Problem> {
        let erased = self.eraser.finish(command_id, &person.name(), command.into()).await;
        erased.map_err(|error| unreachable_store(&error, KEYS_AWAY))
    }
}
