//! Three times what the platform carries, at a steady rate, whatever becomes of it: what it still does, what it says to those whom
//! it turns away, what it holds meanwhile, and when it is as before.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::client::{Command, Connection};
use crate::driver::{self, Commands, Load};
use crate::measure;
use crate::platform::Platform;
use crate::platform::{Kind, Process};
use crate::row::{self, Row};
use crate::shop::{fill_spread, order, receive, spread};

/// So many times what is carried is offered.
const TIMES: f64 = 3.0;
/// Of what is carried, the part that is offered before and after, to see how long an answer takes in peace.
const IN_PEACE: f64 = 0.1;
/// A command that could not be sent so long after it was due is not sent any more: its client has gone.
const GONE_AFTER: Duration = Duration::from_secs(1);
/// How long it is looked for answers as fast as before.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the platform's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A kind of command, by connection and number.
type Kinds = fn(&str, usize, u64) -> Command;

/// Starts a platform and offers it too much, first of one and then of the other kind.
pub(crate) async fn rows(kind: Kind, load: Load, offering: usize) -> Result<Vec<Row>> {
    let platform = Platform::start(kind).await?;
    measure::warm_up(&platform, load).await?;
    fill_spread(&mut Connection::open(&platform.at.commands).await?).await?;
    let receives: Kinds = |of, index, n| receive(&spread(index, n), &format!("{of}/{index}/{n}"));
    let orders: Kinds = |of, index, n| order(&spread(index, n), &format!("{of}/{index}/{n}"));
    let mut rows = Vec::new();
    // Of orders, what is carried to the end: what is only accepted waits.
    for (what, commands, ends_later) in [("receives", receives, false), ("orders", orders, true)] {
        let test = Test { platform: &platform, what, commands, ends_later, load, offering };
        rows.extend(test.rows().await?);
    }
    platform.stop().await?;
    Ok(rows)
}

struct Test<'p> {
    platform: &'p Platform,
    what: &'static str,
    commands: Kinds,
    /// What is accepted is not all that there is to do.
    ends_later: bool,
    load: Load,
    offering: usize,
}

impl Test<'_> {
    async fn rows(&self) -> Result<Vec<Row>> {
        let what = self.what;
        let begun = Instant::now();
        let best = driver::closed(&self.platform.at.commands, self.load, self.of("best")).await?;
        let settled = measure::settle(self.platform, &format!("{what}-best")).await?;
        let carried = row::per_second(best.answered, self.carried_in(begun.elapsed()));
        let mut rows = vec![
            Row::figure(&format!("{what}: carried, closed loop"), carried, "/s")
                .with(&best.latency_us),
            Row::figure(&format!("{what}: settled after it"), settled.as_secs_f64(), "s"),
        ];
        let peace = self.in_peace("before", carried).await?;
        rows.push(Row::latency(&format!("{what}: a tenth of it, before"), &peace));
        let memory_before = self.memory()?;

        let (begun, memory) = (Instant::now(), Rc::new(Cell::new(0.0)));
        let offered = self.offer(carried * TIMES, &memory).await?;
        let loaded = self.load.duration;
        let (back, meanwhile) = self.until_as_before(&peace, carried).await?;
        let settled = measure::settle(self.platform, &format!("{what}-after")).await?;
        let time =
            self.carried_in(begun.elapsed()).min(loaded + settled + back.unwrap_or(PATIENCE));
        let time = if self.ends_later { time } else { loaded };
        // Those by which it is seen when it is as before are work, too.
        let done = offered.done_us.len() + if self.ends_later { meanwhile } else { 0 };
        let goodput = row::per_second(done, time);
        rows.push(Row::figure(
            &format!("{what}: offered"),
            row::per_second(offered.sent, loaded),
            "/s",
        ));
        rows.push(
            Row::figure(&format!("{what}: carried meanwhile"), goodput / carried, "x the best")
                .with(&offered.done_us),
        );
        let what = format!("{what}: the same, from when it was due");
        rows.push(Row::latency(&what, &offered.due_us));
        let what = self.what;
        rows.push(
            Row::figure(
                &format!("{what}: turned away"),
                row::per_second(offered.later_us.len(), loaded),
                "/s",
            )
            .with(&offered.later_us),
        );
        #[expect(clippy::cast_precision_loss, reason = "counts")]
        let (wrong, unsent) = (offered.wrong as f64, offered.unsent as f64);
        rows.push(Row::figure(&format!("{what}: answered otherwise"), wrong, "commands"));
        rows.push(Row::figure(&format!("{what}: not sent within 1 s"), unsent, "commands"));
        rows.push(Row::figure(&format!("{what}: memory before"), memory_before, "MB"));
        rows.push(Row::figure(&format!("{what}: memory at most"), memory.get(), "MB"));
        let back = back.map_or(f64::INFINITY, |back| back.as_secs_f64());
        rows.push(Row::figure(&format!("{what}: as fast as before again after"), back, "s"));
        rows.push(Row::figure(&format!("{what}: settled after it"), settled.as_secs_f64(), "s"));
        Ok(rows)
    }

    fn of(&self, load: &'static str) -> Rc<Commands> {
        let (commands, of) = (self.commands, format!("{}-{load}", self.what));
        Rc::new(move |index, n| commands(&of, index, n))
    }

    fn carried_in(&self, with_settling: Duration) -> Duration {
        if self.ends_later { with_settling } else { self.load.duration }
    }

    async fn in_peace(&self, when: &'static str, carried: f64) -> Result<Histogram<u64>> {
        let load = Load { connections: 64, duration: Duration::from_secs(3) };
        let answered = Rc::new(|_: &Command, _: &[u8], _| {});
        let address = &self.platform.at.commands;
        let seen = driver::open(address, load, carried * IN_PEACE, self.of(when), answered).await?;
        Ok(seen.latency_us)
    }

    /// How long it takes until commands are answered as in peace again, at most twice as slow, each one of a few; and how many were
    /// carried out until then.
    async fn until_as_before(
        &self,
        peace: &Histogram<u64>,
        carried: f64,
    ) -> Result<(Option<Duration>, u64)> {
        let begun = Instant::now();
        let mut connection = Connection::open(&self.platform.at.commands).await?;
        let (pause, few) = (Duration::from_secs_f64(1.0 / (carried * IN_PEACE)), 20);
        let (mut n, mut done) = (0, 0);
        while begun.elapsed() < PATIENCE {
            let (mut times, from) = (row::empty(), begun.elapsed());
            for _ in 0..few {
                let command = (self.commands)(&format!("{}-back", self.what), 0, n);
                let sent = Instant::now();
                if connection.attempt(&command).await?.is_done() {
                    row::record(&mut times, sent.elapsed());
                }
                n += 1;
                tokio::time::sleep(pause).await;
            }
            done += times.len();
            if times.len() == few
                && times.value_at_quantile(0.5) <= 2 * peace.value_at_quantile(0.5)
            {
                return Ok((Some(from), done));
            }
        }
        Ok((None, done))
    }

    fn memory(&self) -> Result<f64> {
        self.platform.processes.iter().map(Process::resident_mb).sum()
    }

    async fn offer(&self, per_second: f64, memory: &Rc<Cell<f64>>) -> Result<Offered> {
        let offered = Rc::new(RefCell::new(Offered::none()));
        let (commands, local) = (self.of("offered"), LocalSet::new());
        let mut connections = Vec::new();
        for _ in 0..self.offering {
            connections.push(Connection::open(&self.platform.at.commands).await?);
        }
        // Nothing is due before everybody is there.
        let begun = Instant::now();
        let until = begun + self.load.duration;
        let schedule = Rc::new(Schedule { begun, per_second, until, taken: Cell::new(0) });
        let tasks: Vec<_> = (0..)
            .zip(connections)
            .map(|(index, connection)| {
                let (offered, schedule) = (Rc::clone(&offered), Rc::clone(&schedule));
                let commands = Rc::clone(&commands);
                local.spawn_local(send(index, connection, schedule, commands, offered))
            })
            .collect();
        local
            .run_until(async {
                while Instant::now() < until {
                    memory.set(self.memory()?.max(memory.get()));
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                for task in tasks {
                    task.await??;
                }
                memory.set(self.memory()?.max(memory.get()));
                anyhow::Ok(())
            })
            .await?;
        let offered = Rc::into_inner(offered).context("everybody has ended")?;
        Ok(offered.into_inner())
    }
}

/// What became of what was offered.
struct Offered {
    sent: u64,
    /// From when a command left until it was carried out.
    done_us: Histogram<u64>,
    /// The same from when it was due: with what it waited for a connection on which nobody waited for an answer.
    due_us: Histogram<u64>,
    later_us: Histogram<u64>,
    /// Neither done nor told to come again.
    wrong: u64,
    /// Every connection was busy until it was too late.
    unsent: u64,
}

impl Offered {
    fn none() -> Self {
        let empty = row::empty;
        Self { sent: 0, done_us: empty(), due_us: empty(), later_us: empty(), wrong: 0, unsent: 0 }
    }
}

struct Schedule {
    begun: Instant,
    per_second: f64,
    until: Instant,
    taken: Cell<u32>,
}

impl Schedule {
    fn next(&self) -> Option<Instant> {
        let number = self.taken.get();
        self.taken.set(number + 1);
        let due = self.begun + Duration::from_secs_f64(f64::from(number) / self.per_second);
        (due < self.until).then_some(due)
    }
}

/// Sends whatever is due next, as soon as the last is answered.
async fn send(
    index: usize,
    mut connection: Connection,
    schedule: Rc<Schedule>,
    commands: Rc<Commands>,
    offered: Rc<RefCell<Offered>>,
) -> Result<()> {
    let mut n = 0;
    while let Some(due) = schedule.next() {
        let now = Instant::now();
        if now > due + GONE_AFTER {
            offered.borrow_mut().unsent += 1;
            continue;
        }
        if due > now {
            tokio::time::sleep_until(due.into()).await;
        }
        let command = commands(index, n);
        let sent = Instant::now();
        let said = connection.attempt(&command).await?;
        let took = sent.elapsed();
        let mut offered = offered.borrow_mut();
        offered.sent += 1;
        match said {
            said if said.is_done() => {
                row::record(&mut offered.done_us, took);
                row::record(&mut offered.due_us, due.elapsed());
            }
            said if said.is_later() => row::record(&mut offered.later_us, took),
            _ => offered.wrong += 1,
        }
        n += 1;
    }
    Ok(())
}
