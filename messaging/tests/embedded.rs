//! The embedded backend keeps the promises of the contracts.

use std::sync::Arc;

use messaging::conformance::ScriptedHandler;
use messaging::conformance::queue_cases::{CAPACITY, CONCURRENCY, QueueUnderTest};
use messaging::embedded::{EmbeddedQueue, QueueSettings};

mod queue {
    use super::*;

    async fn open() -> QueueUnderTest {
        let handler = Arc::new(ScriptedHandler::default());
        let settings = QueueSettings { concurrency: CONCURRENCY, capacity: CAPACITY };
        let queue = EmbeddedQueue::new(Arc::clone(&handler) as _, settings);
        QueueUnderTest { queue: Arc::new(queue), handler, keep: Box::new(()) }
    }

    messaging::queue_conformance_suite!(open);
}
