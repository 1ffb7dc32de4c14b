//! The log and the keys in memory.

mod log {
    use std::future::{Ready, ready};
    use std::sync::Arc;

    use event_store::memory::MemoryLog;
    use event_store::{AppendError, EventLog};

    fn open() -> Ready<Option<(Arc<dyn EventLog>, ())>> {
        ready(Some((Arc::new(MemoryLog::new()), ())))
    }

    event_store::conformance_suite!(open);

    #[tokio::test]
    async fn whoever_was_taken_over_is_refused_whole_and_it_is_the_same_log() {
        let before = MemoryLog::new();
        assert!(before.append(Vec::new()).await.is_ok());
        let after = before.taken_over();
        let refused = before.append(Vec::new()).await;
        assert!(matches!(refused, Err(AppendError::Superseded)), "{refused:?}");
        assert!(after.append(Vec::new()).await.is_ok());
        assert_eq!(before.identity(), after.identity());
    }

    #[tokio::test]
    async fn only_whoever_may_append_raises_the_epoch_and_all_see_it() {
        let before = MemoryLog::new();
        let after = before.taken_over();
        let refused = before.raise_epoch();
        assert!(matches!(refused, Err(AppendError::Superseded)), "{refused:?}");
        let raised = after.raise_epoch().unwrap();
        assert_eq!(raised.epoch, 2);
        assert_eq!(before.identity(), raised);
    }
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
