//! Erasures are applied again to a key store that was put back from an older backup: keys come back with it of people who
//! were erased since.
//!
//! **Invariant:** of everyone who was erased in the log up to the noted position the key store has no key. Applying an
//! erasure again is right whatever came after it: an erased person is never given a key again.

use event_store::keys::Vault;
use event_store::{EventLog, Mark, Position, RecordedEvent, StoreError};
use futures::TryStreamExt as _;

/// From so many events on it is said that they are read: a start takes longer then.
const MANY: u64 = 100_000;

/// The person whom this event erases: a person's stream bears the person's name.
pub fn erased_person(event: &RecordedEvent) -> Option<&str> {
    let erases = matches!(&*event.event_type, "CustomerErased" | "OrderErased");
    erases.then_some(&*event.stream)
}

/// Reads the log from where the key store says that it was read to, destroys the keys that should not be there, and notes
/// how far it came. To be called before anything is opened or sealed.
pub async fn replay_erasures(log: &dyn EventLog, vault: &Vault) -> Result<Mark, StoreError> {
    loop {
        let from = vault.erasures_applied().await?;
        let start = match &from {
            Some(mark) if is_of(log, mark).await? => mark.clone(),
            // Nothing is noted yet, or it was another history: from the beginning, once.
            Some(_) | None => Mark { log: log.identity(), position: 0, event_id: None },
        };
        let to = apply(log, vault, start).await?;
        if from.as_ref() == Some(&to) || vault.note_erasures_applied(from.as_ref(), &to).await? {
            return Ok(to);
        }
    }
}

/// Where the log ends now.
pub(super) async fn end_of(log: &dyn EventLog) -> Result<Mark, StoreError> {
    let position = *log.head().borrow();
    let event_id = event_id_at(log, position).await?;
    Ok(Mark { log: log.identity(), position, event_id })
}

/// Whether this was noted of the history that the log has.
async fn is_of(log: &dyn EventLog, mark: &Mark) -> Result<bool, StoreError> {
    let known = mark.log == log.identity() && mark.position <= *log.head().borrow();
    Ok(known && event_id_at(log, mark.position).await? == mark.event_id)
}

async fn event_id_at(
    log: &dyn EventLog,
    position: Position,
) -> Result<Option<uuid::Uuid>, StoreError> {
    let Some(before) = position.checked_sub(1) else { return Ok(None) };
    Ok(log.read_all(before, 1).await?.first().map(|event| event.id))
}

/// Applies every erasure after `reached`, up to the head.
async fn apply(log: &dyn EventLog, vault: &Vault, reached: Mark) -> Result<Mark, StoreError> {
    let (mut reached, head) = (reached, *log.head().borrow());
    if head - reached.position > MANY {
        let events = head - reached.position;
        tracing::info!(events, "the log is read for erasures, once");
    }
    let mut destroyed = 0_u64;
    let mut pages = log.read_on(reached.position, head);
    while let Some(page) = pages.try_next().await? {
        for event in &page {
            if let Some(person) = erased_person(event)
                && vault.erase_again(person, event.recorded_at).await?
            {
                destroyed += 1;
            }
        }
        if let Some(last) = page.last() {
            (reached.position, reached.event_id) = (last.position, Some(last.id));
        }
    }
    if destroyed > 0 {
        tracing::warn!(
            people = destroyed,
            "the key store had keys, or no tombstones, of people who were erased, as after a restore; they are erased again"
        );
    }
    Ok(reached)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use domain::command::Command;
    use domain::customers::{EraseCustomer, RegisterCustomer};
    use domain::ids::CustomerId;
    use event_store::Metadata;
    use event_store::keys::memory::MemoryKeys;
    use event_store::keys::{KeyState, KeyStore, MasterKey};
    use event_store::memory::MemoryLog;
    use service_kit::clock::system;

    use super::*;
    use crate::processor::{Answer, Processor, ProcessorSettings, Request, WithoutEffect};

    /// A log, and one who registers and erases people in it without touching any key.
    struct Shop {
        log: Arc<dyn EventLog>,
        processor: Processor,
        commands: u32,
    }

    impl Shop {
        fn open() -> Self {
            let log: Arc<dyn EventLog> = Arc::new(MemoryLog::new());
            let settings = ProcessorSettings::default();
            let processor = Processor::start(Arc::clone(&log), system(), settings, Vec::new());
            Self { log, processor, commands: 0 }
        }

        async fn register(&mut self, id: &str) {
            let customer_id = CustomerId::parse(id).unwrap();
            let (name, email, phone) = (None, None, None);
            self.execute(RegisterCustomer { customer_id, name, email, phone }.into()).await;
        }

        async fn erase(&mut self, id: &str) {
            self.execute(
                EraseCustomer { customer_id: CustomerId::parse(id).unwrap(), reason: None }.into(),
            )
            .await;
        }

        async fn execute(&mut self, command: Command) {
            self.commands += 1;
            let command_id: Arc<str> = format!("c{}", self.commands).into();
            let metadata = Metadata {
                command_id: Arc::clone(&command_id),
                actor: "test".into(),
                correlation_id: Arc::clone(&command_id),
                causation_id: None,
                traceparent: None,
                occurred_at: DateTime::UNIX_EPOCH,
            };
            let request = Request {
                command_id,
                request_hash: [0; 32],
                command,
                expected: None,
                metadata: Arc::new(metadata),
                answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
                without_effect: WithoutEffect::Answer,
            };
            self.processor.handle().execute(request).await.unwrap();
        }
    }

    fn store() -> Arc<MemoryKeys> {
        Arc::new(MemoryKeys::new())
    }

    fn vault(keys: &Arc<MemoryKeys>) -> Vault {
        Vault::new(Arc::clone(keys) as Arc<dyn KeyStore>, MasterKey::from_bytes([7; 32]))
    }

    async fn is_erased(keys: &Arc<MemoryKeys>, person: &str) -> bool {
        matches!(keys.find(person).await.unwrap(), KeyState::Erased { .. })
    }

    #[tokio::test]
    async fn whoever_was_erased_after_the_noted_position_is_erased_again_and_nobody_else() {
        let mut shop = Shop::open();
        for id in ["early", "late", "kept"] {
            shop.register(id).await;
        }
        shop.erase("early").await;
        let keys = store();
        let noted = replay_erasures(&*shop.log, &vault(&keys)).await.unwrap();
        assert_eq!(noted, end_of(&*shop.log).await.unwrap());
        assert!(is_erased(&keys, "customer-early").await);
        // The backup that is put back has a key of one who is erased later.
        vault(&keys).seal("customer-late", b"Ada").await.unwrap();
        vault(&keys).seal("customer-kept", b"Bob").await.unwrap();
        shop.erase("late").await;
        shop.register("new").await;
        let noted = replay_erasures(&*shop.log, &vault(&keys)).await.unwrap();
        assert_eq!(keys.erasures_applied().await.unwrap(), Some(noted));
        assert!(is_erased(&keys, "customer-late").await);
        assert!(!is_erased(&keys, "customer-kept").await);
        assert!(!is_erased(&keys, "customer-new").await);
    }

    #[tokio::test]
    async fn what_was_noted_of_another_history_is_not_believed() {
        let (mut one, mut other) = (Shop::open(), Shop::open());
        let keys = store();
        for shop in [&mut one, &mut other] {
            shop.register("ada").await;
        }
        other.erase("ada").await;
        one.register("bob").await;
        one.register("cyd").await;
        replay_erasures(&*one.log, &vault(&keys)).await.unwrap();
        vault(&keys).seal("customer-ada", b"Ada").await.unwrap();
        let ours = replay_erasures(&*other.log, &vault(&keys)).await.unwrap();
        assert!(is_erased(&keys, "customer-ada").await);
        // The same log, cut off behind what was noted and written on differently.
        let lie = Mark { event_id: Some(uuid::Uuid::nil()), ..ours.clone() };
        let fresh = store();
        fresh.note_erasures_applied(None, &lie).await.unwrap();
        assert_eq!(replay_erasures(&*other.log, &vault(&fresh)).await.unwrap(), ours);
        assert!(is_erased(&fresh, "customer-ada").await);
    }
}
