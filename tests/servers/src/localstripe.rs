//! localstripe: a server that speaks a part of Stripe's API, written by others. Installed under `target/` the first time.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use tempfile::TempDir;

use crate::absent;
use crate::port::free_port;
use crate::python;
use crate::supervised::Supervised;
use crate::unprivileged::User;

/// What is installed.
const VERSION: &str = "1.15.10";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ATTEMPTS: usize = 5;
/// It writes all that it has to one file in `/tmp` after every request, which several of them would share: that alone is
/// left out.
const START: &str = "from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
server.start()";

/// A localstripe of its own, with nothing in it.
#[derive(Debug)]
pub struct LocalStripe {
    _process: Supervised,
    port: u16,
    _folder: TempDir,
}

/// A server; `None` when it can't be had and the test may be skipped.
///
/// # Panics
/// When the server does not start, or can't be installed though it has to be.
pub fn localstripe() -> Option<LocalStripe> {
    let python = match python::with("localstripe", VERSION) {
        Ok(python) => python,
        Err(missing) => {
            absent::skipped(&missing);
            return None;
        }
    };
    match LocalStripe::start(&python) {
        Ok(server) => Some(server),
        Err(error) => panic!("{error:#}"),
    }
}

impl LocalStripe {
    fn start(python: &Path) -> anyhow::Result<Self> {
        for _ in 1..ATTEMPTS {
            if let Ok(server) = Self::start_once(python) {
                return Ok(server);
            }
        }
        Self::start_once(python)
    }

    fn start_once(python: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("docket-localstripe-").tempdir()?;
        let port = free_port()?;
        let mut command = Command::new(python);
        command.args(["-c", START, "--from-scratch", "--port"]).arg(port.to_string());
        let log = folder.path().join("log");
        let process = Supervised::start_as(User::same(), &command, "TERM", folder.path(), &log)?;
        let server = Self { _process: process, port, _folder: folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > PATIENCE {
                bail!("localstripe does not answer: {}", fs::read_to_string(&log)?);
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(server)
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
