//! One nats-server with JetStream.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::absent;
use crate::nats_binary::nats_server;
use crate::nats_configuration::{Configuration, Place};
use crate::port::free_port;
use crate::supervised::Supervised;
use crate::unprivileged::User;

/// How long a server may take to start or end; machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often is looked whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A free port may be taken by another before the server takes it.
const ATTEMPTS: usize = 5;

/// A nats-server of its own, with its JetStream store in a temporary folder.
#[derive(Debug)]
pub struct Nats {
    /// `None` while it is stopped.
    process: Option<Supervised>,
    program: PathBuf,
    port: u16,
    monitor: u16,
    configuration: Configuration,
    /// The bytes that its streams may reserve; `None` when it has no JetStream.
    room: Option<u64>,
    folder: TempDir,
}

/// Streams of tests reserve far more than they ever hold: this does not depend on how full the disk is.
const ROOM: u64 = 64 * 1024 * 1024 * 1024;

/// A server; `None` when nats-server can't be had and the test may be skipped.
///
/// # Panics
/// When the server does not start, or is not installed though it has to be.
pub fn nats() -> Option<Nats> {
    if let Err(missing) = nats_server() {
        absent::skipped(&missing);
        return None;
    }
    match Nats::start() {
        Ok(nats) => Some(nats),
        Err(error) => panic!("{error:#}"),
    }
}

/// As [`nats`], but its streams may reserve only so many bytes together.
///
/// # Panics
/// As [`nats`].
pub fn nats_with_room(bytes: u64) -> Option<Nats> {
    let mut nats = nats()?;
    nats.room = Some(bytes);
    let restarted = nats.stop().and_then(|()| nats.start_again());
    assert!(restarted.is_ok(), "{restarted:?}");
    Some(nats)
}

/// As [`nats`], with more lines of configuration.
///
/// # Panics
/// As [`nats`].
pub fn nats_with_config(lines: &str) -> Option<Nats> {
    let mut nats = nats()?;
    nats.configuration = Configuration::Own(lines.to_owned());
    let restarted = nats.stop().and_then(|()| nats.start_again());
    assert!(restarted.is_ok(), "{restarted:?}");
    Some(nats)
}

/// As [`nats`], on this very file: its address, its monitor's, its name (`$NATS_NAME`) and its store (`$NATS_DATA`) alone are its own.
///
/// # Panics
/// As [`nats`].
pub fn nats_of(file: &Path) -> Option<Nats> {
    if let Err(missing) = nats_server() {
        absent::skipped(&missing);
        return None;
    }
    match Nats::start_on(Configuration::Given(file.to_owned(), Vec::new())) {
        Ok(nats) => Some(nats),
        Err(error) => panic!("{error:#}"),
    }
}

impl Nats {
    /// Starts a server with an empty store.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_on(Configuration::Own(String::new()))
    }

    fn start_on(configuration: Configuration) -> anyhow::Result<Self> {
        let mut nats = Self::prepare(configuration)?;
        for _ in 1..ATTEMPTS {
            if nats.start_again().is_ok() {
                return Ok(nats);
            }
            nats.port = free_port()?;
            nats.monitor = free_port()?;
        }
        nats.start_again()?;
        Ok(nats)
    }

    pub(crate) fn prepare(configuration: Configuration) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("docket-nats-").tempdir()?;
        let (port, monitor) = (free_port()?, free_port()?);
        let (process, program, room) = (None, nats_server()?, Some(ROOM));
        Ok(Self { process, program, port, monitor, configuration, room, folder })
    }

    /// What it calls itself.
    pub fn name(&self) -> String {
        format!("n{}", self.port)
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Where clients connect on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Where it tells about itself over HTTP, such as `127.0.0.1:8222`.
    pub fn monitor(&self) -> String {
        format!("127.0.0.1:{}", self.monitor)
    }

    /// The id of its process.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        Ok(self.pid()?.as_raw_nonzero().get().unsigned_abs())
    }

    /// Where JetStream keeps what it has.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Starts the server after a stop, on the same port and with what is in its store. Waits until it is healthy.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.launch()?;
        // A crash may have left a stream that it can't read. That is for the clients to heal.
        self.wait_until("/healthz?js-enabled-only=true")
    }

    /// The same, as one who forgot JetStream starts it: what is in its store stays there.
    pub fn start_again_without_jetstream(&mut self) -> anyhow::Result<()> {
        let room = self.room.take();
        let launched = self.launch();
        self.room = room;
        launched?;
        self.wait_until("/healthz")
    }

    pub(crate) fn launch(&mut self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "nats-server runs already");
        let _ = fs::remove_file(self.pid_file());
        let place = Place {
            port: self.port,
            monitor: self.monitor,
            name: &self.name(),
            store: &self.store(),
            folder: self.folder.path(),
            room: self.room,
        };
        let mut command = self.configuration.command(&self.program, &place)?;
        command.arg("-P").arg(self.pid_file());
        let log = self.folder.path().join("log");
        let folder = self.folder.path();
        self.process = Some(Supervised::start_as(User::same(), &command, "TERM", folder, &log)?);
        Ok(())
    }

    pub(crate) fn wait_until_healthy(&mut self) -> anyhow::Result<()> {
        self.wait_until("/healthz")
    }

    fn wait_until(&mut self, healthy: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !self.says_ok(healthy) {
            let log = self.log();
            let refused = log.lines().last().is_some_and(|line| line.contains("[FTL]"));
            if refused || begun.elapsed() > PATIENCE {
                self.stop()?;
                bail!("nats-server does not start: {log}");
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Ends it in order. Its store stays.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        match self.process.take() {
            Some(process) => Ok(process.stop_keeping_folder()?),
            None => Ok(()),
        }
    }

    /// Ends it at once, as a crash would. Its store stays.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let pid = self.pid()?;
        kill_process(pid, Signal::KILL)?;
        self.stop()?;
        let begun = Instant::now();
        while test_kill_process(pid).is_ok() {
            ensure!(begun.elapsed() < PATIENCE, "nats-server does not end");
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Makes it stand still: connections stay open, nothing answers.
    pub fn pause(&self) -> anyhow::Result<()> {
        kill_process(self.pid()?, Signal::STOP)?;
        let begun = Instant::now();
        // It may have answered a moment ago.
        while self.is_healthy() {
            ensure!(begun.elapsed() < PATIENCE, "nats-server does not stand still");
        }
        Ok(())
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn wake(&self) -> anyhow::Result<()> {
        Ok(kill_process(self.pid()?, Signal::CONT)?)
    }

    /// Deletes the store of a stopped server.
    pub fn wipe(&self) -> anyhow::Result<()> {
        ensure!(self.process.is_none(), "the store of a running server stays");
        Ok(fs::remove_dir_all(self.store())?)
    }

    /// Copies the store of a stopped server.
    pub fn copy_store(&self) -> anyhow::Result<TempDir> {
        ensure!(self.process.is_none(), "the store of a running server is in motion");
        let copy = TempDir::new()?;
        copy_folder(&self.store(), copy.path())?;
        Ok(copy)
    }

    /// Puts an older copy in the place of a stopped server's store.
    pub fn restore_store(&self, copy: &TempDir) -> anyhow::Result<()> {
        self.wipe()?;
        copy_folder(copy.path(), &self.store())
    }

    /// Whether it says that JetStream works, and has found back every stream of its store.
    pub fn is_healthy(&self) -> bool {
        self.says_ok("/healthz")
    }

    fn says_ok(&self, path: &str) -> bool {
        self.pid().is_ok() && self.get(path).is_ok_and(|answer| answer.contains("200 OK"))
    }

    /// What its monitor answers to a path, such as `/jsz`.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        let mut connection = TcpStream::connect(self.monitor())?;
        connection.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(connection, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    fn pid(&self) -> anyhow::Result<Pid> {
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        let pid = text.trim().parse().ok().and_then(Pid::from_raw);
        pid.context("nats-server does not run")
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // A paused server would not hear that it has to end.
        if self.process.is_some()
            && let Ok(pid) = self.pid()
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_killed_wiped_started_again_and_gone_at_the_end() {
        let Some(mut nats) = nats() else { return };
        assert!(nats.is_healthy());
        nats.kill().unwrap();
        assert!(!nats.is_healthy());
        nats.wipe().unwrap();
        nats.start_again().unwrap();
        nats.pause().unwrap();
        assert!(!nats.is_healthy(), "it stands still");
        nats.wake().unwrap();
        assert!(nats.is_healthy());
        let folder = nats.folder.path().to_owned();
        drop(nats);
        assert!(!folder.exists());
    }
}
