//! One process of the platform, with a supervisor that starts it again when it ends, as an installation has one.
//!
//! **Invariant:** no process outlives this; it ends with its supervisor, also when that is killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How often the supervisor looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long the supervisor waits before it starts what ended by itself.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a process may take to end in order.
const END_WITHIN: Duration = Duration::from_mins(1);

/// What starts a process, and what it is called in reports.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// Such as `command-service`.
    pub(crate) name: String,
    /// Where it listens.
    pub(crate) url: String,
    /// What the program stands behind, such as `prlimit --nofile=64`.
    pub(crate) before: Vec<String>,
    pub(crate) program: PathBuf,
    pub(crate) words: Vec<String>,
    /// Its environment, beside this process' own.
    pub(crate) env: Vec<(String, String)>,
    /// What it prints goes here.
    pub(crate) log: PathBuf,
}

/// A supervised process.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    url: String,
    log: PathBuf,
    state: Arc<Mutex<State>>,
    supervisor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    start: Start,
    child: Option<Child>,
    /// Whether it is to run.
    wanted: bool,
    /// Whether its supervisor goes on.
    ended: bool,
    starts: u32,
    /// How it ended when nobody had killed it.
    ended_by_itself: Vec<ExitStatus>,
    last: Option<ExitStatus>,
    killed: bool,
    not_before: Instant,
}

impl Process {
    /// Starts it.
    pub(crate) fn start(start: Start) -> Result<Self> {
        let (name, url, log) = (start.name.clone(), start.url.clone(), start.log.clone());
        let state = State {
            start,
            child: None,
            wanted: true,
            ended: false,
            starts: 0,
            ended_by_itself: Vec::new(),
            last: None,
            killed: false,
            not_before: Instant::now(),
        };
        let state = Arc::new(Mutex::new(state));
        let supervised = Arc::clone(&state);
        // A process ends with the thread that started it: that is this one alone.
        let supervisor = thread::Builder::new().name(format!("supervisor-{name}"));
        let supervisor = supervisor.spawn(move || supervise(&supervised))?;
        Ok(Self { name, url, log, state, supervisor: Some(supervisor) })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens, as `http://host:port`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it printed.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Its id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.state().child.as_ref().map(Child::id)
    }

    /// How often it was started.
    pub(crate) fn starts(&self) -> u32 {
        self.state().starts
    }

    /// How often it ended though nobody had killed it.
    pub(crate) fn ended_by_itself(&self) -> usize {
        self.state().ended_by_itself.len()
    }

    /// `kill -9`; its supervisor starts it again at once.
    pub(crate) fn kill(&self) -> Result<()> {
        let mut state = self.state();
        state.killed = true;
        state.signal(Signal::KILL)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.state().signal(signal)
    }

    /// SIGTERM; it has to end with exit code 0. Returns how long that took.
    pub(crate) fn terminate(&self) -> Result<Duration> {
        let begun = Instant::now();
        let mut state = self.state();
        state.wanted = false;
        if state.child.is_none() {
            return Ok(begun.elapsed());
        }
        state.killed = true;
        state.signal(Signal::TERM)?;
        drop(state);
        self.until_ended()?;
        match self.state().last {
            Some(status) if status.success() => Ok(begun.elapsed()),
            status => bail!("{} ended with {status:?} after SIGTERM", self.name),
        }
    }

    /// Starts it again after [`terminate`](Self::terminate), with this program if one is given.
    pub(crate) fn start_again(&self, program: Option<&Path>) {
        let mut state = self.state();
        if let Some(program) = program {
            program.clone_into(&mut state.start.program);
        }
        state.wanted = true;
    }

    fn until_ended(&self) -> Result<()> {
        let begun = Instant::now();
        while self.state().child.is_some() {
            if begun.elapsed() > END_WITHIN {
                bail!("{} does not end", self.name);
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.state().ended = true;
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.join();
        }
    }
}

impl State {
    fn signal(&self, signal: Signal) -> Result<()> {
        let Some(child) = &self.child else { return Ok(()) };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(kill_process(pid.context("a process has an id")?, signal)?)
    }

    /// Notices an end, and starts it when it is wanted.
    fn look(&mut self) -> Result<()> {
        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait()?
        {
            self.child = None;
            self.last = Some(status);
            if !std::mem::take(&mut self.killed) {
                self.ended_by_itself.push(status);
                self.not_before = Instant::now() + PAUSE;
            }
        }
        if self.child.is_none() && self.wanted && Instant::now() >= self.not_before {
            self.child = Some(spawn(&self.start)?);
            self.starts += 1;
        }
        Ok(())
    }
}

fn supervise(state: &Mutex<State>) {
    loop {
        let mut now = lock(state);
        if now.ended {
            if let Some(child) = &mut now.child {
                let _ = child.kill();
                let _ = child.wait();
            }
            return;
        }
        if let Err(error) = now.look() {
            eprintln!("{}: {error:#}", now.start.name);
            now.not_before = Instant::now() + PAUSE;
        }
        drop(now);
        thread::sleep(LOOK_EVERY);
    }
}

/// Through `setpriv`, so that it does not outlive its supervisor; the process keeps the id that is known here.
fn spawn(start: &Start) -> Result<Child> {
    let log = File::options().create(true).append(true).open(&start.log)?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).args(&start.before);
    command.arg(&start.program).args(&start.words);
    for (name, value) in &start.env {
        command.env(name, value);
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().context("`setpriv` (of util-linux) can't be started")
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
