//! The log and the keys in memory.

mod log {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use event_store::EventLog;
    use event_store::memory::MemoryLog;

    fn open() -> Ready<(Arc<dyn EventLog>, ())> {
        ready((Arc::new(MemoryLog::new()), ()))
    }

    event_store::conformance_suite!(open);
}

mod keys {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use event_store::keys::KeyStore;
    use event_store::keys::memory::MemoryKeys;

    fn open() -> Ready<(Arc<dyn KeyStore>, ())> {
        ready((Arc::new(MemoryKeys::new()), ()))
    }

    event_store::key_store_conformance_suite!(open);
}
