//! A closed loop: every connection sends its next command when the last is answered.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::LocalSet;

use crate::client::Connection;

/// How much load, and how long.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Connections that send at the same time.
    pub(crate) connections: usize,
    /// How long they send.
    pub(crate) duration: Duration,
}

/// What came of a load.
pub(crate) struct Outcome {
    /// Answered commands a second.
    pub(crate) per_second: f64,
    /// Microseconds from sending to answer.
    pub(crate) latency_us: Histogram<u64>,
}

/// The `n`th command of a connection: path, key and body.
pub(crate) type Command = dyn Fn(usize, u64) -> (String, String, String);

/// Sends commands over all connections until the time is over.
pub(crate) async fn run(address: &str, load: Load, command: Rc<Command>) -> Result<Outcome> {
    let local = LocalSet::new();
    let begun = Instant::now();
    let tasks: Vec<_> = (0..load.connections)
        .map(|index| {
            let (address, command) = (address.to_owned(), Rc::clone(&command));
            local.spawn_local(async move {
                let mut latency_us = Histogram::<u64>::new(3)?;
                let mut connection = Connection::open(&address).await?;
                let mut n = 0;
                while begun.elapsed() < load.duration {
                    let (path, key, body) = command(index, n);
                    let sent = Instant::now();
                    connection.post(&path, &key, &body).await?;
                    latency_us.record(u64::try_from(sent.elapsed().as_micros())?)?;
                    n += 1;
                }
                anyhow::Ok(latency_us)
            })
        })
        .collect();
    local.await;
    let seconds = begun.elapsed().as_secs_f64();
    let mut latency_us = Histogram::<u64>::new(3)?;
    for task in tasks {
        latency_us.add(task.await??)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of commands is far below 2^52")]
    let per_second = latency_us.len() as f64 / seconds;
    Ok(Outcome { per_second, latency_us })
}
