//! What can go wrong, by who has to act.

/// The backend failed; nothing is known of what it did.
#[derive(Debug, thiserror::Error)]
#[error("the event store failed to {operation}")]
pub struct StoreError {
    /// What was tried, such as `append`.
    pub operation: &'static str,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// Names what was tried when `source` happened.
    pub fn new(
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { operation, source: source.into() }
    }

    /// Whether what was read is no value of ours: the backend works, and its data is damaged.
    pub fn is_undecodable(&self) -> bool {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*self.source);
        while let Some(error) = cause {
            if let Some(sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. }) =
                error.downcast_ref()
            {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// Why a batch of append transactions has no verdicts.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// An event is larger than any consumer accepts; nothing of the batch was appended. The caller's mistake.
    #[error("the event {event_type} has {size_bytes} bytes, at most {limit_bytes} are allowed")]
    EventTooLarge {
        /// Its type.
        event_type: String,
        /// Its encoded size.
        size_bytes: usize,
        /// The most that is allowed.
        limit_bytes: usize,
    },
    /// Another writer took the log over, or this one never did. Nothing of this batch was appended by this call; one sent
    /// before, whose answer was lost, may have been.
    #[error("another writer has taken the log over")]
    Superseded,
    /// The outcome of the batch is unknown: it may be committed, or may still commit. Send the same transactions with
    /// the same command ids again; the verdicts are final then.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an append would most likely get no answer now.
#[derive(Debug, thiserror::Error)]
pub enum NoAppends {
    /// One is under way for so long.
    #[error("an append has had no answer for {:.1} s", .0.as_secs_f64())]
    Silent(std::time::Duration),
    /// The last one failed, and why.
    #[error("an append failed: {0}")]
    Fail(String),
    /// The database does not give what an append needs, by its own words.
    #[error("an append would fail: {0}")]
    WouldFail(String),
}
