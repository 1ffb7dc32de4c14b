//! At half of what a closed loop carried, as an open loop: how long commands take, how long until what was acknowledged
//! can be read, and how long until an order is confirmed.
//!
//! Only samples are followed: as few as leave the machine to the load.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use serde_json::Value;
use tokio::task::{JoinHandle, LocalSet};

use crate::client::{Command, Connection};
use crate::driver::{self, Load};
use crate::measure;
use crate::platform::Platform;
use crate::row::{self, Row};
use crate::shop::{order, receive, spread};

/// Samples a second.
const SAMPLES: f64 = 100.0;
/// Connections for one of a closed loop.
const SPARE: usize = 4;

/// Receiving stock, spread; the stock's model is read.
pub(crate) async fn receives(platform: &Platform, load: Load, best: f64) -> Result<Vec<Row>> {
    let commands = |index: usize, n: u64| receive(&spread(index, n), &format!("half/{index}/{n}"));
    let model =
        |command: &Command, _: &Value| Some(command.path.strip_suffix("/receive")?.to_owned());
    let halved = Halved::run(platform, load, best / 2.0, Rc::new(commands), model).await?;
    let [commands, visible] = halved.rows("receives");
    Ok(vec![commands.named("http-half"), visible.named("http-visible")])
}

/// Placing orders; the orders' model is read, and some clients wait until theirs is decided.
pub(crate) async fn orders(platform: &Platform, load: Load, best: f64) -> Result<Vec<Row>> {
    let per_second = best / 2.0;
    let sampled = Every::sample(per_second);
    let commands = move |index: usize, n: u64| {
        let mut order = order(&spread(index, n), &format!("half/order/{index}/{n}"));
        order.waits = sampled.is_next();
        order
    };
    let model =
        |_: &Command, answer: &Value| Some(format!("/v1/orders/{}", answer["id"].as_str()?));
    let halved = Halved::run(platform, load, per_second, Rc::new(commands), model).await?;
    let confirmed = Row::latency("placed to confirmed at half load", &halved.waited_us);
    let [commands, visible] = halved.rows("orders");
    Ok(vec![commands.named("orders-half"), visible, confirmed.named("confirmed")])
}

/// What came of half the load.
struct Halved {
    per_second: f64,
    latency_us: Histogram<u64>,
    waited_us: Histogram<u64>,
    visible_us: Histogram<u64>,
}

impl Halved {
    /// `model` is the path of the model in which a command's effect can be read.
    async fn run(
        platform: &Platform,
        load: Load,
        per_second: f64,
        commands: Rc<driver::Commands>,
        model: impl Fn(&Command, &Value) -> Option<String> + 'static,
    ) -> Result<Self> {
        let readers = Rc::new(Readers::of(&platform.at.models));
        let sampled = Every::sample(per_second);
        let following = Rc::clone(&readers);
        let answered = move |command: &Command, answer: &[u8], at: Instant| {
            if !command.waits && sampled.is_next() {
                let path = serde_json::from_slice(answer)
                    .ok()
                    .and_then(|value: Value| model(command, &value));
                following.follow(path, measure::position(answer), at);
            }
        };
        let local = LocalSet::new();
        // One that waits must not keep the next from being sent when it is due.
        let load = Load { connections: load.connections * SPARE, ..load };
        let address = &platform.at.commands;
        let outcome = driver::open(address, load, per_second, commands, Rc::new(answered));
        let outcome = local.run_until(outcome).await?;
        let visible_us = local.run_until(readers.finish()).await?;
        let driver::Outcome { per_second, turned_away, latency_us, waited_us, .. } = outcome;
        ensure!(turned_away == 0, "{turned_away} were turned away at half load");
        Ok(Self { per_second, latency_us, waited_us, visible_us })
    }

    fn rows(&self, of: &str) -> [Row; 2] {
        let what = format!("{of} at half load, open loop");
        [
            Row::figure(&what, self.per_second, "commands/s").with(&self.latency_us),
            Row::latency(&format!("{of} acknowledged to visible at half load"), &self.visible_us),
        ]
    }
}

/// One in so many.
struct Every {
    step: u32,
    seen: Cell<u32>,
}

impl Every {
    fn sample(per_second: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate of commands is positive and far below 2^32"
        )]
        let step = (per_second / SAMPLES).ceil() as u32;
        Self { step: step.max(1), seen: Cell::new(0) }
    }

    fn is_next(&self) -> bool {
        let seen = self.seen.get();
        self.seen.set((seen + 1) % self.step);
        seen == 0
    }
}

/// Connections that read what was acknowledged. Each read names the position that it must show, so that it is answered
/// as soon as the model has it, and nothing is asked twice.
struct Readers {
    address: String,
    resting: RefCell<Vec<Connection>>,
    reads: RefCell<Vec<JoinHandle<Result<u64>>>>,
    failed: RefCell<Option<anyhow::Error>>,
}

impl Readers {
    fn of(address: &str) -> Self {
        let (resting, reads, failed) = Default::default();
        Self { address: address.to_owned(), resting, reads, failed }
    }

    fn follow(self: &Rc<Self>, path: Option<String>, position: Result<u64>, since: Instant) {
        let (path, position) = match (path.context("an answer without an id"), position) {
            (Ok(path), Ok(position)) => (path, position),
            (Err(error), _) | (_, Err(error)) => return drop(self.failed.replace(Some(error))),
        };
        let readers = Rc::clone(self);
        let read = tokio::task::spawn_local(async move {
            let resting = readers.resting.borrow_mut().pop();
            let mut connection = match resting {
                Some(connection) => connection,
                None => Connection::open(&readers.address).await?,
            };
            connection.read_bytes(&format!("{path}?min_position={position}")).await?;
            let visible = since.elapsed();
            readers.resting.borrow_mut().push(connection);
            Ok(u64::try_from(visible.as_micros())?)
        });
        self.reads.borrow_mut().push(read);
    }

    async fn finish(&self) -> Result<Histogram<u64>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut us = row::empty();
        for read in self.reads.take() {
            us.saturating_record(read.await??);
        }
        Ok(us)
    }
}
