//! Whether appends are answered, for whoever has to say whether this process can do its work.
//!
//! Not a retry of anything. **Invariant:** appends are judged by themselves. What the server says beside them counts only where
//! they tell nothing: while there are none, and some seconds after one that failed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::NoAppends;

/// An append that was answered so short a time ago says that the next one is answered, too.
const RECENT: Duration = Duration::from_secs(1);
/// Nobody who waits so long for a commit has a database that works.
const SILENT_AFTER: Duration = Duration::from_millis(1_500);
/// What made an append fail may not show by asking: a full disk takes no event, and has every lock to give.
const FAILED_FOR: Duration = Duration::from_secs(3);

/// How appends fared.
#[derive(Debug, Clone, Default)]
pub(super) struct Answering(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
struct Heard {
    under_way: usize,
    /// Since when some are under way and none was answered.
    silent_since: Option<Instant>,
    answered: Option<Instant>,
    /// That the last one that ended failed: when and why.
    failed: Option<(Instant, String)>,
}

/// What they tell.
#[derive(Debug)]
pub(super) enum Tells {
    /// The next one is answered, too, or not.
    Whether(Result<(), NoAppends>),
    /// There is none: nothing.
    Nothing,
    /// The last one failed some seconds ago.
    HasFailed,
}

/// One that is under way.
#[derive(Debug)]
pub(super) struct UnderWay<'a>(&'a Answering);

impl Answering {
    /// An append goes to the server.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        let mut heard = self.heard();
        heard.under_way += 1;
        heard.silent_since.get_or_insert_with(Instant::now);
        UnderWay(self)
    }

    pub(super) fn tells(&self) -> Tells {
        let heard = self.heard();
        let silent = heard.silent_since.map(|since| since.elapsed());
        if let Some(silent) = silent.filter(|silent| *silent >= SILENT_AFTER) {
            return Tells::Whether(Err(NoAppends::Silent(silent)));
        }
        match &heard.failed {
            Some((at, why)) if silent.is_some() || at.elapsed() < FAILED_FOR => {
                Tells::Whether(Err(NoAppends::Fail(why.clone())))
            }
            Some(_) => Tells::HasFailed,
            None if silent.is_some() || heard.answered.is_some_and(|at| at.elapsed() < RECENT) => {
                Tells::Whether(Ok(()))
            }
            None => Tells::Nothing,
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay<'_> {
    /// The server said something, were it a refusal.
    pub(super) fn answered(self) {
        let mut heard = self.0.heard();
        heard.silent_since = None;
        heard.answered = Some(Instant::now());
        heard.failed = None;
    }

    /// It did not, or not what can be relied on.
    pub(super) fn failed(self, why: String) {
        self.0.heard().failed = Some((Instant::now(), why));
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut heard = self.0.heard();
        heard.under_way -= 1;
        if heard.under_way == 0 {
            heard.silent_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn said(answering: &Answering) -> String {
        match answering.tells() {
            Tells::Whether(Ok(())) => "answered".to_owned(),
            Tells::Whether(Err(why)) => why.to_string(),
            Tells::Nothing => "nothing".to_owned(),
            Tells::HasFailed => "has failed".to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_append_that_was_answered_speaks_for_the_next_one_for_a_second() {
        let answering = Answering::default();
        assert_eq!(said(&answering), "nothing");
        answering.begin().answered();
        assert_eq!(said(&answering), "answered");
        advance(RECENT).await;
        assert_eq!(said(&answering), "nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn an_append_without_an_answer_is_silence_until_one_is_answered() {
        let answering = Answering::default();
        let first = answering.begin();
        assert_eq!(said(&answering), "answered");
        advance(SILENT_AFTER).await;
        assert_eq!(said(&answering), "an append has had no answer for 1.5 s");
        let again = answering.begin();
        first.failed("it ran out of time".to_owned());
        assert_eq!(said(&answering), "an append has had no answer for 1.5 s");
        again.answered();
        assert_eq!(said(&answering), "answered");
    }

    #[tokio::test(start_paused = true)]
    async fn an_append_that_failed_is_believed_for_some_seconds_and_while_another_is_under_way() {
        let answering = Answering::default();
        answering.begin().answered();
        answering.begin().failed("no space left".to_owned());
        assert_eq!(said(&answering), "an append failed: no space left");
        advance(FAILED_FOR).await;
        assert_eq!(said(&answering), "has failed");
        let again = answering.begin();
        assert_eq!(said(&answering), "an append failed: no space left");
        drop(again);
        assert_eq!(said(&answering), "has failed");
        answering.begin().answered();
        assert_eq!(said(&answering), "answered");
    }
}
