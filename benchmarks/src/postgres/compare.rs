//! The comparison: by turns, so that a disturbance of the machine disturbs both.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use event_store::postgres::PostgresLog;
use event_store::{AppendTransaction, EventLog as _, Verdict};
use sqlx::{Connection as _, PgConnection};

use super::batches::{Orders, Rows};
use super::{Database, plain};
use crate::harness::Measurement;
use crate::row::{self, Row};
use crate::servers;
use crate::subjects::{POSTGRES, UNNEST};

/// Transactions a batch.
const SIZES: [u64; 3] = [16, 64, 256];
/// Transactions a batch beside an open snapshot.
const BESIDE: u64 = 64;
/// Batches in a row before the other one's turn.
const TURN: usize = 10;

/// Times of each way for batches of one size.
#[derive(Default)]
struct Times {
    append: Vec<Duration>,
    arrays: Vec<Duration>,
    json: Vec<Duration>,
}

/// Appends prepared batches, and inserts the same rows plainly: as arrays, and as one JSON document. Ratios are of the
/// medians.
pub(crate) async fn append(batches: usize) -> Result<Vec<Row>> {
    let server = servers::postgres(&["bench"])?;
    let url = server.url("bench");
    PostgresLog::migrate(&url, None).await?;
    let log = PostgresLog::open(&url).await?;
    log.take_over().await?;
    let mut plain = [PgConnection::connect(&url).await?, PgConnection::connect(&url).await?];
    plain::create_tables(&mut plain[0]).await?;
    let mut orders = Orders::new();
    let mut rows = Vec::new();
    for size in SIZES {
        // Statements are prepared and plans made before anything counts.
        measure(&log, &mut plain, &mut orders, size, TURN).await?;
        let times = measure(&log, &mut plain, &mut orders, size, batches).await?;
        rows.extend(told(size, times));
    }
    rows.push(beside_a_snapshot(&log, &url, &mut orders, batches).await?);
    log.close().await;
    Ok(rows)
}

/// The same as rows of the comparison, for about so many seconds: sizes of which a row speaks.
pub(crate) async fn prepared(admin: &str, seconds: u64) -> Result<Vec<Measurement>> {
    /// Batches a second, about, of either way and any size.
    const BATCHES: u64 = 100;
    let database = Database::create(admin).await?;
    PostgresLog::migrate(database.url(), None).await?;
    let log = PostgresLog::open(database.url()).await?;
    log.take_over().await?;
    let connect = || PgConnection::connect(database.url());
    let mut plain = [connect().await?, connect().await?];
    plain::create_tables(&mut plain[0]).await?;
    let mut orders = Orders::new();
    let mut measured = Vec::new();
    for size in [64, 256] {
        measure(&log, &mut plain, &mut orders, size, TURN).await?;
        let batches = usize::try_from(seconds * BATCHES)?;
        let mut times = measure(&log, &mut plain, &mut orders, size, batches).await?;
        let row = format!("prepared-{size}");
        for (subject, times) in [(POSTGRES, &mut times.append), (UNNEST, &mut times.arrays)] {
            let rate = Duration::from_secs(2 * size).div_duration_f64(median(times));
            let told = Measurement::of(subject, &row).value(rate, "events/s");
            measured.push(told.latency(&row::histogram(times)));
        }
    }
    log.close().await;
    database.remove().await?;
    Ok(measured)
}

/// As a backup holds one: it keeps the server from clearing away whatever is updated or deleted.
async fn beside_a_snapshot(
    log: &PostgresLog,
    url: &str,
    orders: &mut Orders,
    batches: usize,
) -> Result<Row> {
    let mut holding = PgConnection::connect(url).await?;
    plain::hold_snapshot(&mut holding).await?;
    let mut times = Vec::with_capacity(batches);
    for _ in 0..batches {
        let batch = orders.batch(BESIDE);
        let begun = Instant::now();
        log.append(batch).await?;
        times.push(begun.elapsed());
    }
    holding.close().await?;
    let what = format!("append beside an open snapshot, {BESIDE} transactions of 2 events");
    Ok(rate(&what, BESIDE, &mut times))
}

async fn measure(
    log: &PostgresLog,
    [by_arrays, by_json]: &mut [PgConnection; 2],
    orders: &mut Orders,
    size: u64,
    batches: usize,
) -> Result<Times> {
    let mut times = Times::default();
    for _ in 0..batches.div_ceil(TURN) {
        let mut head = *log.head().borrow();
        let mut turn: Vec<(Vec<AppendTransaction>, Rows)> = Vec::with_capacity(TURN);
        for _ in 0..TURN {
            let batch = orders.batch(size);
            let rows = Rows::of(&batch, head)?;
            head += rows.positions.len() as u64;
            turn.push((batch, rows));
        }
        for (_, rows) in &turn {
            let begun = Instant::now();
            plain::insert_arrays(by_arrays, rows).await?;
            times.arrays.push(begun.elapsed());
        }
        for (_, rows) in &turn {
            let begun = Instant::now();
            plain::insert_json(by_json, rows).await?;
            times.json.push(begun.elapsed());
        }
        for (batch, _) in turn {
            let begun = Instant::now();
            let verdicts = log.append(batch).await?;
            times.append.push(begun.elapsed());
            let committed = |verdict: &Verdict| matches!(verdict, Verdict::Committed { .. });
            ensure!(verdicts.iter().all(committed), "a prepared batch passes whole");
        }
    }
    Ok(times)
}

fn told(size: u64, mut times: Times) -> [Row; 4] {
    let of = format!("{size} transactions of 2 events");
    let plain = median(&mut times.arrays);
    let share = 100.0 * plain.div_duration_f64(median(&mut times.append));
    [
        rate(&format!("plain UNNEST insert, {of}"), size, &mut times.arrays),
        rate(&format!("plain insert from one JSON document, {of}"), size, &mut times.json),
        rate(&format!("append to the log, {of}"), size, &mut times.append),
        Row::figure(&format!("append as a share of plain UNNEST, {of}"), share, "%"),
    ]
}

/// Events a second, by the median time of a batch.
fn rate(what: &str, size: u64, times: &mut [Duration]) -> Row {
    let rate = Duration::from_secs(2 * size).div_duration_f64(median(times));
    Row::figure(what, rate, "events/s").with(&row::histogram(times))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
