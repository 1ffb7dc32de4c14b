//! Who wants to know of commits as they happen.

use domain::event::Event;
use event_store::IntentChange;

/// Hears of every commit, in order, before the caller is answered. A hint: after a crash nobody hears again, so whoever
/// must not miss anything reads the log as well.
pub trait Observer: Send + Sync + 'static {
    /// These events and intents of one command are on disk. Must return at once.
    fn committed(&self, events: &[Event], intents: &[IntentChange]);
}
