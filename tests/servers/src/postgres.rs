//! One PostgreSQL server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::binaries;
use crate::certificate::Certificate;
use crate::port::free_port;
use crate::query::Server;
use crate::supervised::Supervised;
use crate::unprivileged::User;

/// How long a server may take to start or end; machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often is looked whether it did.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A free port may be taken by another before the server takes it.
const ATTEMPTS: usize = 5;
/// Where `postmaster.pid` says how far the server is, counted from 0.
const STATUS_LINE: usize = 7;

/// How a server is to be.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    fsync: bool,
    settings: Vec<(String, String)>,
    /// Where its folder is made; the usual place when absent.
    within: Option<PathBuf>,
    /// What it shows to who speaks TLS.
    shows: Option<Certificate>,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self { fsync: true, settings: Vec::new(), within: None, shows: None }
    }
}

impl PostgresSettings {
    /// Faster, for tests that never take the machine's power away.
    #[must_use]
    pub fn without_fsync(mut self) -> Self {
        self.fsync = false;
        self
    }

    /// Another setting of `postgresql.conf`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes its folder in this one, such as on a small disk.
    #[must_use]
    pub fn within(mut self, folder: &std::path::Path) -> Self {
        self.within = Some(folder.to_owned());
        self
    }

    /// Speaks TLS to who wants to, and shows this.
    #[must_use]
    pub fn showing(mut self, certificate: Certificate) -> Self {
        self.shows = Some(certificate);
        self.set("ssl", "on")
    }

    /// Starts a server with these settings.
    pub fn start(self) -> anyhow::Result<Postgres> {
        Postgres::start_with(self)
    }
}

/// A PostgreSQL server of its own, in a temporary folder. Its superuser `postgres` has no password.
#[derive(Debug)]
pub struct Postgres {
    /// `None` only between its end and its next start.
    process: Option<Supervised>,
    server: Server,
    settings: PostgresSettings,
    programs: PathBuf,
    user: User,
    /// The process that was killed last.
    killed: Option<Pid>,
    folder: TempDir,
}

impl Postgres {
    /// One of its programs, such as `pg_dump`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Starts a server that keeps what it commits.
    pub fn start() -> anyhow::Result<Self> {
        PostgresSettings::default().start()
    }

    fn start_with(settings: PostgresSettings) -> anyhow::Result<Self> {
        let programs = binaries::postgres()?;
        let user = User::find();
        let within = settings.within.clone().unwrap_or_else(std::env::temp_dir);
        let folder = tempfile::Builder::new().prefix("docket-postgres-").tempdir_in(within)?;
        user.owns(folder.path())?;
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.args([
            "--no-sync",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
        ]);
        initdb.arg(folder.path().join("data")).current_dir(folder.path());
        let made = user.runs(&mut initdb).output().context("`initdb` can't be started")?;
        if !made.status.success() {
            bail!("`initdb` failed: {}", String::from_utf8_lossy(&made.stderr));
        }
        if let Some(certificate) = &settings.shows {
            put_certificate(certificate, &folder.path().join("data"), user)?;
        }
        let server = Server { port: 0 };
        let mut postgres =
            Self { process: None, server, settings, programs, user, killed: None, folder };
        for _ in 1..ATTEMPTS {
            postgres.server.port = free_port()?;
            if postgres.start_again().is_ok() {
                return Ok(postgres);
            }
        }
        postgres.start_again()?;
        Ok(postgres)
    }

    /// Starts the server after [`kill`](Self::kill), or after it ended by itself, on the same port and with what it had committed.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        if let Some(ended) = self.process.take() {
            ended.stop_keeping_folder()?;
        }
        let begun = Instant::now();
        loop {
            match self.try_start() {
                // Right after a kill, processes of the old server may still hold its memory.
                Err(_) if begun.elapsed() < PATIENCE / 4 && self.killed.is_some() => {
                    thread::sleep(LOOK_EVERY);
                }
                outcome => return outcome,
            }
        }
    }

    fn try_start(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(self.programs.join("postgres"));
        command.arg("-D").arg(self.folder.path().join("data"));
        let port = self.server.port.to_string();
        let fsync = if self.settings.fsync { "on" } else { "off" };
        let own = [
            ("port", port.as_str()),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("fsync", fsync),
            ("max_connections", "200"),
        ];
        let given =
            self.settings.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.into_iter().chain(given) {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let log = self.folder.path().join("log");
        let _ = std::fs::remove_file(&log);
        let process = Supervised::start_as(self.user, &command, "QUIT", self.folder.path(), &log)?;
        let begun = Instant::now();
        while !self.is_ready() {
            let told = std::fs::read_to_string(&log).unwrap_or_default();
            if told.lines().any(is_fatal) || begun.elapsed() > PATIENCE {
                process.stop_keeping_folder()?;
                bail!("PostgreSQL does not start: {told}");
            }
            thread::sleep(LOOK_EVERY);
        }
        self.process = Some(process);
        Ok(())
    }

    /// The address of a database of this server; `postgres` is always there.
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where it listens on the loopback.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// The id of its first process; the others are its children.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        Ok(self.pid()?.as_raw_nonzero().get().unsigned_abs())
    }

    /// The folder of its programs, such as `psql`.
    pub fn programs(&self) -> &std::path::Path {
        &self.programs
    }

    /// Runs statements as the superuser in the database `postgres`.
    pub fn execute(&self, statements: &[&str]) -> anyhow::Result<()> {
        self.server.execute(statements)
    }

    /// Ends it at once, as a crash would. Its folder stays.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let pid = self.pid()?;
        kill_process(pid, Signal::KILL)?;
        self.killed = Some(pid);
        if let Some(process) = self.process.take() {
            process.stop_keeping_folder()?;
        }
        let begun = Instant::now();
        while test_kill_process(pid).is_ok() {
            if begun.elapsed() > PATIENCE {
                bail!("PostgreSQL does not end");
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// It says so itself, so that another server on this port is not mistaken for it.
    fn is_ready(&self) -> bool {
        let state = self.state_file().unwrap_or_default();
        state.lines().nth(STATUS_LINE).is_some_and(|status| status.trim() == "ready")
            && self.pid().is_ok_and(|pid| Some(pid) != self.killed)
    }

    fn pid(&self) -> anyhow::Result<Pid> {
        let pid = self.state_file()?.lines().next().and_then(|line| line.parse().ok());
        pid.and_then(Pid::from_raw).context("postmaster.pid names no process")
    }

    fn state_file(&self) -> std::io::Result<String> {
        std::fs::read_to_string(self.folder.path().join("data/postmaster.pid"))
    }
}

/// Where it looks for them. It takes no key that others may read.
fn put_certificate(certificate: &Certificate, data: &Path, user: User) -> anyhow::Result<()> {
    let (shown, key) = (data.join("server.crt"), data.join("server.key"));
    certificate.write(&shown, &key)?;
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))?;
    user.owns(&shown)?;
    Ok(user.owns(&key)?)
}

/// What ends the server, not what it tells a client that came too early.
fn is_fatal(line: &str) -> bool {
    line.contains("FATAL:  ") && !line.contains("FATAL:  the database system is")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn what_was_created_is_there_after_a_kill_and_the_end_removes_everything() {
        let mut postgres = match PostgresSettings::default().start() {
            Ok(postgres) => postgres,
            Err(missing) => return crate::skipped(&missing),
        };
        postgres.execute(&["CREATE DATABASE shop"]).unwrap();
        postgres.kill().unwrap();
        assert!(postgres.execute(&[]).is_err());
        postgres.start_again().unwrap();
        assert!(postgres.execute(&["CREATE DATABASE shop"]).is_err(), "it is there already");
        let (folder, port) = (postgres.folder.path().to_owned(), postgres.port());
        drop(postgres);
        assert!(!folder.exists());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }

    #[test]
    fn one_that_ended_by_itself_is_started_again_with_what_it_had() {
        let mut postgres = match PostgresSettings::default().start() {
            Ok(postgres) => postgres,
            Err(missing) => return crate::skipped(&missing),
        };
        postgres.execute(&["CREATE DATABASE shop"]).unwrap();
        kill_process(postgres.pid().unwrap(), Signal::INT).unwrap();
        let begun = Instant::now();
        while postgres.state_file().is_ok() {
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            thread::sleep(LOOK_EVERY);
        }
        postgres.start_again().unwrap();
        assert!(postgres.execute(&["CREATE DATABASE shop"]).is_err(), "it is there already");
    }

    #[test]
    fn every_database_is_fresh() {
        let (Some(one), Some(other)) = (crate::database(), crate::database()) else { return };
        assert_ne!(one.url(), other.url());
    }
}
