//! aiosmtpd: an SMTP server, written by others. Installed under `target/` the first time.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
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
const VERSION: &str = "1.4.6";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ATTEMPTS: usize = 5;
/// Starts it, and says what it answers to whom.
const START: &str = include_str!("aiosmtpd.py");

/// How a mail server is reached.
#[derive(Debug, Clone, Default)]
pub struct SmtpSettings {
    /// Certificate and key (PEM); in clear without.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Sealed by STARTTLS, and not from the first byte on.
    pub starttls: bool,
    /// User and password that it asks for.
    pub login: Option<(String, String)>,
}

/// A mail server of its own. What a mail's recipient is called says how it answers: `refused@`, `busy2@` (twice for now), `late1@` (takes
/// the mail once and says nothing); whoever else is taken.
#[derive(Debug)]
pub struct SmtpServer {
    process: Option<Supervised>,
    python: PathBuf,
    settings: SmtpSettings,
    port: u16,
    folder: TempDir,
}

/// A mail server; `None` when it can't be had and the test may be skipped.
///
/// # Panics
/// When the server does not start, or can't be installed though it has to be.
pub fn smtp_server(settings: &SmtpSettings) -> Option<SmtpServer> {
    let python = match python::with("aiosmtpd", VERSION) {
        Ok(python) => python,
        Err(missing) => {
            absent::skipped(&missing);
            return None;
        }
    };
    match SmtpServer::new(&python, settings) {
        Ok(server) => Some(server),
        Err(error) => panic!("{error:#}"),
    }
}

impl SmtpServer {
    fn new(python: &Path, settings: &SmtpSettings) -> anyhow::Result<Self> {
        for _ in 1..ATTEMPTS {
            if let Ok(server) = Self::once(python, settings) {
                return Ok(server);
            }
        }
        Self::once(python, settings)
    }

    fn once(python: &Path, settings: &SmtpSettings) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("docket-aiosmtpd-").tempdir()?;
        let (python, settings) = (python.to_owned(), settings.clone());
        let mut server = Self { process: None, python, settings, port: free_port()?, folder };
        server.start()?;
        Ok(server)
    }

    /// Starts it where it was, with the mails that it has.
    ///
    /// # Errors
    /// It does not answer.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let SmtpSettings { certificate, starttls, login } = &self.settings;
        let shown = |path: &Path| format!("{:?}", path.display().to_string());
        let (certificate, key) = match certificate {
            Some((certificate, key)) => (shown(certificate), shown(key)),
            None => ("null".to_owned(), "null".to_owned()),
        };
        let login = match login {
            Some((user, password)) => format!("[{user:?}, {password:?}]"),
            None => "null".to_owned(),
        };
        let (port, maildir) = (self.port, shown(&self.maildir()));
        let words = format!(
            r#"{{"port":{port},"maildir":{maildir},"certificate":{certificate},"key":{key},"starttls":{starttls},"login":{login}}}"#
        );
        let mut command = Command::new(&self.python);
        command.args(["-c", START, &words]);
        let folder = self.folder.path();
        let log = folder.join("log");
        let process = Supervised::start_as(User::same(), &command, "TERM", folder, &log)?;
        self.process = Some(process);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if begun.elapsed() > PATIENCE {
                bail!("aiosmtpd does not answer: {}", fs::read_to_string(&log)?);
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Ends it: nobody answers there until it is started again. It keeps its mails.
    ///
    /// # Errors
    /// Its supervisor can't be told.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        if let Some(process) = self.process.take() {
            process.stop_keeping_folder()?;
        }
        Ok(())
    }

    /// Its port of the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it took, the first first: each as it came, with whom it was for in `X-RcptTo`.
    ///
    /// # Errors
    /// Its folder can't be read.
    pub fn mails(&self) -> anyhow::Result<Vec<String>> {
        let new = self.maildir().join("new");
        if !new.exists() {
            return Ok(Vec::new());
        }
        let files = fs::read_dir(new)?.map(|entry| Ok(entry?.path()));
        let mut files = files.collect::<anyhow::Result<Vec<_>>>()?;
        files.sort_by_key(|path| fs::metadata(path).and_then(|file| file.modified()).ok());
        files.iter().map(|path| Ok(fs::read_to_string(path)?)).collect()
    }

    fn maildir(&self) -> PathBuf {
        self.folder.path().join("mails")
    }
}
