//! What becomes of asking for a lease, told to whoever shows it.

use std::fmt;
use std::sync::Arc;

/// Why a lease is not held yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Another holds it; whoever asks can take over.
    AnotherHolds,
    /// The database did not answer.
    Failed,
}

/// Who is told each time that a lease was asked for in vain; nobody by default.
#[derive(Clone, Default)]
pub struct Told(Option<Arc<dyn Fn(Asked) + Send + Sync>>);

impl Told {
    /// Calls this.
    pub fn to(told: impl Fn(Asked) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, asked: Asked) {
        if let Some(told) = &self.0 {
            told(asked);
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}
