//! A part of the shop's day, imported through whatever happens meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::platform::{Data, Platform, docket, example_day, text};

/// How long an import may be begun again; machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_mins(10);

/// A file with the first rows of the example day.
pub(crate) struct PartOfDay {
    _folder: TempDir,
    path: PathBuf,
}

/// What an import comes to that nobody disturbs.
pub(crate) struct Undisturbed {
    /// What `docket digest` says then.
    pub(crate) digest: String,
    /// How many events the log has.
    pub(crate) events: u64,
}

impl PartOfDay {
    /// With so many lines; the first names the columns.
    pub(crate) fn of(rows: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let day = std::fs::read_to_string(example_day()).unwrap();
        let part: Vec<&str> = day.lines().take(rows).collect();
        let path = folder.path().join("part.csv");
        std::fs::write(&path, part.join("\n") + "\n").unwrap();
        Self { _folder: folder, path }
    }

    /// Its file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many orders it has, with those that were sent back left out.
    pub(crate) fn orders(&self) -> usize {
        let text = std::fs::read_to_string(&self.path).unwrap();
        let invoices = text.lines().skip(1).filter_map(|line| line.split(',').next());
        let orders: BTreeSet<&str> = invoices.filter(|invoice| !invoice.starts_with('C')).collect();
        orders.len()
    }

    /// Imports it until that succeeds: an import that was disturbed goes on.
    pub(crate) async fn import_all(&self, url: &str) {
        self.start_import(url).await.unwrap();
    }

    /// The same, meanwhile.
    pub(crate) fn start_import(&self, url: &str) -> JoinHandle<()> {
        tokio::spawn(import_all(url.to_owned(), self.path.clone()))
    }

    /// What one process comes to that nobody disturbs.
    pub(crate) async fn undisturbed(&self) -> Undisturbed {
        let data = Data::new();
        let platform = Platform::start(&data).await;
        self.import_all(&platform.url).await;
        platform.settle().await;
        let models = platform.get("/v1/projections").await.ok();
        let events = models["items"][0]["head"].as_u64().unwrap();
        platform.terminate().await;
        Undisturbed { digest: data.digest().await, events }
    }
}

async fn import_all(url: String, path: PathBuf) {
    let begun = Instant::now();
    loop {
        let mut import = docket(&["import", "online-retail", "--url", &url]);
        let ended = import.arg(&path).stdin(Stdio::null()).output().await.unwrap();
        if ended.status.success() {
            return;
        }
        eprintln!("an import is begun again after {}", text(&ended).trim());
        assert!(begun.elapsed() < PATIENCE, "the import does not succeed");
    }
}

impl Platform {
    /// Waits until the log has so many events.
    pub(crate) async fn until_head(&self, events: u64) {
        let there = |models: &Value| models["items"][0]["head"].as_u64() >= Some(events);
        self.until("/v1/projections", there).await;
    }
}
