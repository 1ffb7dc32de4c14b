//! The processes below a process, by the operating system's account.

use std::fs;

/// Children of a process with what they call themselves, such as `postgres: postgres log 127.0.0.1(4711) idle`.
pub(crate) fn children(parent: u32) -> Vec<(u32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let ours = ids.filter(|pid| parent_of(*pid) == Some(parent));
    ours.map(|pid| (pid, title(pid))).collect()
}

/// The backends of a PostgreSQL server that serve a database.
pub(crate) fn backends(postmaster: u32, database: &str) -> Vec<u32> {
    let word = format!(" {database} ");
    let all = children(postmaster).into_iter();
    all.filter(|(_, title)| title.contains(&word)).map(|(pid, _)| pid).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

fn title(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
