//! What a command costs on a long history against hardly any, by turns: what disturbs one disturbs the other.

mod whole;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use command_service::processor::{
    Answer, Processor, ProcessorHandle, ProcessorSettings, Request, WithoutEffect,
};
use domain::command::Command;
use domain::ids::{CustomerId, OrderId, Sku};
use domain::inventory::ReceiveStock;
use domain::money::Currency;
use domain::orders::{NewOrder, PlaceOrder, ShippingAddress, WantedLine};
use domain::text::{Country, PaymentMethod, Quantity};
use event_store::postgres::PostgresLog;
use event_store::sqlite::SqliteLog;
use event_store::{EventLog, Metadata};
use hdrhistogram::Histogram;

use crate::clients::{Done, Load};
use crate::history::{BUSY_CUSTOMER, Size, Templates, customer, fill, sku};
use crate::platform::Process;
use crate::row::{self, Row};
use crate::servers;

/// Products, and customers.
const MANY: u64 = 10_000;
/// Orders of the history that is hardly any.
const FEW: u64 = 1_000;
/// Commands of one client, of each kind and on each side.
const SINGLE: u64 = 2_000;
const CLIENTS: u32 = 64;
/// Turns of a load of many clients, each so many seconds.
const TURNS: u64 = 4;
const SECONDS: u64 = 2;

/// A log with a processor.
struct Side {
    processor: Processor,
    log: Arc<dyn EventLog>,
    events: u64,
    opened_in: Duration,
}

/// Everything, as rows.
pub(crate) async fn rows(orders: u64, on_postgres: bool, log_only: bool) -> Result<Vec<Row>> {
    let with_platform = !on_postgres && !log_only;
    let mut folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    if with_platform {
        let [long, short] = folders;
        folders = [whole::founded(long).await?, whole::founded(short).await?];
    }
    let server = if on_postgres { Some(servers::postgres(&["long", "short"])?) } else { None };
    let templates = Templates::make().await?;
    let mut sides = Vec::new();
    for ((folder, name), orders) in folders.iter().zip(["long", "short"]).zip([orders, FEW]) {
        let place = server.as_ref().map(|server| server.url(name));
        sides.push(Side::fill(folder.path(), place.as_deref(), &templates, orders).await?);
    }
    let [long, short] = <[Side; 2]>::try_from(sides).ok().context("two sides")?;
    #[expect(clippy::cast_precision_loss, reason = "a count of events")]
    let events = long.events as f64;
    let mut rows = vec![Row::figure("events in the long log", events, "events")];
    rows.extend(compared("opening the log", [long.opened_in, short.opened_in].map(once)));
    rows.extend(by_turns(&long, &short).await?);
    rows.extend(at_once(&long, &short).await?);
    rows.push(Row::figure("this process, at most", memory_mb()?, "MB"));
    for side in [long, short] {
        side.processor.shutdown().await;
        drop(side.log);
    }
    if with_platform {
        rows.extend(whole::rows(folders).await?);
    }
    Ok(rows)
}

impl Side {
    async fn fill(
        folder: &Path,
        postgres: Option<&str>,
        templates: &Templates,
        orders: u64,
    ) -> Result<Self> {
        let size = Size { orders, skus: MANY, customers: MANY };
        let begun = Instant::now();
        let log = open(folder, postgres).await?;
        let events = fill(&*log, templates, size).await?;
        eprintln!("{events} events in {:.0} s", begun.elapsed().as_secs_f64());
        drop(log);
        let begun = Instant::now();
        let log = open(folder, postgres).await?;
        let opened_in = begun.elapsed();
        // No saga begins what is placed here.
        let settings = ProcessorSettings { orders: None, ..ProcessorSettings::default() };
        let clock = service_kit::clock::system();
        let processor = Processor::start(Arc::clone(&log), clock, settings, Vec::new());
        Ok(Self { processor, log, events, opened_in })
    }
}

async fn open(folder: &Path, postgres: Option<&str>) -> Result<Arc<dyn EventLog>> {
    Ok(match postgres {
        None => Arc::new(SqliteLog::open(&folder.join("log.db")).await?),
        Some(url) => {
            PostgresLog::migrate(url, None).await?;
            let log = PostgresLog::open(url).await?;
            log.take_over().await?;
            Arc::new(log)
        }
    })
}

fn memory_mb() -> Result<f64> {
    Process::server("this", std::process::id()).memory_mb()
}

fn once(time: Duration) -> Histogram<u64> {
    row::histogram(&[time])
}

/// A command by number: a further unit of one of many products, or an order.
type Kind = fn(u64) -> Result<Command>;

fn receiving(number: u64) -> Result<Command> {
    let sku = Sku::parse(&sku(number.wrapping_mul(7_919) % MANY))?;
    Ok(ReceiveStock { sku, quantity: Quantity::new(1).context("one")?, reason: None }.into())
}

fn of_anybody(number: u64) -> Result<Command> {
    order(number, number.wrapping_mul(31) % MANY)
}

fn of_the_busy(number: u64) -> Result<Command> {
    order(number, BUSY_CUSTOMER)
}

fn order(number: u64, of: u64) -> Result<Command> {
    let quantity = Quantity::new(1).context("one")?;
    let sku = Sku::parse(&sku(number.wrapping_mul(7_919) % MANY))?;
    Ok(PlaceOrder(NewOrder {
        order_id: OrderId::parse(&format!("new-{of}-{number:012}"))?,
        customer_id: Some(CustomerId::parse(&customer(of))?),
        currency: Currency::parse("GBP")?,
        lines: vec![WantedLine { sku, quantity, unit_price: None }],
        payment_method: PaymentMethod::parse("pm_ok")?,
        shipping_address: ShippingAddress { country: Country::parse("France")?, details: None },
        reference: None,
    })
    .into())
}

/// Keys are as clients draw them: anywhere in the index.
fn request(kind: Kind, of: u64, number: u64) -> Result<Request> {
    let drawn =
        (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ of.wrapping_mul(0xD1B5_4A32_D192_ED03);
    let command_id: Arc<str> = format!("client/{drawn:016x}-{of}-{number}").into();
    Ok(Request {
        command_id: Arc::clone(&command_id),
        request_hash: [7; 32],
        command: kind(number)?,
        expected: None,
        metadata: Arc::new(Metadata {
            correlation_id: Arc::clone(&command_id),
            command_id,
            actor: "client".into(),
            causation_id: None,
            traceparent: None,
            occurred_at: (service_kit::clock::system())(),
        }),
        answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
        without_effect: WithoutEffect::Answer,
    })
}

async fn execute(handle: &ProcessorHandle, kind: Kind, of: u64, number: u64) -> Result<()> {
    handle.execute(request(kind, of, number)?).await?;
    Ok(())
}

/// One client.
async fn by_turns(long: &Side, short: &Side) -> Result<Vec<Row>> {
    let (long, short) = (long.processor.handle(), short.processor.handle());
    let mut rows = Vec::new();
    // The first reads what happened to its product since the last snapshot, which on the long log is more; the second has its state.
    let kinds: [(&str, Kind, u64); 3] = [
        ("receive, one client, the first of its product since the start", receiving, 1),
        ("receive, one client, the second", receiving, 5),
        ("order, one client", of_anybody, 2),
    ];
    for (what, kind, of) in kinds {
        let mut times = [row::empty(), row::empty()];
        for number in 0..SINGLE {
            for (handle, times) in [&long, &short].into_iter().zip(&mut times) {
                let begun = Instant::now();
                execute(handle, kind, of, number).await?;
                row::record(times, begun.elapsed());
            }
        }
        rows.extend(compared(what, times));
    }
    let mut times = [row::empty(), row::empty()];
    for number in 0..SINGLE {
        let of: [(Kind, u64); 2] = [(of_the_busy, 3), (of_anybody, 4)];
        for ((kind, of), times) in of.into_iter().zip(&mut times) {
            let begun = Instant::now();
            execute(&long, kind, of, SINGLE + number).await?;
            row::record(times, begun.elapsed());
        }
    }
    rows.extend(compared("order of a customer of very many against one of few", times));
    Ok(rows)
}

/// Many clients.
async fn at_once(long: &Side, short: &Side) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let kinds: [(&str, Kind, u64); 2] = [("receive", receiving, 100), ("order", of_anybody, 200)];
    for (what, kind, of) in kinds {
        let mut rates = [0.0; 2];
        let mut times = [row::empty(), row::empty()];
        for turn in 0..TURNS {
            for (side, (rate, times)) in
                [long, short].into_iter().zip(rates.iter_mut().zip(&mut times))
            {
                let handle = side.processor.handle();
                let act = move |client: u32, number: u64| {
                    let handle = handle.clone();
                    // Every client and turn has numbers of its own; the one client before had those below a million.
                    let number =
                        (1 + turn * u64::from(CLIENTS) + u64::from(client)) * 1_000_000 + number;
                    async move {
                        execute(&handle, kind, of, number).await?;
                        Ok(Done::Yes)
                    }
                };
                let outcome = Load::of(CLIENTS, SECONDS).closed(act).await?;
                *rate += outcome.per_second;
                times.add(outcome.latency_us)?;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a few turns")]
        let [on_long, on_short] = rates.map(|rate| rate / TURNS as f64);
        let [long_us, short_us] = times;
        let name = format!("{what}, {CLIENTS} clients");
        rows.push(Row::figure(&format!("{name}, long"), on_long, "/s").with(&long_us));
        rows.push(Row::figure(&format!("{name}, short"), on_short, "/s").with(&short_us));
        rows.push(Row::figure(&format!("{name}: long / short"), on_long / on_short, "x the rate"));
    }
    Ok(rows)
}

fn compared(what: &str, [long, short]: [Histogram<u64>; 2]) -> Vec<Row> {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of one command")]
    let ratio = long.value_at_quantile(0.5) as f64 / short.value_at_quantile(0.5) as f64;
    vec![
        Row::latency(&format!("{what}, long"), &long),
        Row::latency(&format!("{what}, short"), &short),
        Row::figure(&format!("{what}: long / short"), ratio, "x the time"),
    ]
}
