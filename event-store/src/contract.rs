//! The contract of an event log. What each method promises is a case of the conformance suite.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;

use crate::error::{AppendError, StoreError};
use crate::types::{
    AppendTransaction, Intent, LoadRequest, Loaded, LogIdentity, Position, RecordedEvent, Snapshot,
    StreamId, Verdict, Version,
};

/// Events of a page, at most, for whoever reads the whole log.
pub(crate) const PAGE: usize = 1_000;

/// An append-only log of events with dense positions in commit order.
pub trait EventLog: Send + Sync + 'static {
    /// Which log this is.
    fn identity(&self) -> LogIdentity;

    /// Appends a batch with one commit; one verdict per transaction, in order. Returns after the commit is on disk.
    ///
    /// A conflict in one transaction never fails its neighbours, except those built on it: a transaction that read or
    /// wrote a stream which an earlier one of the same batch wrote without being committed is itself a conflict.
    fn append(
        &self,
        batch: Vec<AppendTransaction>,
    ) -> BoxFuture<'_, Result<Vec<Verdict>, AppendError>>;

    /// Returns once no append that this writer gave up can be carried out any more: each has been, or never will be. Refused like an
    /// append when another has taken the log over.
    fn shut_out(&self) -> BoxFuture<'_, Result<(), AppendError>> {
        // Where appends and what is read to decide go over one connection, one after the other, that is so.
        Box::pin(std::future::ready(Ok(())))
    }

    /// Reads known commands and streams, all in one snapshot of the database.
    fn load(&self, request: LoadRequest) -> BoxFuture<'_, Result<Loaded, StoreError>>;

    /// Reads at most `limit` events of a stream after `after`, oldest first; an unknown stream is empty.
    fn read_stream<'a>(
        &'a self,
        stream: &'a StreamId,
        after: Version,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<RecordedEvent>, StoreError>>;

    /// Reads at most `limit` events after a position, in position order, contiguous.
    fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<RecordedEvent>, StoreError>>;

    /// Reads on from after a position up to another: pages in order, contiguous, none empty. It is for whoever reads much: what
    /// follows is fetched while a page is at work. Ends at the end of the log, and after an error.
    fn read_on(
        &self,
        after: Position,
        to: Position,
    ) -> BoxStream<'_, Result<Vec<RecordedEvent>, StoreError>> {
        let pages = stream::unfold(Some(after), move |at| async move {
            let at = at.filter(|at| *at < to)?;
            let limit = usize::try_from(to - at).unwrap_or(PAGE).min(PAGE);
            match self.read_all(at, limit).await {
                Ok(page) => {
                    let last = page.last()?.position;
                    Some((Ok(page), Some(last)))
                }
                Err(error) => Some((Err(error), None)),
            }
        });
        pages.boxed()
    }

    /// The last position, as it rises. A change says "read again"; a reader that missed one reads the newest.
    fn head(&self) -> watch::Receiver<Position>;

    /// What keeps the log from its work, in words for who runs it and with what to do, while it does. Only of what no client's
    /// patience helps; nothing is promised to be found before a call has failed by it.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Side effects that were begun and not ended, oldest first.
    fn open_intents(&self) -> BoxFuture<'_, Result<Vec<Intent>, StoreError>>;

    /// Keeps snapshots of states of this schema; an older one of the same stream is replaced.
    fn save_snapshots(
        &self,
        schema_hash: u64,
        snapshots: Vec<Snapshot>,
    ) -> BoxFuture<'_, Result<(), StoreError>>;
}
