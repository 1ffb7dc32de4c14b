//! A server's process that never outlives the process that started it.
//!
//! A shell stands between the two. It waits for the end of its standard input, whose other end is held here: that end
//! comes with a drop, and just as well with `kill -9` of the test.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::unprivileged::User;

/// `$0` is the folder to be removed at the end, or empty; `$1` is the signal that ends the server. A line on standard
/// input keeps the folder.
const SUPERVISE: &str = r#"folder=$0; signal=$1; shift
"$@" </dev/null &
server=$!
keep=; read -r keep
kill -s "$signal" "$server" 2>/dev/null
( sleep 5; kill -s KILL "$server" 2>/dev/null ) & late=$!
wait "$server"; kill "$late" 2>/dev/null
[ -n "$keep" ] || [ -z "$folder" ] || rm -rf "$folder""#;

/// A running server.
#[derive(Debug)]
pub struct Supervised {
    shell: Child,
    input: Option<ChildStdin>,
}

impl Supervised {
    /// Starts a command with both outputs in a file. `signal` such as `TERM` ends it, and 5 s later `KILL` does;
    /// `folder` is removed then.
    pub fn start(command: &Command, signal: &str, folder: &Path, log: &Path) -> io::Result<Self> {
        Self::start_as(User::find(), command, signal, folder, log)
    }

    pub(crate) fn start_as(
        user: User,
        command: &Command,
        signal: &str,
        folder: &Path,
        log: &Path,
    ) -> io::Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(SUPERVISE).arg(folder).arg(signal);
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(folder).stdin(Stdio::piped());
        shell.stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut shell = user.runs(&mut shell).spawn()?;
        let input = shell.stdin.take();
        Ok(Self { shell, input })
    }

    /// Ends the server and keeps its folder, to be started again.
    pub fn stop_keeping_folder(mut self) -> io::Result<()> {
        if let Some(mut input) = self.input.take() {
            input.write_all(b"keep\n")?;
        }
        self.shell.wait().map(drop)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.input.take();
        // It ends by itself, at worst five seconds from now.
        let _ = self.shell.wait();
    }
}
