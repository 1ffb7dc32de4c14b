//! The rows of the library.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use command_service::processor::{ExecuteError, Processor, ProcessorHandle, ProcessorSettings};
use domain::event::Event;
use domain::ids::Sku;
use event_store::{EventLog, Position};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use service_kit::clock::{self, Clock};

use super::backend::Backend;
use super::{loaded, stocks};
use crate::clients::{Done, Load};
use crate::harness::{Measurement, numbered};
use crate::limits;
use crate::row;
use crate::subjects::{Asked, LENGTHS};

/// What everybody has before: so many streams of so many events.
const STREAMS: u32 = 10_000;
const LENGTH: u32 = 5;
/// Streams of a row about long ones.
const LONG_STREAMS: usize = 4;

/// Measures one row of the processor over this log.
pub(crate) async fn measure(backend: Backend, asked: &Asked) -> Result<Vec<Measurement>> {
    if asked.row.starts_with("read-all") {
        return read_all(backend, asked).await;
    }
    if asked.row == LENGTHS {
        return by_length(backend, asked, &[1, 10_000]).await;
    }
    match numbered(&asked.row) {
        Some(("command", clients)) => commands(backend, asked, clients, STREAMS).await,
        Some(("hot", clients)) => commands(backend, asked, clients, 1).await,
        Some(("length", length)) => by_length(backend, asked, &[length]).await,
        _ => bail!("the library has no row {}", asked.row),
    }
}

/// Clients that correct stocks: as many streams as there are, or few.
async fn commands(
    backend: Backend,
    asked: &Asked,
    clients: u32,
    streams: u32,
) -> Result<Vec<Measurement>> {
    let clock = clock::system();
    let opened =
        loaded::open(backend, &asked.postgres, &vec![LENGTH; STREAMS as usize], &clock).await?;
    let processor = start(&opened.log, &clock);
    let handle = processor.handle();
    let cold = visit_all(&handle, streams, &clock).await?;
    let load = Load::of(clients, asked.seconds);
    let outcome = load.closed(corrections(&handle, load, streams, &clock, "c")?).await?;
    let mut measured = vec![outcome.measured(&asked.subject, &asked.row, clients)?];
    if asked.row == "command-64" {
        let cold = row::number(row::per_second(u64::from(streams), cold));
        measured[0].note =
            Some(format!("{cold}/s on the first visit of a stream, before its state is in memory"));
        // One that waits must not keep the next from being sent when it is due.
        let load = Load::of(4 * clients, asked.seconds);
        let half = corrections(&handle, load, streams, &clock, "h")?;
        let outcome = load.open(outcome.per_second / 2.0, half).await?;
        measured.push(outcome.measured(&asked.subject, "command-half", 4 * clients)?);
    }
    processor.shutdown().await;
    opened.close().await?;
    Ok(measured)
}

/// Every stream once, as many at a time as the queue takes easily.
async fn visit_all(handle: &ProcessorHandle, streams: u32, clock: &Clock) -> Result<Duration> {
    let begun = Instant::now();
    futures::stream::iter(0..streams)
        .map(|number| async move {
            correct(handle, &stocks::sku(number)?, &format!("v/{number}"), clock).await
        })
        .buffer_unordered(64)
        .try_for_each(|_| std::future::ready(Ok(())))
        .await?;
    Ok(begun.elapsed())
}

/// One client, by turns on streams of these lengths: what disturbs one disturbs the other.
async fn by_length(backend: Backend, asked: &Asked, lengths: &[u32]) -> Result<Vec<Measurement>> {
    let clock = clock::system();
    let all: Vec<u32> = lengths.iter().flat_map(|length| [*length; LONG_STREAMS]).collect();
    let opened = loaded::open(backend, &asked.postgres, &all, &clock).await?;
    let processor = start(&opened.log, &clock);
    let handle = processor.handle();
    let skus = (0..).take(all.len()).map(stocks::sku).collect::<Result<Vec<Sku>>>()?;
    let mut seen: Vec<_> = lengths.iter().map(|_| (Duration::ZERO, row::empty())).collect();
    for (which, (first, _)) in seen.iter_mut().enumerate() {
        let begun = Instant::now();
        let name = format!("first/{which}");
        correct(&handle, &skus[which * LONG_STREAMS], &name, &clock).await?;
        *first = begun.elapsed();
    }
    let Load { warm_up, duration, .. } = Load::of(1, asked.seconds);
    let from = Instant::now() + warm_up;
    for number in 0_usize.. {
        let (which, turn) = (number % lengths.len(), number / lengths.len());
        let sku = &skus[which * LONG_STREAMS + turn % LONG_STREAMS];
        let sent = Instant::now();
        correct(&handle, sku, &format!("c/{number}"), &clock).await?;
        if sent >= from {
            row::record(&mut seen[which].1, sent.elapsed());
        }
        if sent >= from + duration {
            break;
        }
    }
    processor.shutdown().await;
    opened.close().await?;
    let told = lengths.iter().zip(seen).map(|(length, (first, us))| {
        let ms = first.as_secs_f64() * 1_000.0;
        let note = format!("{ms:.2} ms for the first after a start, which loads the stream");
        Measurement::of(&asked.subject, &format!("length-{length}"))
            .clients(1)
            .latency(&us)
            .note(note)
    });
    Ok(told.collect())
}

/// What a client does, over and over; `of` holds one load's commands apart from another's.
fn corrections(
    handle: &ProcessorHandle,
    load: Load,
    streams: u32,
    clock: &Clock,
    of: &'static str,
) -> Result<impl Fn(u32, u64) -> BoxFuture<'static, Result<Done>> + use<>> {
    let (handle, clock) = (handle.clone(), Arc::clone(clock));
    let skus = (0..streams).map(stocks::sku).collect::<Result<Arc<[Sku]>>>()?;
    Ok(move |client, number| {
        let (handle, skus, clock) = (handle.clone(), Arc::clone(&skus), Arc::clone(&clock));
        async move {
            let place = place(client, load.clients, number, streams);
            correct(&handle, &skus[place], &format!("{of}/{client}/{number}"), &clock).await
        }
        .boxed()
    })
}

fn start(log: &Arc<dyn EventLog>, clock: &Clock) -> Processor {
    let settings = ProcessorSettings::default();
    Processor::start(Arc::clone(log), Arc::clone(clock), settings, Vec::new())
}

/// Where a client goes next: through all streams that no other goes to, in an order without a pattern.
fn place(client: u32, clients: u32, number: u64, streams: u32) -> usize {
    const STRIDE: u64 = 7_919;
    let each = u64::from(streams / clients).max(1);
    let place = u64::from(client) + u64::from(clients) * (number * STRIDE % each);
    usize::try_from(place % u64::from(streams)).unwrap_or_default()
}

async fn correct(handle: &ProcessorHandle, sku: &Sku, name: &str, clock: &Clock) -> Result<Done> {
    match handle.execute(stocks::correction(sku, name, clock)?).await {
        Ok(_) => Ok(Done::Yes),
        Err(ExecuteError::Busy) => Ok(Done::Conflict),
        Err(error) => Err(error).context("a correction did not pass"),
    }
}

/// The whole log in order, as its readers get it, every payload decoded; and plain reads of the same rows, by turns.
async fn read_all(backend: Backend, asked: &Asked) -> Result<Vec<Measurement>> {
    let clock = clock::system();
    let lengths = vec![LENGTH; (asked.log_events / (LENGTH + 1)) as usize];
    let opened = loaded::open(backend, &asked.postgres, &lengths, &clock).await?;
    let head = *opened.log.head().borrow();
    let log = opened.reader().await?;
    let mut took: Vec<(String, Vec<Duration>)> = Vec::new();
    // The first turn fetches from disk.
    for turn in 0..=asked.seconds.max(3) {
        let own = (asked.subject.clone(), read_log(&*log, head).await?);
        let plain = limits::reads(backend, &opened.place(), head).await?;
        for (place, (subject, time)) in std::iter::once(own).chain(plain).enumerate() {
            match took.get_mut(place) {
                None => took.push((subject, Vec::new())),
                Some((_, times)) if turn > 0 => times.push(time),
                Some(_) => {}
            }
        }
    }
    drop(log);
    opened.close().await?;
    let told = took.into_iter().map(|(subject, mut times)| {
        times.sort_unstable();
        let rate = row::per_second(head, times[times.len() / 2]);
        let note = format!("median of {} reads by turns, {head} events", times.len());
        Measurement::of(&subject, &asked.row).value(rate, "events/s").note(note)
    });
    Ok(told.collect())
}

async fn read_log(log: &dyn EventLog, head: Position) -> Result<Duration> {
    let begun = Instant::now();
    let mut pages = log.read_on(0, head);
    let mut read = 0;
    while let Some(page) = pages.try_next().await? {
        for event in &page {
            let event = Event::from_json(&event.event_type, event.schema_version, &event.payload)?;
            std::hint::black_box(event);
        }
        read += page.len() as u64;
    }
    ensure!(read == head, "the log gave {read} events of {head}");
    Ok(begun.elapsed())
}

/// Prepared batches against plain inserts of the same rows.
pub(crate) async fn append_prepared(asked: &Asked) -> Result<Vec<Measurement>> {
    crate::postgres::prepared(&asked.postgres, asked.seconds).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn clients_share_the_streams_and_never_meet() {
        let of = |client| (0..156).map(move |number| place(client, 64, number, STREAMS));
        let all: BTreeSet<_> = (0..64).flat_map(of).collect();
        assert_eq!(all.len(), 64 * 156);
        assert_eq!(place(5, 64, 9, 1), 0, "one stream is everybody's");
    }
}
