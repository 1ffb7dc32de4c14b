//! What a nats-server is told: a few lines of ours, or a file of somebody else's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a server is, and what it is called.
pub(crate) struct Place<'s> {
    pub(crate) port: u16,
    pub(crate) monitor: u16,
    pub(crate) name: &'s str,
    pub(crate) store: &'s Path,
    /// In which its files lie.
    pub(crate) folder: &'s Path,
    /// The bytes that its streams may reserve; `None` when it has no JetStream.
    pub(crate) room: Option<u64>,
}

/// What a server is told.
#[derive(Debug, Clone)]
pub(crate) enum Configuration {
    /// The least that it needs, and these lines.
    Own(String),
    /// This file as it stands, which reads `NATS_NAME` and `NATS_DATA` of its environment; these words say what it can't know.
    Given(PathBuf, Vec<String>),
}

impl Configuration {
    /// What starts a server.
    pub(crate) fn command(&self, program: &Path, place: &Place<'_>) -> std::io::Result<Command> {
        let mut command = Command::new(program);
        match self {
            Self::Own(more) => {
                let file = place.folder.join("nats.conf");
                fs::write(&file, lines(place, more))?;
                command.arg("-c").arg(file);
            }
            Self::Given(file, words) => {
                command.arg("-c").arg(file).args(["-a", "127.0.0.1"]).args(words);
                command.args(["-p", &place.port.to_string(), "-m", &place.monitor.to_string()]);
                command.env("NATS_NAME", place.name).env("NATS_DATA", place.store);
            }
        }
        Ok(command)
    }
}

fn lines(place: &Place<'_>, more: &str) -> String {
    let Place { port, monitor, name, .. } = place;
    let store = place.store.display();
    let jetstream =
        |room| format!("jetstream {{ store_dir: \"{store}\", max_file_store: {room} }}");
    let jetstream = place.room.map(jetstream).unwrap_or_default();
    format!(
        "listen: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitor}\"\nserver_name: \"{name}\"\n{jetstream}\n{more}"
    )
}
