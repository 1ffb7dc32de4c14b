//! What clients ask and what breaks, and when: drawn from a seed before anything runs, so that parts can be left out.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::reading_faults::{self, EventFault, ModelFault};
use crate::rng::Rng;
use crate::weather;

/// For so long things break; afterwards all heals.
pub(crate) const ROUGH: Duration = Duration::from_mins(1);
/// Where stock and products are made; nothing breaks before.
pub(crate) const BEGINS: Duration = Duration::from_secs(2);

/// Something that a client asks.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// When.
    pub(crate) at: Duration,
    /// Under which idempotency key.
    pub(crate) key: String,
    /// The command as JSON.
    pub(crate) command: Value,
    /// A second client asks the same under the same key, so much later.
    pub(crate) again: Option<Duration>,
    /// A second client asks another thing under the same key.
    pub(crate) misuse: bool,
}

/// Something that breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The command-service is killed and started again after this time.
    CrashCommands(Duration),
    /// Another command-service takes the log over while the first one sleeps for this time.
    TakeOver(Duration),
    /// One of the orchestrators is killed and started again after this time.
    CrashOrchestrator(usize, Duration),
    /// One of the orchestrators sleeps for this time.
    SleepOrchestrator(usize, Duration),
    /// The database of the sagas crashes, and loses this many commits.
    LoseCommits(usize),
    /// The broker loses everything that it holds.
    ForgetQueue,
    /// The orchestrators don't hear how far the log is.
    Silence(Duration),
    /// The log can't be reached.
    LogAway(Duration),
    /// The provider can't be reached.
    ProviderAway(Duration),
    /// Something of the broker of events.
    Events(EventFault),
    /// Something of the read models.
    Models(ModelFault),
    /// A message that no participant understands is in the queue.
    Poison(u64),
}

/// A whole run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Whether calls fail by themselves, too.
    pub(crate) is_rough: bool,
    /// Until when an order has to be confirmed, from when it was placed; in some runs so soon that it is confirmed just then.
    pub(crate) order_deadline_s: i64,
    /// Events that their broker retains where processes are apart and read from it; `None` where they read the log itself.
    pub(crate) retained: Option<u64>,
    pub(crate) opening: Vec<Operation>,
    pub(crate) operations: Vec<Operation>,
    pub(crate) faults: Vec<(Duration, Fault)>,
}

/// Which parts of a plan are left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The numbers of the operations; all when absent.
    pub operations: Option<BTreeSet<usize>>,
    /// The numbers of the faults; all when absent.
    pub faults: Option<BTreeSet<usize>>,
    /// Whether calls go wrong by themselves no more.
    pub calm: bool,
}

/// Within this time an order is reserved, paid and confirmed, when all goes well.
const SOON: Duration = Duration::from_secs(3);

const SKUS: [&str; 3] = ["mug", "lamp", "chair"];
const METHODS: [&str; 10] = [
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_declined",
    "pm_capture_refused",
    "pm_capture_fails_once",
    "pm_refund_fails",
];

impl Plan {
    /// What this seed draws.
    pub(crate) fn of(seed: u64, orders: usize) -> Self {
        let mut operations = Operations::new(seed);
        for number in 0..orders {
            operations.order(number);
        }
        for number in 0..operations.rng.within(0, 5) {
            operations.rush(number);
        }
        if weather::has_meetings(seed) {
            operations.crowd(&mut Rng::new(seed, "crowd"));
        }
        let is_rough = Rng::new(seed, "rough").chance(800);
        let order_deadline_s = Rng::new(seed, "deadline").pick(&[3, 8, 40, 40]).unwrap_or(40);
        let (opening, operations) = (operations.opening(), operations.list);
        let (mut faults, retained) = (faults(seed, orders), reading_faults::retained(seed));
        let of_models = reading_faults::model_faults(seed).into_iter();
        faults.extend(of_models.map(|(at, fault)| (at, Fault::Models(fault))));
        if retained.is_some() {
            let of_events = reading_faults::event_faults(seed).into_iter();
            faults.extend(of_events.map(|(at, fault)| (at, Fault::Events(fault))));
        }
        Self { seed, is_rough, order_deadline_s, retained, opening, operations, faults }
    }

    /// What of this it has not drawn, in a sentence.
    pub(crate) fn lacks(&self, kept: &Kept) -> Option<String> {
        let lacks = |what: &str, drawn: usize, kept: Option<&BTreeSet<usize>>| {
            let beyond = kept?.range(drawn..).next()?;
            let has = match drawn.checked_sub(1) {
                None => format!("none of the {what}"),
                Some(last) => format!("the {what} 0 to {last}"),
            };
            Some(format!("seed {} draws {has}: there is no {beyond} to be kept", self.seed))
        };
        lacks("operations", self.operations.len(), kept.operations.as_ref())
            .or_else(|| lacks("faults", self.faults.len(), kept.faults.as_ref()))
    }

    /// What is left of it.
    pub(crate) fn keep(mut self, kept: &Kept) -> Self {
        fn left<T>(all: Vec<T>, kept: Option<&BTreeSet<usize>>) -> Vec<T> {
            let numbered = all.into_iter().enumerate();
            numbered
                .filter(|(number, _)| kept.is_none_or(|kept| kept.contains(number)))
                .map(|(_, one)| one)
                .collect()
        }
        self.operations = left(self.operations, kept.operations.as_ref());
        self.faults = left(self.faults, kept.faults.as_ref());
        self.is_rough &= !kept.calm;
        self
    }
}

struct Operations {
    rng: Rng,
    list: Vec<Operation>,
}

impl Operations {
    fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed, "operations"), list: Vec::new() }
    }

    fn opening(&mut self) -> Vec<Operation> {
        let mut opening = Vec::new();
        for sku in SKUS {
            let price = json!({ "amount": 250, "currency": "GBP" });
            let product = json!({ "sku": sku, "name": sku, "unit_price": price, "stocked": true });
            let stock = json!({ "sku": sku, "quantity": self.rng.within(2, 14) });
            opening.push(operation(Duration::ZERO, "product", sku, "RegisterProduct", &product));
            opening.push(operation(BEGINS / 2, "stock", sku, "ReceiveStock", &stock));
        }
        opening
    }

    /// An order, and perhaps what becomes of it.
    fn order(&mut self, number: usize) {
        let (id, at) = (format!("o{number}"), self.time(BEGINS, ROUGH / 2));
        let count = self.rng.within(1, 4);
        let lines: Vec<Value> = (0..count)
            .map(|_| {
                let sku = self.rng.pick(&SKUS).unwrap_or("mug");
                json!({ "sku": sku, "quantity": self.rng.within(1, 5) })
            })
            .collect();
        let order = json!({
            "order_id": id, "currency": "GBP", "lines": lines,
            "payment_method": self.rng.pick(&METHODS).unwrap_or("pm_ok"),
            "shipping_address": { "country": "France" },
        });
        self.push(operation(at, "place", &id, "PlaceOrder", &order));
        for _ in 0..self.rng.within(0, 4) {
            // Many think of it at once, while the order is on its way.
            let most = if self.rng.chance(400) { at + SOON } else { ROUGH };
            let at = self.time(at, most);
            self.afterthought(at, &id);
        }
    }

    fn afterthought(&mut self, at: Duration, id: &str) {
        let line = json!([{ "line": 1, "quantity": self.rng.within(1, 3) }]);
        let of_order = json!({ "order_id": id });
        let sku = self.rng.pick(&SKUS).unwrap_or("mug");
        let (name, body) = match self.rng.within(0, 9) {
            0 | 1 => ("CancelOrder", json!({ "order_id": id, "reason": "too late" })),
            2 | 3 => ("CancelLines", json!({ "order_id": id, "lines": line })),
            4 => ("HoldOrder", of_order),
            5 => ("ReleaseHold", of_order),
            6 | 7 => ("RequestReturn", json!({ "order_id": id, "lines": line })),
            _ => ("ReceiveStock", json!({ "sku": sku, "quantity": 3 })),
        };
        let number = self.list.len();
        self.push(operation(at, &format!("then-{number}"), id, name, &body));
    }

    /// Several clients at once, all for one SKU: what each finds depends on what became of the one before.
    fn rush(&mut self, number: u64) {
        let (at, sku) = (self.time(BEGINS, ROUGH), self.rng.pick(&SKUS).unwrap_or("mug"));
        for client in 0..self.rng.within(2, 6) {
            let delta = self.rng.pick(&[-3, -2, -1, 1, 3]).unwrap_or(-1);
            let body = json!({ "sku": sku, "delta": delta, "reason": "count" });
            self.push(operation(at, &format!("rush-{number}-{client}"), sku, "AdjustStock", &body));
        }
    }

    /// For a while clients come one after another, all for one SKU: whatever is late meets what was decided since.
    fn crowd(&mut self, rng: &mut Rng) {
        let (begins, sku) = (rng.within(millis(BEGINS), 45_000), rng.pick(&SKUS).unwrap_or("mug"));
        for client in 0..rng.within(10, 20) {
            let at = Duration::from_millis(begins + rng.within(0, 15_000));
            let delta = rng.pick(&[-3, -2, -1, 1, 3]).unwrap_or(-1);
            let body = json!({ "sku": sku, "delta": delta, "reason": "count" });
            let key = format!("crowd-{client}");
            self.list.push(operation(at, &key, sku, "AdjustStock", &body));
        }
    }

    fn push(&mut self, mut operation: Operation) {
        if self.rng.chance(250) {
            operation.again = Some(Duration::from_millis(self.rng.within(0, 6_000)));
        }
        operation.misuse = self.rng.chance(80);
        self.list.push(operation);
    }

    fn time(&mut self, least: Duration, most: Duration) -> Duration {
        Duration::from_millis(self.rng.within(millis(least), millis(most)))
    }
}

/// Asked once, by somebody who means it.
pub(crate) fn operation(
    at: Duration,
    what: &str,
    whose: &str,
    name: &str,
    body: &Value,
) -> Operation {
    let command = json!({ "command": name, "body": body });
    Operation { at, key: format!("{what}-{whose}"), command, again: None, misuse: false }
}

fn faults(seed: u64, orders: usize) -> Vec<(Duration, Fault)> {
    let mut rng = Rng::new(seed, "faults");
    let count = rng.within(0, 9);
    (0..count)
        .map(|_| {
            let at = Duration::from_millis(rng.within(millis(BEGINS), millis(ROUGH)));
            let time = Duration::from_millis(rng.within(100, 12_000));
            let which = usize::from(rng.chance(500));
            let fault = match rng.within(0, 14) {
                0..=2 => Fault::CrashCommands(time),
                3 | 4 => Fault::TakeOver(time),
                5 | 6 => Fault::CrashOrchestrator(which, time),
                7 => Fault::SleepOrchestrator(which, time),
                8 => Fault::LoseCommits(usize::try_from(rng.within(1, 6)).unwrap_or(1)),
                9 => Fault::ForgetQueue,
                10 => Fault::Silence(time),
                11 => Fault::LogAway(time),
                12 => Fault::ProviderAway(time),
                _ => Fault::Poison(rng.within(0, orders as u64)),
            };
            (at, fault)
        })
        .collect()
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
