//! The release binary of Docket, started in a temporary folder on a free port.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::client::Connection;
use crate::measure::Row;

/// A running platform and the folder of its data.
pub(crate) struct Platform {
    /// `host:port`.
    pub(crate) address: String,
    process: Child,
    _data: TempDir,
}

impl Platform {
    /// Starts the binary that lies beside this one, and waits until it is ready.
    pub(crate) async fn start() -> Result<Self> {
        let binary = std::env::current_exe()?.with_file_name("docket");
        ensure!(binary.exists(), "build the platform first: cargo build --release");
        let data = tempfile::tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new(binary)
            .args(["dev", "--listen", &address, "--data-dir"])
            .arg(data.path())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the platform does not start")?;
        for _ in 0..200 {
            if let Ok(mut connection) = Connection::open(&address).await
                && connection.get("/health/ready").await.is_ok()
            {
                return Ok(Self { address, process, _data: data });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the platform was not ready within 10 s")
    }

    /// The most memory that the platform's process held.
    pub(crate) fn memory(&self) -> Result<Row> {
        let id = self.process.id().context("the platform has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak
            .and_then(|peak| peak.trim().strip_suffix(" kB"))
            .and_then(|kib| kib.parse().ok())
            .context("the system does not tell the peak memory")?;
        Ok(Row::figure("peak memory of the platform", format!("{} MB", kib / 1_000)))
    }

    /// Ends it.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.process.kill().await.context("the platform can't be ended")
    }
}
