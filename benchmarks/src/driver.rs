//! The two ways to send load. A closed loop: every connection sends its next command when the last is answered. An open
//! loop: commands are due at a steady rate, whatever becomes of the ones before, and their time counts from when they
//! were due: a server that stands still is not spared what it kept waiting.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::client::{Command, Connection};
use crate::row;

/// How much load, and how long.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Connections that send at the same time; in an open loop, at most.
    pub(crate) connections: usize,
    /// How long they send.
    pub(crate) duration: Duration,
}

/// What came of a load.
pub(crate) struct Outcome {
    /// Commands that were carried out.
    pub(crate) answered: u64,
    /// Commands that were told to come again later.
    pub(crate) turned_away: u64,
    /// Commands that were carried out, a second.
    pub(crate) per_second: f64,
    /// Microseconds until the answer.
    pub(crate) latency_us: Histogram<u64>,
    /// The same of those commands that waited for what becomes of them.
    pub(crate) waited_us: Histogram<u64>,
}

/// The `n`th command of a connection.
pub(crate) type Commands = dyn Fn(usize, u64) -> Command;

/// What is done with each answer: its command, its body, and when it came.
pub(crate) type Answered = dyn Fn(&Command, &[u8], Instant);

/// When commands are sent.
trait Schedule {
    /// When the next is due; `None` when it is over. In a closed loop, that is now.
    fn next(&self) -> Option<Instant>;
}

struct Closed {
    until: Instant,
}

impl Schedule for Closed {
    fn next(&self) -> Option<Instant> {
        let now = Instant::now();
        (now < self.until).then_some(now)
    }
}

struct Open {
    begun: Instant,
    per_second: f64,
    until: Instant,
    taken: Cell<u32>,
}

impl Schedule for Open {
    fn next(&self) -> Option<Instant> {
        let number = self.taken.get();
        self.taken.set(number + 1);
        let due = self.begun + Duration::from_secs_f64(f64::from(number) / self.per_second);
        (due < self.until).then_some(due)
    }
}

/// As fast as the answers come.
pub(crate) async fn closed(address: &str, load: Load, commands: Rc<Commands>) -> Result<Outcome> {
    let schedule = Rc::new(Closed { until: Instant::now() + load.duration });
    run(address, load, schedule, commands, Rc::new(|_, _, _| {})).await
}

/// So many a second.
pub(crate) async fn open(
    address: &str,
    load: Load,
    per_second: f64,
    commands: Rc<Commands>,
    answered: Rc<Answered>,
) -> Result<Outcome> {
    let begun = Instant::now();
    let schedule = Open { begun, per_second, until: begun + load.duration, taken: Cell::new(0) };
    run(address, load, Rc::new(schedule), commands, answered).await
}

async fn run(
    address: &str,
    load: Load,
    schedule: Rc<impl Schedule + 'static>,
    commands: Rc<Commands>,
    answered: Rc<Answered>,
) -> Result<Outcome> {
    let local = LocalSet::new();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..load.connections)
        .map(|index| {
            let (address, schedule) = (address.to_owned(), Rc::clone(&schedule));
            let (commands, answered) = (Rc::clone(&commands), Rc::clone(&answered));
            local.spawn_local(async move {
                let mut times = [row::empty(), row::empty()];
                let mut connection = Connection::open(&address).await?;
                let (mut n, mut turned_away) = (0, 0);
                while let Some(due) = schedule.next() {
                    if due > Instant::now() {
                        tokio::time::sleep_until(due.into()).await;
                    }
                    let command = commands(index, n);
                    n += 1;
                    let Some(body) = connection.post_unless_later(&command).await? else {
                        turned_away += 1;
                        continue;
                    };
                    let now = Instant::now();
                    row::record(&mut times[usize::from(command.waits)], now - due);
                    answered(&command, body, now);
                }
                anyhow::Ok((times, turned_away))
            })
        })
        .collect();
    local.await;
    let seconds = begun.elapsed().as_secs_f64();
    let (mut latency_us, mut waited_us) = (row::empty(), row::empty());
    let mut turned_away = 0;
    for task in tasks {
        let ([answered, waited], later) = task.await??;
        turned_away += later;
        latency_us.add(answered)?;
        waited_us.add(waited)?;
    }
    let answered = latency_us.len() + waited_us.len();
    #[expect(clippy::cast_precision_loss, reason = "a count of commands is far below 2^52")]
    let per_second = answered as f64 / seconds;
    Ok(Outcome { answered, turned_away, per_second, latency_us, waited_us })
}
