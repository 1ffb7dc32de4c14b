//! The queues in front of the processor: one for clients, who wait for an answer, and one for the platform's own work,
//! which can wait and is asked again. It decides who goes into the next batch.
//!
//! **Invariant:** clients go first, but never alone while the platform's own work waits: sagas go on under any load.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Beside clients' commands, the platform's own get one place for this many of theirs.
const CLIENTS_FOR_ONE: usize = 4;
/// What few clients leave free of a batch of this size the platform's own may fill: an order makes four further commands, so
/// with sixteen clients in a batch sagas still keep pace with them. Where there are more, clients get what is there.
const CHEAP: usize = 128;
/// Places that a client takes of such a batch.
const PLACES_OF_CLIENT: usize = 4;

/// Turns of the other tasks in which nobody came, after which nobody is waited for any more.
const TURNS_IN_VAIN: usize = 8;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Somebody outside.
    Clients,
    /// Sagas, payments and what else the platform does by itself.
    Own,
}

/// The ways in.
#[derive(Debug)]
pub(super) struct Entrances<T> {
    clients: mpsc::Sender<T>,
    own: mpsc::Sender<T>,
    shown: Shown,
}

/// Held while it is counted and shown how many wait: what is shown last was counted last.
type Shown = Arc<Mutex<()>>;

fn show_depth(shown: &Shown, waiting: impl FnOnce() -> usize) {
    let _shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    #[expect(clippy::cast_precision_loss, reason = "a gauge; queues are short")]
    metrics::gauge!("docket_command_queue_depth").set(waiting() as f64);
}

impl<T> Entrances<T> {
    /// Shows how many commands wait.
    pub(super) fn show_depth(&self) {
        let waiting = |lane: &mpsc::Sender<T>| lane.max_capacity() - lane.capacity();
        show_depth(&self.shown, || waiting(&self.clients) + waiting(&self.own));
    }

    pub(super) fn of(&self, lane: Lane) -> &mpsc::Sender<T> {
        match lane {
            Lane::Clients => &self.clients,
            Lane::Own => &self.own,
        }
    }
}

impl<T> Clone for Entrances<T> {
    fn clone(&self) -> Self {
        let (clients, own) = (self.clients.clone(), self.own.clone());
        Self { clients, own, shown: Arc::clone(&self.shown) }
    }
}

/// The processor's end of the queues.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    clients: mpsc::Receiver<T>,
    own: mpsc::Receiver<T>,
    /// How many clients asked of late: those who were just answered are about to ask again.
    recent_clients: usize,
    shown: Shown,
}

/// Two queues of this many places each.
pub(super) fn open<T>(places: usize) -> (Entrances<T>, Lanes<T>) {
    let (clients, waiting_clients) = mpsc::channel(places);
    let (own, waiting_own) = mpsc::channel(places);
    let shown = Shown::default();
    let entrances = Entrances { clients, own, shown: Arc::clone(&shown) };
    (entrances, Lanes { clients: waiting_clients, own: waiting_own, recent_clients: 0, shown })
}

impl<T> Lanes<T> {
    /// Waits for a command; `None` when `stop` was called and nothing waits any more.
    pub(super) async fn next(&mut self, stop: &CancellationToken) -> Option<T> {
        if !stop.is_cancelled() {
            tokio::select! {
                biased;
                Some(job) = self.clients.recv() => return Some(job),
                Some(job) = self.own.recv() => return Some(job),
                () = stop.cancelled() => {}
                else => return None,
            }
        }
        self.clients.close();
        self.own.close();
        match self.clients.recv().await {
            Some(job) => Some(job),
            None => self.own.recv().await,
        }
    }

    /// Lets those who were just answered ask again, until as many wait as are expected: one commit for all of them is
    /// cheaper than two, by turns, for a half each. No timer is waited for, and nobody who does not come at once.
    pub(super) async fn gather(&self, expected: usize) {
        let (mut waiting, mut in_vain) = (self.len() + 1, 0);
        while waiting < expected && in_vain < TURNS_IN_VAIN {
            tokio::task::yield_now().await;
            let now = self.len() + 1;
            in_vain = if now > waiting { 0 } else { in_vain + 1 };
            waiting = now;
        }
    }

    /// Adds what waits to a batch, up to `most` commands in all.
    pub(super) fn fill(&mut self, batch: &mut Vec<T>, most: usize) {
        let begun_with = batch.len();
        // A lane full of clients leaves room for the others.
        take(&mut self.clients, batch, most - most / (CLIENTS_FOR_ONE + 1));
        let clients = batch.len() - begun_with;
        self.recent_clients = clients.max(self.recent_clients / 2);
        let own = match self.recent_clients {
            0 => most,
            clients => {
                let free = CHEAP.saturating_sub(clients * PLACES_OF_CLIENT);
                free.max(clients / CLIENTS_FOR_ONE).max(1)
            }
        };
        take(&mut self.own, batch, most.min(batch.len() + own));
    }

    /// Shows how many commands wait.
    pub(super) fn show_depth(&self) {
        show_depth(&self.shown, || self.len());
    }

    /// Commands that wait.
    pub(super) fn len(&self) -> usize {
        self.clients.len() + self.own.len()
    }
}

fn take<T>(lane: &mut mpsc::Receiver<T>, batch: &mut Vec<T>, most: usize) {
    while batch.len() < most {
        let Ok(job) = lane.try_recv() else { return };
        batch.push(job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: char = 'c';
    const OWN: char = 'o';

    fn send(entrances: &Entrances<char>, what: char, count: usize) {
        let lane = if what == CLIENT { Lane::Clients } else { Lane::Own };
        (0..count).for_each(|_| entrances.of(lane).try_send(what).unwrap());
    }

    fn batch(lanes: &mut Lanes<char>, most: usize) -> (usize, usize) {
        let mut batch = Vec::new();
        lanes.fill(&mut batch, most);
        let clients = batch.iter().filter(|&&what| what == CLIENT).count();
        (clients, batch.len() - clients)
    }

    #[test]
    fn clients_go_first_and_the_platforms_own_work_goes_on_beside_them() {
        let (entrances, mut lanes) = open(1_000);
        send(&entrances, CLIENT, 64);
        send(&entrances, OWN, 500);
        assert_eq!(batch(&mut lanes, 512), (64, 16));
    }

    #[test]
    fn more_clients_than_a_batch_holds_leave_room_for_the_platforms_own_work() {
        let (entrances, mut lanes) = open(1_000);
        send(&entrances, CLIENT, 1_000);
        send(&entrances, OWN, 1_000);
        assert_eq!(batch(&mut lanes, 100), (80, 20));
    }

    #[test]
    fn sagas_keep_pace_with_sixteen_clients_and_not_with_a_flood() {
        let (entrances, mut lanes) = open(1_000);
        send(&entrances, OWN, 500);
        send(&entrances, CLIENT, 16);
        assert_eq!(batch(&mut lanes, 512), (16, 64));
        send(&entrances, CLIENT, 32);
        assert_eq!(batch(&mut lanes, 512), (32, 8));
    }

    #[test]
    fn few_clients_keep_nobody_waiting() {
        let (entrances, mut lanes) = open(1_000);
        send(&entrances, CLIENT, 3);
        send(&entrances, OWN, 500);
        assert_eq!(batch(&mut lanes, 512), (3, 116));
    }

    #[test]
    fn clients_who_were_just_answered_are_expected_back_for_a_while() {
        let (entrances, mut lanes) = open(1_000);
        send(&entrances, CLIENT, 100);
        send(&entrances, OWN, 1_000);
        let batches: Vec<_> = (0..4).map(|_| batch(&mut lanes, 512)).collect();
        assert_eq!(batches, [(100, 25), (0, 12), (0, 28), (0, 80)]);
    }

    #[tokio::test]
    async fn those_who_were_just_answered_are_waited_for_as_long_as_they_keep_coming() {
        let (entrances, lanes) = open(100);
        let client = entrances.of(Lane::Clients).clone();
        let coming = tokio::spawn(async move {
            for _ in 0..20 {
                client.try_send(CLIENT).unwrap();
                tokio::task::yield_now().await;
            }
        });
        lanes.gather(16).await;
        assert_eq!(
            lanes.len(),
            15,
            "with the first, which was taken already, all that are expected"
        );
        coming.await.unwrap();
        lanes.gather(1_000).await;
        assert_eq!(lanes.len(), 20, "nobody comes, and it does not go on waiting");
    }

    #[tokio::test]
    async fn a_stop_lets_everything_that_waits_through_and_nothing_new() {
        let (entrances, mut lanes) = open(10);
        let stop = CancellationToken::new();
        send(&entrances, OWN, 1);
        send(&entrances, CLIENT, 1);
        stop.cancel();
        assert_eq!(lanes.next(&stop).await, Some(CLIENT));
        assert!(entrances.of(Lane::Clients).try_send(CLIENT).is_err());
        assert_eq!(lanes.next(&stop).await, Some(OWN));
        assert_eq!(lanes.next(&stop).await, None);
    }
}
