//! The follower: reads on and on beside the writers, and checks what it is shown as it comes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use event_store::{EventLog, Position, RecordedEvent};

/// What the writers tell the follower.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Transactions that have inserted their events and not ended.
    pub(super) open: AtomicU64,
    /// How often one has inserted its events so far.
    pub(super) inserted: AtomicU64,
    /// No writer is left.
    pub(super) done: AtomicBool,
}

/// What a follower has seen without a fault.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The command of each position.
    pub(super) commands: Vec<String>,
    /// Reads that brought something while writers were still writing.
    pub(super) fruitful_reads: u64,
    /// Reads all along which one and the same transaction had inserted its events and not ended.
    pub(super) reads_beside_a_stall: u64,
}

/// What must never be seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A hole, or an event that came late: the positions up to this one are not all there.
    PassedOver { expected: Position, found: Position },
    /// Half of a transaction.
    Torn { at: Position },
}

/// Reads until the writers are done, or until the first fault.
pub(super) async fn follow(log: &dyn EventLog, watched: &Watched) -> Result<Followed, Fault> {
    let mut followed = Followed::default();
    loop {
        let last = watched.done.load(Ordering::SeqCst);
        let stalls = stalled(watched);
        let page = log.read_all(followed.commands.len() as Position, 1_000).await.unwrap();
        if stalls.is_some() && stalls == stalled(watched) {
            followed.reads_beside_a_stall += 1;
        }
        if !page.is_empty() && !last {
            followed.fruitful_reads += 1;
        }
        followed.see(&page)?;
        if last {
            return Ok(followed);
        }
    }
}

/// Which insert the open transaction is of, if one is open.
fn stalled(watched: &Watched) -> Option<u64> {
    let inserted = watched.inserted.load(Ordering::SeqCst);
    (watched.open.load(Ordering::SeqCst) > 0).then_some(inserted)
}

impl Followed {
    /// Each position once, in order; and each transaction whole: it has two events, next to each other, and a page of even
    /// length ends with a whole one.
    fn see(&mut self, page: &[RecordedEvent]) -> Result<(), Fault> {
        for event in page {
            let expected = self.commands.len() as Position + 1;
            let found = event.position;
            if found != expected {
                return Err(Fault::PassedOver { expected, found });
            }
            self.commands.push(event.metadata.command_id.to_string());
        }
        let begun_before = self.commands.len() - page.len();
        let torn = self.commands[begun_before..]
            .chunks(2)
            .position(|pair| !matches!(pair, [one, other] if one == other));
        match torn {
            Some(pair) => Err(Fault::Torn { at: (begun_before + 2 * pair + 1) as Position }),
            None => Ok(()),
        }
    }
}
