//! A real shop's orders, imported over HTTP into the platform in one process; and the events that this leaves behind,
//! inserted plainly into a file of the same shape.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::client::Connection;
use crate::harness::Measurement;
use crate::limits;
use crate::measure::settle;
use crate::platform::{Kind, Platform, docket};
use crate::shop::register;
use crate::subjects::{Asked, SQLITE_BATCHES};

/// Files to be imported, with colons between them, instead of the example.
const FILES: &str = "DOCKET_BENCH_IMPORT";
/// A day of the shop.
const EXAMPLE: &str = "examples/online-retail/2010-12-01.csv";

/// Imports, and inserts what that left behind.
pub(crate) async fn measure(asked: &Asked) -> Result<Vec<Measurement>> {
    let files: Vec<PathBuf> = std::env::var_os(FILES)
        .map_or_else(|| vec![EXAMPLE.into()], |files| std::env::split_paths(&files).collect());
    let platform = Platform::start(Kind::Embedded).await?;
    // What tells later that all is at rest.
    register(&mut Connection::open(&platform.at.commands).await?, "spread-0").await?;
    let mut import = Command::new(docket()?);
    import.args(["import", "online-retail", "--url"]);
    import.arg(format!("http://{}", platform.at.commands)).args(&files);
    import.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let begun = Instant::now();
    let status = import.status().await.context("the import does not start")?;
    let took = begun.elapsed();
    ensure!(status.success(), "the import ended with {status}");
    settle(&platform, "import").await?;
    let log = platform.folder().join("log.db");
    let copied = limits::copied(&log).await?;
    platform.stop().await?;
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    let note = format!("{}: {} events", names.join(", "), copied.events);
    let told = |subject: &str, seconds| Measurement::of(subject, &asked.row).value(seconds, "s");
    Ok(vec![
        told(&asked.subject, took.as_secs_f64()).note(note),
        told(SQLITE_BATCHES, copied.took.as_secs_f64())
            .note("the same events, 500 a statement, a commit each"),
    ])
}
