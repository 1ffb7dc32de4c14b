//! From what the log loaded to the states that decisions read.

use domain::decide::{Entry, State};
use domain::stream::Stream;
use event_store::{EventLog, LoadedStream, StoreError};

use crate::codec::{self, UnreadableEvent};

/// Events read at once when a snapshot is not usable after all.
const PAGE: usize = 1_000;

/// Why a stream has no state.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// An event of it can't be read by this build.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// The log failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The state of a loaded stream.
pub(super) async fn entry(
    log: &dyn EventLog,
    stream: &Stream,
    loaded: &LoadedStream,
) -> Result<Entry, LoadError> {
    let Some(snapshot) = &loaded.snapshot else {
        return Ok(codec::fold(absent(stream), &loaded.events)?);
    };
    match serde_json::from_str(&snapshot.state) {
        Ok(state) => {
            metrics::counter!("docket_snapshots_read_total").increment(1);
            let entry = Entry { version: snapshot.version, state };
            Ok(codec::fold(entry, &loaded.events)?)
        }
        Err(error) => {
            // A snapshot is a cache: what can't be read is as good as none.
            tracing::warn!(%error, %stream, "a snapshot can't be read; its events are folded instead");
            whole(log, stream).await
        }
    }
}

async fn whole(log: &dyn EventLog, stream: &Stream) -> Result<Entry, LoadError> {
    let id = codec::stream_id(stream);
    let mut entry = absent(stream);
    loop {
        let events = log.read_stream(&id, entry.version, PAGE).await?;
        if events.is_empty() {
            return Ok(entry);
        }
        entry = codec::fold(entry, &events)?;
    }
}

fn absent(stream: &Stream) -> Entry {
    Entry { version: 0, state: State::absent(stream) }
}
