//! All participants in one: it decides as the domain does and appends to a log in memory. The provider behind it answers
//! by payment method. Steps can be made to go wrong.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use domain::command::Command;
use domain::decide::{Context, Decide, Entry, Halt, State, View};
use domain::event::Event;
use domain::ids::PaymentId;
use domain::payments::{Operation, ProviderOutcome, RecordPaymentOutcome};
use domain::sagas::{CommandEnd, RecordCommandEnd};
use domain::stream::Stream;
use domain::text::Reason;
use event_store::memory::MemoryLog;
use event_store::{AnswerToKeep, AppendTransaction, EventLog, Metadata, NewEvent, Verdict};
use futures::future::BoxFuture;
use messaging::commands::{CommandHandler, CommandMessage, Handled};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::TestClock;

pub(crate) struct Shop {
    pub(crate) log: Arc<MemoryLog>,
    clock: TestClock,
    states: tokio::sync::Mutex<HashMap<Stream, Entry>>,
    /// Steps whose messages get lost: always, or once.
    lost: Mutex<HashSet<String>>,
    lost_once: Mutex<HashSet<String>>,
    /// Deliveries, by command id.
    pub(crate) deliveries: watch::Sender<HashMap<String, u32>>,
}

impl Shop {
    /// A shop that sells `mug`, of which it has 1,000.
    pub(crate) async fn open(clock: &TestClock) -> Arc<Self> {
        let shop = Arc::new(Self {
            log: Arc::new(MemoryLog::with_clock(clock.reader())),
            clock: clock.clone(),
            states: tokio::sync::Mutex::default(),
            lost: Mutex::default(),
            lost_once: Mutex::default(),
            deliveries: watch::Sender::default(),
        });
        let price = json!({ "amount": 250, "currency": "GBP" });
        let product =
            json!({ "sku": "mug", "name": "A mug", "unit_price": price, "stocked": true });
        shop.ask("product", "RegisterProduct", product).await;
        shop.ask("stock", "ReceiveStock", json!({ "sku": "mug", "quantity": 1000 })).await;
        shop
    }

    /// Places an order of so many mugs.
    pub(crate) async fn place(&self, order_id: &str, method: &str, quantity: u32) {
        let order = json!({
            "order_id": order_id,
            "currency": "GBP",
            "lines": [{ "sku": "mug", "quantity": quantity }],
            "payment_method": method,
            "shipping_address": { "country": "United Kingdom" },
        });
        self.ask(&format!("place {order_id}"), "PlaceOrder", order).await;
    }

    pub(crate) async fn ship(&self, order_id: &str) {
        let parcel = json!({ "shipment_id": format!("{order_id}-s1"), "carrier": "Royal Mail", "tracking": "RM1" });
        self.ask(&format!("ship {order_id}"), "MarkShipped", parcel).await;
    }

    pub(crate) async fn deliver(&self, order_id: &str) {
        let parcel = json!({ "shipment_id": format!("{order_id}-s1") });
        self.ask(&format!("deliver {order_id}"), "MarkDelivered", parcel).await;
    }

    pub(crate) async fn cancel(&self, order_id: &str) {
        let body = json!({ "order_id": order_id, "reason": "too late" });
        self.ask(&format!("cancel {order_id}"), "CancelOrder", body).await;
    }

    pub(crate) async fn take_back(&self, order_id: &str, quantity: u32) {
        let lines = json!([{ "line": 1, "quantity": quantity }]);
        let wanted = json!({ "order_id": order_id, "lines": lines });
        self.ask(&format!("return {order_id}"), "RequestReturn", wanted).await;
        let received = json!({
            "order_id": order_id, "return_id": format!("{order_id}-r1"), "restock": true,
        });
        self.ask(&format!("receive {order_id}"), "ReceiveReturn", received).await;
    }

    /// Messages of this step get lost from now on.
    pub(crate) fn lose(&self, step: &str) {
        self.lost.lock().unwrap().insert(step.to_owned());
    }

    pub(crate) fn lose_once(&self, step: &str) {
        self.lost_once.lock().unwrap().insert(step.to_owned());
    }

    pub(crate) fn lose_no_more(&self) {
        self.lost.lock().unwrap().clear();
    }

    /// Carries out what a client asks.
    async fn ask(&self, key: &str, name: &str, body: Value) {
        let command = serde_json::from_value(json!({ "command": name, "body": body })).unwrap();
        let done = self.decide(&key.into(), command).await;
        assert!(matches!(done, Ok(1..)), "{name}: {done:?}");
    }

    async fn decide(&self, command_id: &Arc<str>, command: Command) -> Result<usize, Halt> {
        let mut states = self.states.lock().await;
        let context = Context { now: self.clock.now() };
        let events = loop {
            match command.decide(&View::new(&*states), &context) {
                Err(Halt::Missing(stream)) => {
                    let state = State::absent(&stream);
                    states.insert(stream, Entry { version: 0, state });
                }
                decided => break decided?,
            }
        };
        self.append(&mut states, command_id, events).await
    }

    async fn append(
        &self,
        states: &mut HashMap<Stream, Entry>,
        command_id: &Arc<str>,
        events: Vec<Event>,
    ) -> Result<usize, Halt> {
        let count = events.len();
        let transaction = transaction(states, command_id, &events, self.clock.now());
        let verdicts = self.log.append(vec![transaction]).await.unwrap();
        match &verdicts[..] {
            [Verdict::Committed { .. }] => {}
            [Verdict::AlreadyApplied(_)] => return Ok(count),
            other => panic!("{command_id}: {other:?}"),
        }
        for event in &events {
            let stream = event.stream();
            let entry = states
                .entry(stream.clone())
                .or_insert_with(|| Entry { version: 0, state: State::absent(&stream) });
            let state = std::mem::replace(&mut entry.state, State::Commands).evolve(event);
            *entry = Entry { version: entry.version + 1, state };
        }
        Ok(count)
    }

    /// Asks the provider about whatever the payment has open, and records what it says.
    async fn provider(&self, command_id: &str, payment_id: PaymentId, method: &str) {
        let open = {
            let states = self.states.lock().await;
            let payment = states.get(&Stream::Payment(payment_id.clone()));
            let Some(Entry { state: State::Payment(payment), .. }) = payment else { return };
            let Some(open) = payment.open_operation() else { return };
            (open.operation, open.attempt)
        };
        let (operation, attempt) = open;
        let outcome = self.outcome(operation, method);
        let order_id = payment_id.as_str().trim_end_matches("-p1").parse().unwrap();
        let record = RecordPaymentOutcome { payment_id, order_id, operation, attempt, outcome };
        let outcome_id = format!("{command_id}/outcome").into();
        self.decide(&outcome_id, record.into()).await.unwrap();
    }

    fn outcome(&self, operation: Operation, method: &str) -> ProviderOutcome {
        let refused =
            |code| ProviderOutcome::Refused { code: Reason::code(code), retriable: false };
        match (operation, method) {
            (Operation::Authorize, "pm_declined") => refused("card_declined"),
            (Operation::Authorize, "pm_unknown") => ProviderOutcome::Unknown,
            (Operation::Authorize, _) => ProviderOutcome::Authorized {
                expires_at: self.clock.now() + chrono::TimeDelta::days(7),
                multi_capture: true,
                reference: None,
            },
            (Operation::Capture, "pm_capture_refused") => refused("capture_refused"),
            _ => ProviderOutcome::Done,
        }
    }

    async fn carry_out(&self, message: CommandMessage) {
        let command: Command = serde_json::from_str(&message.body).unwrap();
        let step = message.command_id.split('/').nth(1).unwrap().to_owned();
        let key = message.command_id.to_string();
        self.deliveries.send_modify(|all| *all.entry(key).or_default() += 1);
        let lost = self.lost.lock().unwrap().contains(&step);
        if lost || self.lost_once.lock().unwrap().remove(&step) {
            return;
        }
        let (name, order_id) = (command.name().to_owned(), order_of(&message.command_id));
        let payment = payment_of(&command);
        let end = match self.decide(&message.command_id, command).await {
            Ok(0) => CommandEnd::Unneeded,
            Ok(_) => {
                if let Some(payment_id) = payment {
                    let method = self.method(&order_id).await;
                    self.provider(&message.command_id, payment_id, &method).await;
                }
                return;
            }
            Err(Halt::Refused(refusal)) => {
                CommandEnd::Refused { code: Reason::parse(refusal.code()).unwrap() }
            }
            Err(halt) => panic!("{}: {halt:?}", message.command_id),
        };
        let end = RecordCommandEnd {
            order_id: order_id.parse().unwrap(),
            command_id: message.command_id.to_string(),
            command: name,
            end,
        };
        self.decide(&message.command_id, end.into()).await.unwrap();
    }

    async fn method(&self, order_id: &str) -> String {
        let stream = format!("order-{order_id}").into();
        let events = self.log.read_stream(&stream, 0, 1).await.unwrap();
        let placed: Value = serde_json::from_str(&events[0].payload).unwrap();
        placed["payment_method"].as_str().unwrap().to_owned()
    }
}

impl CommandHandler for Shop {
    fn handle(&self, message: CommandMessage) -> BoxFuture<'_, Handled> {
        Box::pin(async move {
            self.carry_out(message).await;
            Handled::Done
        })
    }
}

/// `order-{order}/…`, `cancellation-{order}-c1/…` or `return-{order}-r1/…`.
fn order_of(command_id: &str) -> String {
    let (kind, rest) = command_id.split('/').next().unwrap().split_once('-').unwrap();
    let order_id = if kind == "order" { rest } else { rest.rsplit_once('-').unwrap().0 };
    order_id.to_owned()
}

fn payment_of(command: &Command) -> Option<PaymentId> {
    match command {
        Command::AuthorizePayment(command) => Some(command.payment_id.clone()),
        Command::CapturePayment(command) => Some(command.payment_id.clone()),
        Command::VoidAuthorization(command) => Some(command.payment_id.clone()),
        Command::RefundPayment(command) => Some(command.payment_id.clone()),
        _ => None,
    }
}

fn transaction(
    states: &HashMap<Stream, Entry>,
    command_id: &Arc<str>,
    events: &[Event],
    now: chrono::DateTime<chrono::Utc>,
) -> AppendTransaction {
    let version = |stream: &Stream| states.get(stream).map_or(0, |entry| entry.version);
    let streams: HashSet<Stream> = events.iter().map(Event::stream).collect();
    let target = events.first().map_or_else(String::new, |event| event.stream().to_string());
    AppendTransaction {
        command_id: Arc::clone(command_id),
        request_hash: [0; 32],
        reads: streams.iter().map(|s| (s.to_string().into(), version(s))).collect(),
        events: events
            .iter()
            .map(|event| NewEvent {
                stream: event.stream().to_string().into(),
                event_type: event.event_type().into(),
                schema_version: event.schema_version(),
                payload: event.to_json().unwrap(),
            })
            .collect(),
        metadata: Arc::new(Metadata {
            command_id: Arc::clone(command_id),
            actor: "test".into(),
            correlation_id: Arc::clone(command_id),
            causation_id: None,
            traceparent: None,
            occurred_at: now,
        }),
        answer: (!events.is_empty()).then(|| AnswerToKeep {
            status: 200,
            body: "{}".to_owned(),
            target: target.into(),
        }),
        intents: Vec::new(),
    }
}
