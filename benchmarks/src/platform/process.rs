//! A process that is watched: what it cost so far, by the kernel's own books.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

/// How long a process that is asked to end may take.
const ENDS_WITHIN: Duration = Duration::from_secs(1);

/// The release binary, which lies beside this one.
pub(crate) fn docket() -> Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("docket");
    ensure!(binary.exists(), "build the platform first: cargo build --release");
    Ok(binary)
}

/// A process, and those that it started.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    id: u32,
    /// Ended with this; `None` for a server that ends otherwise.
    child: Option<Child>,
}

impl Process {
    /// Starts the release binary.
    pub(crate) fn docket(name: &'static str, set: impl FnOnce(&mut Command)) -> Result<Self> {
        let mut command = Command::new(docket()?);
        command.arg(name).args(["--log-filter", "error"]);
        set(&mut command);
        Self::start(name, command)
    }

    /// Starts something.
    pub(crate) fn start(name: &'static str, mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{name} does not start"))?;
        let id = child.id().context("a process that has not ended has an id")?;
        Ok(Self { name, id, child: Some(child) })
    }

    /// A server that somebody else keeps.
    pub(crate) fn server(name: &'static str, id: u32) -> Self {
        Self { name, id, child: None }
    }

    /// Ends it. One that started others is asked to, so that it ends them.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let has_others = self.family()?.len() > 1;
        let Some(child) = &mut self.child else { return Ok(()) };
        if has_others {
            kill_process(
                Pid::from_raw(self.id.cast_signed()).context("no process")?,
                Signal::TERM,
            )?;
            if tokio::time::timeout(ENDS_WITHIN, child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        child.kill().await.with_context(|| format!("{} can't be ended", self.name))
    }

    /// Processor time that it took so far, with those that it started.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let ticks = self.family()?.into_iter().filter_map(ticks).sum::<u64>();
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_millis(ticks * 1_000 / per_second))
    }

    /// The most memory that it held, in MB. For a server of many processes that share memory: what they hold together
    /// now.
    pub(crate) fn memory_mb(&self) -> Result<f64> {
        let kib = match self.family()?.as_slice() {
            [alone] => kib(&format!("/proc/{alone}/status"), "VmHWM:"),
            family => {
                family.iter().map(|id| kib(&format!("/proc/{id}/smaps_rollup"), "Pss:")).sum()
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
        let mb = kib.context("the system does not tell the memory of a process")? as f64 / 1_000.0;
        Ok(mb)
    }

    /// The memory that it holds now, in MB, with those that it started; what they share counts once each.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        let family = self.family()?;
        let held = family.iter().filter_map(|id| kib(&format!("/proc/{id}/status"), "VmRSS:"));
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
        let mb = held.sum::<u64>() as f64 / 1_000.0;
        Ok(mb)
    }

    fn family(&self) -> Result<Vec<u32>> {
        let mut family = vec![self.id];
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            if parent(id) == Some(self.id) {
                family.push(id);
            }
        }
        Ok(family)
    }
}

/// What follows the name in `stat`: state, parent, and so on.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn parent(id: u32) -> Option<u32> {
    stat(id)?.get(1)?.parse().ok()
}

/// User and system time, its own and that of children that ended.
fn ticks(id: u32) -> Option<u64> {
    let stat = stat(id)?;
    stat.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>().ok()).sum()
}

fn kib(path: &str, line: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let told = text.lines().find_map(|told| told.strip_prefix(line))?;
    told.trim().strip_suffix(" kB")?.parse().ok()
}
