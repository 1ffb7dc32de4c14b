//! The batching command processor: one task that decides, appends and then answers.
//!
//! It knows no HTTP and no queue. Commands wait in a bounded queue; whatever waits goes as one batch into one commit.
//!
//! **Invariant:** nobody is answered before the log has given its verdict, refusals included, so a stale cache can only
//! cause a further attempt, never a wrong answer; a command id is decided at most once at a time.

mod backlog;
mod batch;
mod cache;
mod commit;
mod decision;
mod exploration;
mod handle;
mod lanes;
mod loading;
mod observer;
mod request;
mod settings;
mod settling;
mod snapshots;
mod worker;

pub use handle::{Processor, ProcessorHandle};
pub use observer::Observer;
pub use request::{Answer, AnswerWith, ExecuteError, Outcome, Request, WithoutEffect};
pub use settings::ProcessorSettings;
