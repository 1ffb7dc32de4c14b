//! The log and the keys in memory.

mod log {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use event_store::EventLog;
    use event_store::memory::MemoryLog;

    fn open() -> Ready<Option<(Arc<dyn EventLog>, ())>> {
        ready(Some((Arc::new(MemoryLog::new()), ())))
    }

    event_store::conformance_suite!(open);
}

mod keys {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use event_store::keys::KeyStore;
    use event_store::keys::memory::MemoryKeys;

    fn open() -> Ready<Option<(Arc<dyn KeyStore>, ())>> {
        ready(Some((Arc::new(MemoryKeys::new()), ())))
    }

    event_store::key_store_conformance_suite!(open);
}
