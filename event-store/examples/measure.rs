//! How fast the SQLite log appends, loads and reads on this machine: numbers to look at, not a test.
//!
//! `cargo run --release -p event-store --example measure [FOLDER]`; the folder decides which disk is measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::DateTime;
use event_store::sqlite::SqliteLog;
use event_store::{
    AnswerToKeep, AppendTransaction, EventLog, LoadRequest, Metadata, NewEvent, StreamId,
};

type Failure = Box<dyn std::error::Error>;

const BATCHES: u64 = 2_000;
const BATCH: u64 = 64;
const PAGE: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let log = SqliteLog::open(&folder.path().join("log.db")).await?;
    appends(&log).await?;
    single_appends(&log).await?;
    loads(&log).await?;
    reads(&log).await?;
    log.close().await;
    Ok(())
}

fn transaction(number: u64) -> AppendTransaction {
    let id: Arc<str> = format!("0193a5f0-0000-7000-8000-{number:012}/place").into();
    let stream: StreamId = format!("order-0193a5f0-{number:012}").into();
    let event = NewEvent {
        stream: Arc::clone(&stream),
        event_type: "OrderPlaced".into(),
        schema_version: 1,
        payload: format!(
            r#"{{"order_id":"{number}","currency":"GBP","lines":[{{"line":1,"sku":"85123A","quantity":6,"unit_price":{{"amount":255,"currency":"GBP"}}}}],"payment_method":"card","shipping_address":{{"country":"United Kingdom"}}}}"#
        ),
    };
    AppendTransaction {
        command_id: Arc::clone(&id),
        request_hash: [7; 32],
        reads: vec![(Arc::clone(&stream), 0)],
        events: vec![event],
        metadata: Arc::new(Metadata {
            command_id: Arc::clone(&id),
            actor: "shop".into(),
            correlation_id: id,
            causation_id: None,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            occurred_at: DateTime::UNIX_EPOCH,
        }),
        answer: Some(AnswerToKeep {
            status: 201,
            body: format!(r#"{{"id":"{number}","status":"placed"}}"#),
            target: stream,
        }),
        intents: vec![],
    }
}

async fn appends(log: &SqliteLog) -> Result<(), Failure> {
    let mut times = Vec::new();
    for batch in 0..BATCHES {
        let batch = (0..BATCH).map(|number| transaction(batch * BATCH + number)).collect();
        let begun = Instant::now();
        log.append(batch).await?;
        times.push(begun.elapsed());
    }
    report("append, 64 transactions of one event", &mut times, BATCH);
    Ok(())
}

async fn single_appends(log: &SqliteLog) -> Result<(), Failure> {
    let mut times = Vec::new();
    for number in 0..500 {
        let batch = vec![transaction(BATCHES * BATCH + number)];
        let begun = Instant::now();
        log.append(batch).await?;
        times.push(begun.elapsed());
    }
    report("append, 1 transaction", &mut times, 1);
    Ok(())
}

async fn loads(log: &SqliteLog) -> Result<(), Failure> {
    let mut times = Vec::new();
    for round in 0..500 {
        let drafts: Vec<AppendTransaction> =
            (0..BATCH).map(|number| transaction(round * 100 + number)).collect();
        let request = LoadRequest {
            commands: drafts.iter().map(|draft| Arc::clone(&draft.command_id)).collect(),
            streams: drafts.iter().map(|draft| Arc::clone(&draft.reads[0].0)).collect(),
            schema_hash: 0,
        };
        let begun = Instant::now();
        log.load(request).await?;
        times.push(begun.elapsed());
    }
    report("load, 64 commands and streams", &mut times, BATCH);
    Ok(())
}

async fn reads(log: &SqliteLog) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut after = 0;
    loop {
        let begun = Instant::now();
        let page = log.read_all(after, PAGE).await?;
        times.push(begun.elapsed());
        let Some(last) = page.last() else { break };
        after = last.position;
    }
    report("read the log, 1,000 events a page", &mut times, PAGE as u64);
    Ok(())
}

fn report(what: &str, times: &mut [Duration], items: u64) {
    times.sort_unstable();
    let total: Duration = times.iter().sum();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    let nanos = total.as_nanos() / u128::from(items) / times.len() as u128;
    let rate = 1_000_000_000 / nanos.max(1);
    println!("{what:40} p50 {:>9.3?}  p99 {:>9.3?}  {rate:>9} items/s", at(50), at(99));
}
