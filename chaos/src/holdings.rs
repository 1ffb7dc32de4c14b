//! I18: what processes hold on to, by the operating system's account.
//!
//! **Invariant:** a burst is no leak: what is kept for the next one, such as connections to the payment provider, of which there
//! may be 256 at a time, is given back when none comes. So whoever holds much is looked at again until that is over.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::awake::Awake;
use crate::patience::patience;
use crate::stack::Stack;

/// A service keeps a connection that it does not use for 15 s, and looks every 15 s for those that are so old.
const KEPT: Duration = Duration::from_secs(30);
/// How often is looked whether something was given back.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What pools and runtimes may have grown by since the run began; what leaks goes beyond.
const MORE: Holds = Holds { sockets: 40, files: 24, threads: 24, memory_kib: 160 * 1024 };

/// What one process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Holds {
    sockets: u64,
    /// File handles that are no sockets.
    files: u64,
    threads: u64,
    memory_kib: u64,
}

/// What each process holds, by its name and id.
pub(crate) type Holdings = BTreeMap<(String, u32), Holds>;

/// Every process that runs, with its id.
pub(crate) fn holdings(stack: &Stack) -> Holdings {
    let running = stack.processes().filter_map(|process| Some((process, process.pid()?)));
    let held = running.filter_map(|(process, pid)| {
        Some(((process.name().to_owned(), pid), of(Path::new(&format!("/proc/{pid}"))).ok()?))
    });
    held.collect()
}

/// Whoever lived through it all holds on to no more than before, as soon as what is only kept for a while is gone.
pub(crate) async fn returned(stack: &Stack, before: &Holdings) -> Vec<String> {
    let begun = Awake::now();
    loop {
        let violations = beyond(before, &holdings(stack));
        if violations.is_empty() || begun.elapsed() > KEPT + patience() / 6 {
            return violations;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn beyond(before: &Holdings, after: &Holdings) -> Vec<String> {
    let mut violations = Vec::new();
    for (process, before) in before {
        let Some(after) = after.get(process) else { continue };
        for (what, before, after, more) in [
            ("sockets", before.sockets, after.sockets, MORE.sockets),
            ("other file handles", before.files, after.files, MORE.files),
            ("threads", before.threads, after.threads, MORE.threads),
            ("KiB of memory", before.memory_kib, after.memory_kib, MORE.memory_kib),
        ] {
            if after > before + before / 10 + more {
                let name = &process.0;
                violations
                    .push(format!("I18: {name} had {before} {what} before and {after} after"));
            }
        }
    }
    violations
}

/// What a process holds by its folder of `/proc`.
fn of(process: &Path) -> Result<Holds> {
    let handles = std::fs::read_dir(process.join("fd"))?.flatten();
    let is_socket = |path: &Path| path.to_string_lossy().starts_with("socket:");
    let (sockets, files): (Vec<_>, Vec<_>) = handles
        .filter_map(|handle| std::fs::read_link(handle.path()).ok())
        .partition(|to| is_socket(to));
    let status = std::fs::read_to_string(process.join("status"))?;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
    };
    Ok(Holds {
        sockets: sockets.len() as u64,
        files: files.len() as u64,
        threads: number("Threads:").context("a process has threads")?,
        memory_kib: number("VmRSS:").context("a process has memory")?,
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn what_a_process_holds_is_told_by_its_kind() {
        let own = Path::new("/proc/self");
        let before = of(own).unwrap();
        let sockets: Vec<_> = (0..50).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let with_sockets = of(own).unwrap();
        assert!(with_sockets.sockets >= before.sockets + 50, "{before:?} {with_sockets:?}");
        assert!(with_sockets.threads > 0 && with_sockets.memory_kib > 0, "{with_sockets:?}");
        drop(sockets);
    }

    #[test]
    fn what_goes_beyond_what_pools_grow_by_is_found() {
        let held = |sockets| {
            let holds = Holds { sockets, files: 20, threads: 8, memory_kib: 50_000 };
            Holdings::from([(("gateway".to_owned(), 7), holds)])
        };
        assert_eq!(beyond(&held(30), &held(73)), Vec::<String>::new());
        assert_eq!(
            beyond(&held(30), &held(74)),
            ["I18: gateway had 30 sockets before and 74 after"]
        );
    }
}
