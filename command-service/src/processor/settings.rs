//! The bounds of the processor.

use std::time::Duration;

/// How much the processor takes on, and how long it tries.
#[derive(Debug, Clone)]
pub struct ProcessorSettings {
    /// Commands of clients that may wait, and as many of the platform itself; a further one is turned away.
    pub queue: usize,
    /// Orders that may have been placed and not been begun to be carried out; a further one is turned away. No bound: `None`.
    pub orders: Option<usize>,
    /// Commands taken into one batch.
    pub batch: usize,
    /// States kept in memory, per generation; there are two.
    pub cached_states: usize,
    /// How often a command is decided before it is given up for conflicts.
    pub attempts: u32,
    /// How long a client's command may wait to be taken into a batch, while the log does not answer the one before it. Then
    /// it is refused, and never sent.
    pub wait: Duration,
    /// How long one call of the log may take before its outcome counts as unknown.
    pub call_timeout: Duration,
    /// How long a batch of unknown outcome is sent again.
    pub unknown_deadline: Duration,
    /// The pause before a batch of unknown outcome is sent again; doubles each time, up to a second.
    pub resend_first: Duration,
    /// A snapshot is saved whenever a stream passes a multiple of this version.
    pub snapshot_every: u64,
}

impl Default for ProcessorSettings {
    fn default() -> Self {
        Self {
            queue: 4_096,
            // Some seconds of sagas' work: whoever is told yes is not kept waiting for long, and memory has an end.
            orders: Some(16_384),
            batch: 512,
            cached_states: 32_768,
            attempts: 16,
            wait: Duration::from_secs(5),
            call_timeout: Duration::from_secs(10),
            unknown_deadline: Duration::from_secs(10),
            resend_first: Duration::from_millis(50),
            snapshot_every: 256,
        }
    }
}
