//! `strace`: makes system calls of a running process fail, take long, or be its last.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::awake::Awake;
use crate::patience::patience;

/// Attached to processes; it lets them go when it is dropped.
#[derive(Debug)]
pub(crate) struct Strace {
    child: Child,
}

impl Strace {
    /// Attaches to these processes with all their threads. `calls` are names separated by commas, and `what` is done
    /// to them, such as `error=EIO` or `signal=KILL:when=7`.
    pub(crate) async fn attach(pids: &[u32], calls: &str, what: &str) -> Result<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null"]);
        command.arg("-e").arg(format!("trace={calls}"));
        command.arg("-e").arg(format!("inject={calls}:{what}"));
        for pid in pids {
            command.arg("-p").arg(pid.to_string());
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("`strace` can't be started")?;
        let mut strace = Self { child };
        let begun = Awake::now();
        while !pids.iter().any(|pid| is_traced(*pid)) {
            if strace.child.try_wait()?.is_some() || begun.elapsed() > patience() {
                bail!("strace can't attach to {pids:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(strace)
    }

    /// Waits until all whom it traced are gone; false when that takes longer.
    pub(crate) async fn until_they_end(&mut self, at_most: Duration) -> Result<bool> {
        let begun = Awake::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > at_most {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(true)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // It detaches when it is told to end; killed, it would let its processes stand still.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

fn is_traced(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
