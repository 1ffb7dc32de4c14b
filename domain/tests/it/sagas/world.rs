//! The whole domain in memory: its decisions, its sagas, a provider that follows the payment method, and a clock.
//!
//! Not a platform: no store, no queue, no retries of deliveries. What is sent is decided at once or, when it has to
//! wait, later; which of the waiting commands comes next may be chosen, so that tests can try every order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Duration, TimeZone, Utc};
use domain::catalog::RegisterProduct;
use domain::command::Command;
use domain::decide::{Context, Decide, Entry, Halt, State, View};
use domain::event::Event;
use domain::ids::{OrderId, PaymentId, SagaId, ShipmentId, Sku};
use domain::inventory::ReceiveStock;
use domain::money::{Currency, Money};
use domain::orders::{
    CreateDraft, LineQuantity, NewOrder, OrderStatus, PlaceDraft, PlaceOrder, RemoveLine,
    ShippingAddress, WantedLine,
};
use domain::payments::{
    ByHand, Operation, Payment, ProviderOutcome, RecordPaymentOutcome, Settlement,
};
use domain::refusal::Refusal;
use domain::sagas::{
    CommandEnd, EventContext, Outgoing, RecordCommandEnd, Saga, SagaActionError, SagaState,
    Timeouts,
};
use domain::shipping::{MarkDelivered, MarkShipped, Shipment};
use domain::stream::Stream;
use domain::text::{Country, Label, PaymentMethod, Quantity, Reason};

/// The one order of the world.
pub(crate) fn order_id() -> OrderId {
    OrderId::parse("536365").unwrap()
}

pub(crate) fn payment_id() -> PaymentId {
    PaymentId::nth(&order_id(), 1)
}

pub(crate) fn shipment(n: u32) -> ShipmentId {
    ShipmentId::nth(&order_id(), n)
}

pub(crate) fn order_saga() -> SagaId {
    SagaId::of_order(&order_id())
}

pub(crate) fn lines(of: &[(u32, u32)]) -> Vec<LineQuantity> {
    let line = |&(line, units)| LineQuantity { line, quantity: Quantity::new(units).unwrap() };
    of.iter().map(line).collect()
}

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").unwrap())
}

fn new_order(method: &str, lines: &[(&str, u32)]) -> NewOrder {
    let line = |&(sku, units): &(&str, u32)| WantedLine {
        sku: Sku::parse(sku).unwrap(),
        quantity: Quantity::new(units).unwrap(),
        unit_price: None,
    };
    NewOrder {
        order_id: order_id(),
        customer_id: None,
        currency: Currency::parse("GBP").unwrap(),
        lines: lines.iter().map(line).collect(),
        payment_method: PaymentMethod::parse(method).unwrap(),
        shipping_address: ShippingAddress {
            country: Country::parse("France").unwrap(),
            details: None,
        },
        reference: None,
    }
}

/// Units that each stocked SKU begins with.
pub(crate) const OPENING: u32 = 20;

/// The world.
pub(crate) struct World {
    pub(crate) states: HashMap<Stream, Entry>,
    pub(crate) log: Vec<(Event, String)>,
    pub(crate) sagas: BTreeMap<SagaId, Saga>,
    pub(crate) queue: Vec<Outgoing>,
    pub(crate) sent: Vec<String>,
    pub(crate) now: DateTime<Utc>,
    pub(crate) timeouts: Timeouts,
    /// Every event is fed to the sagas twice.
    pub(crate) stutters: bool,
    /// The first attempt of this step is refused, whatever it is.
    pub(crate) refuse: Option<String>,
    /// When each event was recorded.
    recorded: Vec<DateTime<Utc>>,
    /// The sagas as they were after so many events, with what was on its way.
    backup: (usize, BTreeMap<SagaId, Saga>, Vec<Outgoing>),
    ended: BTreeSet<String>,
    probes: BTreeMap<PaymentId, (String, u32)>,
    captures_failed: u32,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            states: HashMap::new(),
            log: vec![],
            sagas: BTreeMap::new(),
            queue: vec![],
            sent: vec![],
            now: Utc.with_ymd_and_hms(2010, 12, 1, 8, 26, 0).unwrap(),
            timeouts: Timeouts::default(),
            stutters: false,
            refuse: None,
            recorded: vec![],
            backup: (0, BTreeMap::new(), vec![]),
            ended: BTreeSet::new(),
            probes: BTreeMap::new(),
            captures_failed: 0,
        };
        for (sku, price, stocked) in [("MUG", 250, true), ("LAMP", 795, true), ("POST", 500, false)]
        {
            let (sku, name) = (Sku::parse(sku).unwrap(), Label::parse(sku).unwrap());
            let unit_price = gbp(price);
            world.order(RegisterProduct { sku: sku.clone(), name, unit_price, stocked });
            if stocked {
                world.order(ReceiveStock {
                    sku,
                    quantity: Quantity::new(OPENING).unwrap(),
                    reason: None,
                });
            }
        }
        world
    }

    /// Places the order: 6 mugs, 2 lamps, 3 mugs more, and postage.
    pub(crate) fn place(&mut self, method: &str) {
        self.place_lines(method, &[("MUG", 6), ("LAMP", 2), ("MUG", 3), ("POST", 1)]);
    }

    pub(crate) fn place_lines(&mut self, method: &str, lines: &[(&str, u32)]) {
        self.order(PlaceOrder(new_order(method, lines)));
    }

    /// Places the same out of a cart whose first line was taken out: its lines are 2 to 5.
    pub(crate) fn place_from_a_cart(&mut self, method: &str) {
        let lines = [("LAMP", 9), ("MUG", 6), ("LAMP", 2), ("MUG", 3), ("POST", 1)];
        self.order(CreateDraft(new_order(method, &lines)));
        self.order(RemoveLine { order_id: order_id(), line: 1 });
        self.order(PlaceDraft { order_id: order_id(), reason: None });
    }

    /// A person's command; must be accepted.
    #[track_caller]
    pub(crate) fn order(&mut self, command: impl Into<Command>) {
        self.try_order(command).unwrap();
    }

    /// A person's command, which may be refused or have to wait.
    pub(crate) fn try_order(&mut self, command: impl Into<Command>) -> Result<(), Halt> {
        let command = command.into();
        let events = self.decide(&command)?;
        self.append(events, &format!("person/{}", self.log.len()));
        Ok(())
    }

    #[track_caller]
    pub(crate) fn ship(&mut self, n: u32, part: Option<&[(u32, u32)]>) {
        self.try_ship(n, part).unwrap();
    }

    pub(crate) fn try_ship(&mut self, n: u32, part: Option<&[(u32, u32)]>) -> Result<(), Halt> {
        self.try_order(MarkShipped {
            shipment_id: shipment(n),
            carrier: Label::parse("Post").unwrap(),
            tracking: Label::parse(&format!("T{n}")).unwrap(),
            lines: part.map(lines),
        })
    }

    pub(crate) fn deliver(&mut self, n: u32) -> Result<(), Halt> {
        self.try_order(MarkDelivered { shipment_id: shipment(n) })
    }

    fn decide(&mut self, command: &Command) -> Result<Vec<Event>, Halt> {
        let context = Context { now: self.now };
        loop {
            match command.decide(&View::new(&self.states), &context) {
                Err(Halt::Missing(stream)) => {
                    let state = State::absent(&stream);
                    self.states.insert(stream, Entry { version: 0, state });
                }
                decided => return decided,
            }
        }
    }

    /// Appends the events and feeds them to the sagas, as they come back from storage.
    fn append(&mut self, events: Vec<Event>, command_id: &str) {
        for event in events {
            let stream = event.stream();
            let entry = self.states.remove(&stream);
            let (version, state) = entry
                .map_or_else(|| (0, State::absent(&stream)), |entry| (entry.version, entry.state));
            let state = state.evolve(&event);
            self.states.insert(stream, Entry { version: version + 1, state });
            self.assert_conserved();
            self.log.push((event.clone(), command_id.to_owned()));
            self.recorded.push(self.now);
            let position = self.log.len();
            self.feed(position, &event, command_id);
            if self.stutters {
                let before = self.queue.len();
                self.feed(position, &event, command_id);
                assert_eq!(self.queue.len(), before, "{event:?} had an effect twice");
            }
        }
    }

    fn feed(&mut self, position: usize, event: &Event, command_id: &str) {
        let recorded_at = self.recorded[position - 1];
        let context = EventContext {
            position: position as u64,
            recorded_at,
            occurred_at: recorded_at,
            command_id,
        };
        for saga in self.sagas.values_mut() {
            let stored = serde_json::to_string(saga).unwrap();
            let mut read: Saga = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, *saga, "a saga is what its stored text says");
            let sends = read.on_event(event, &context, &self.timeouts);
            *saga = read;
            self.queue.extend(sends);
        }
        let siblings: Vec<Saga> = self.sagas.values().cloned().collect();
        if let Some((saga, sends)) = Saga::start(event, &context, &self.timeouts, &siblings) {
            self.sagas.insert(saga.status.id.clone(), saga);
            self.queue.extend(sends);
        }
    }

    /// Keeps the sagas as they are, with what they wait for.
    pub(crate) fn back_up_sagas(&mut self) {
        self.backup = (self.log.len(), self.sagas.clone(), self.queue.clone());
    }

    /// The sagas are put back as they were at the last backup, or are lost, and read the log from there: what time and
    /// operators made them ask for since is forgotten. What was answered is not sent again, as in the orchestrator.
    pub(crate) fn restore_sagas(&mut self) {
        let (log, (seen, sagas, waiting)) = (self.log.clone(), self.backup.clone());
        self.sagas = sagas;
        self.queue.clear();
        let mut asked: Vec<_> = waiting.into_iter().map(|outgoing| (seen, outgoing)).collect();
        for (at, (event, command_id)) in log.iter().enumerate().skip(seen) {
            self.feed(at + 1, event, command_id);
            asked.extend(self.queue.drain(..).map(|outgoing| (at + 1, outgoing)));
        }
        for (seen, outgoing) in asked {
            let id = outgoing.command_id();
            match log.iter().rposition(|(_, command_id)| *command_id == id) {
                Some(answer) => assert!(answer >= seen, "{id} is asked for after its answer"),
                None => self.queue.push(outgoing),
            }
        }
    }

    /// Handles commands until none can go on, oldest first.
    pub(crate) fn run(&mut self) {
        self.run_choosing(|_| 0);
    }

    /// Handles commands until none can go on; `choose` picks the next among so many.
    pub(crate) fn run_choosing(&mut self, mut choose: impl FnMut(usize) -> usize) {
        let mut waited = 0;
        while !self.queue.is_empty() && waited <= self.queue.len() {
            let at = choose(self.queue.len()).min(self.queue.len() - 1);
            let next = self.queue.remove(at);
            if self.handle(&next) {
                waited = 0;
            } else {
                self.queue.push(next);
                waited += 1;
            }
        }
    }

    /// Handles the oldest command.
    pub(crate) fn run_one(&mut self) {
        let next = self.queue.remove(0);
        if !self.handle(&next) {
            self.queue.push(next);
        }
    }

    /// The oldest command is refused with this code.
    pub(crate) fn refuse_next(&mut self, code: &str) {
        let next = self.queue.remove(0);
        let id = next.command_id();
        self.sent.push(id.clone());
        self.end(&next, CommandEnd::Refused { code: Reason::parse(code).unwrap() });
        self.ended.insert(id);
    }

    /// Nobody understands the oldest command: it is parked.
    pub(crate) fn park_next(&mut self) -> Outgoing {
        let next = self.queue.remove(0);
        self.end(&next, CommandEnd::Parked { cause: Reason::parse("unknown").unwrap() });
        self.ended.insert(next.command_id());
        next
    }

    /// A parked command is carried out after all, under an id below its own.
    pub(crate) fn replay(&mut self, parked: &Outgoing) {
        let id = format!("{}/replay", parked.command_id());
        let events = self.decide(&parked.command).unwrap();
        self.append(events, &id);
        if let Stream::Payment(payment_id) = parked.command.target() {
            self.ask_provider(&payment_id, &id);
        }
    }

    fn end(&mut self, outgoing: &Outgoing, end: CommandEnd) {
        let (command, command_id) = (outgoing.command.name().to_owned(), outgoing.command_id());
        let record =
            RecordCommandEnd { order_id: order_id(), command_id: command_id.clone(), command, end };
        let events = self.decide(&record.into()).unwrap();
        self.append(events, &command_id);
    }

    /// Lets time pass until sagas act by themselves no more, at most this long.
    pub(crate) fn wait(&mut self, at_most: Duration) {
        let end = self.now + at_most;
        loop {
            self.run();
            let wakes = self.sagas.values().filter_map(|saga| saga.status.wake_at);
            let Some(next) = wakes.min().filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            for saga in self.sagas.values_mut() {
                let sends = saga.on_time(self.now, &self.timeouts);
                self.queue.extend(sends);
            }
        }
        self.now = end;
    }

    /// True when the command came to an end.
    fn handle(&mut self, outgoing: &Outgoing) -> bool {
        let id = outgoing.command_id();
        if !self.ended.contains(&id) && !self.sent.contains(&id) {
            self.sent.push(id.clone());
        }
        let refused =
            self.refuse.as_deref() == Some(outgoing.step.as_str()) && outgoing.attempt == 1;
        if refused {
            self.end(outgoing, CommandEnd::Refused { code: Reason::parse("test").unwrap() });
            return self.ended.insert(id);
        }
        match self.decide(&outgoing.command) {
            Err(Halt::Busy) => return false,
            Err(Halt::Missing(_)) => unreachable!("decide loads what is missing"),
            Err(Halt::Refused(refusal)) => {
                let code = Reason::parse(refusal.code()).unwrap();
                self.end(outgoing, CommandEnd::Refused { code });
            }
            Ok(events) if events.is_empty() => self.end(outgoing, CommandEnd::Unneeded),
            Ok(events) => {
                self.append(events, &id);
                if let Stream::Payment(payment_id) = outgoing.command.target() {
                    self.ask_provider(&payment_id, &id);
                }
            }
        }
        assert!(self.ended.insert(id), "a command ends once");
        true
    }

    fn ask_provider(&mut self, payment_id: &PaymentId, command_id: &str) {
        let payment = self.payment(payment_id);
        let Some(open) = payment.open_operation().cloned() else { return };
        let method = payment.method().unwrap().as_str().to_owned();
        let refused = |code: &str, retriable| ProviderOutcome::Refused {
            code: Reason::parse(code).unwrap(),
            retriable,
        };
        let held = ProviderOutcome::Authorized {
            expires_at: self.now + Duration::days(7),
            multi_capture: method != "pm_captured_once",
            reference: None,
        };
        let outcome = match (open.operation, method.as_str()) {
            (Operation::Authorize, "pm_declined") => refused("card_declined", false),
            (Operation::Authorize, "pm_differs") => {
                self.probes.insert(payment_id.clone(), (command_id.to_owned(), open.attempt));
                ProviderOutcome::Differs { found: open.amount.checked_add(open.amount).unwrap() }
            }
            (Operation::Authorize, "pm_timeout_then_ok" | "pm_timeout_then_nothing") => {
                self.probes.insert(payment_id.clone(), (command_id.to_owned(), open.attempt));
                ProviderOutcome::Unknown
            }
            (Operation::Authorize, "pm_not_renewed") if *payment_id != self::payment_id() => {
                refused("card_declined", false)
            }
            (Operation::Authorize, _) => held,
            (Operation::Capture, "pm_capture_fails_twice") if self.captures_failed < 2 => {
                self.captures_failed += 1;
                refused("try_again", true)
            }
            (Operation::Capture, "pm_capture_refused" | "pm_nothing_works") => {
                refused("capture_refused", false)
            }
            (Operation::Void, "pm_nothing_works") => refused("void_refused", false),
            (Operation::Refund, "pm_refund_fails") => refused("refund_failed", false),
            (Operation::Capture | Operation::Void | Operation::Refund, _) => ProviderOutcome::Done,
        };
        self.record(payment_id, command_id, open.operation, open.attempt, outcome);
    }

    fn record(
        &mut self,
        payment_id: &PaymentId,
        command_id: &str,
        operation: Operation,
        attempt: u32,
        outcome: ProviderOutcome,
    ) {
        let (payment_id, order_id) = (payment_id.clone(), order_id());
        let record = RecordPaymentOutcome { payment_id, order_id, operation, attempt, outcome };
        let events = self.decide(&record.into()).unwrap();
        self.append(events, &format!("{command_id}/outcome"));
    }

    /// An operator settled by hand what the saga can't get done.
    pub(crate) fn resolve(
        &mut self,
        saga: &SagaId,
        settlement: Settlement,
    ) -> Result<(), SagaActionError> {
        let reason = Reason::parse("paid in cash").unwrap();
        let by_hand = ByHand { settlement, reason, occurred_at: self.now };
        let saga = self.sagas.get_mut(saga).unwrap();
        self.queue.extend(saga.resolve(&by_hand, self.now, &self.timeouts)?);
        Ok(())
    }

    /// An operator wants the next attempt made now.
    pub(crate) fn retry(&mut self, saga: &SagaId) -> Result<(), SagaActionError> {
        let saga = self.sagas.get_mut(saga).unwrap();
        self.queue.extend(saga.retry(self.now, &self.timeouts)?);
        Ok(())
    }

    /// The provider tells what became of an authorization that timed out.
    pub(crate) fn probe(&mut self) {
        for (payment_id, (command_id, attempt)) in std::mem::take(&mut self.probes) {
            let method = self.payment(&payment_id).method().unwrap().as_str().to_owned();
            let outcome = if method == "pm_timeout_then_ok" {
                let expires_at = self.now + Duration::days(7);
                ProviderOutcome::Authorized { expires_at, multi_capture: true, reference: None }
            } else {
                ProviderOutcome::NeverDone
            };
            self.record(&payment_id, &command_id, Operation::Authorize, attempt, outcome);
        }
    }

    pub(crate) fn view<T>(&self, read: impl FnOnce(&View<'_>) -> Result<T, Halt>) -> Option<T> {
        read(&View::new(&self.states)).ok()
    }

    pub(crate) fn payment(&self, payment_id: &PaymentId) -> Payment {
        self.view(|view| view.payment(payment_id).cloned()).unwrap_or_default()
    }

    pub(crate) fn shipment(&self, n: u32) -> Shipment {
        self.view(|view| view.shipment(&shipment(n)).cloned()).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> OrderStatus {
        self.view(|view| Ok(view.order(&order_id())?.status())).flatten().unwrap()
    }

    pub(crate) fn state_of(&self, saga: &SagaId) -> SagaState {
        self.sagas[saga].status.state
    }

    /// Available and reserved units of a SKU.
    pub(crate) fn stock(&self, sku: &str) -> (i64, i64) {
        let sku = Sku::parse(sku).unwrap();
        self.view(|view| view.stock(&sku).map(|stock| (stock.available(), stock.reserved())))
            .unwrap()
    }

    /// The names of the steps that were sent, in order.
    pub(crate) fn steps(&self) -> Vec<&str> {
        self.sent.iter().map(|id| id.split_once('/').unwrap().1).collect()
    }

    /// Laws 2 and 3: money and stock add up, whatever happened.
    #[track_caller]
    pub(crate) fn assert_conserved(&self) {
        for n in 1.. {
            let payment = self.payment(&PaymentId::nth(&order_id(), n));
            if payment.order_id().is_none() {
                break;
            }
            assert!(payment.uncaptured() >= 0, "payment {n} gave more than it held");
            assert!(payment.captured() >= payment.refunded(), "payment {n} gave back too much");
        }
        for sku in ["MUG", "LAMP"] {
            if !self.states.contains_key(&Stream::Stock(Sku::parse(sku).unwrap())) {
                continue;
            }
            let (available, reserved) = self.stock(sku);
            assert!(available >= 0 && reserved >= 0, "{sku}: {available} {reserved}");
            let balanced = self.view(|view| {
                view.stock(&Sku::parse(sku).unwrap()).map(domain::inventory::Stock::is_balanced)
            });
            assert_eq!(balanced, Some(true), "{sku}");
        }
    }

    /// Nothing is held any more: neither stock nor money.
    #[track_caller]
    pub(crate) fn assert_nothing_held(&self) {
        self.assert_conserved();
        for n in 1..10 {
            let payment = self.payment(&PaymentId::nth(&order_id(), n));
            assert_eq!(payment.uncaptured(), 0, "of payment {n}");
        }
        assert_eq!((self.stock("MUG").1, self.stock("LAMP").1), (0, 0));
    }
}

/// The refusal's code, for tests of commands that people send.
pub(crate) fn code(outcome: Result<(), Halt>) -> &'static str {
    match outcome {
        Err(Halt::Refused(refusal)) => Refusal::code(&refusal),
        other => panic!("not a refusal: {other:?}"),
    }
}
