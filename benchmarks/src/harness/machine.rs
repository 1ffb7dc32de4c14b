//! What was measured on, and with what: a figure without it means nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What the machine and its programs say of themselves.
pub(super) fn told(postgres_programs: &Path) -> Vec<(String, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut told = vec![
        ("machine".to_owned(), format!("{cores} cores, {}; {}", processor(), memory())),
        ("system".to_owned(), format!("Linux {}", read("/proc/sys/kernel/osrelease").trim())),
    ];
    let mut program = |name: &str, command: &mut Command| {
        told.push((name.to_owned(), first_line(command).unwrap_or_else(|| "not found".into())));
    };
    program("PostgreSQL", Command::new(postgres_programs.join("postgres")).arg("--version"));
    if let Ok(nats) = test_servers::nats_server() {
        program("NATS", Command::new(nats).arg("--version"));
    }
    program("Rust", Command::new("rustc").arg("--version"));
    program("Docket", Command::new("git").args(["log", "-1", "--format=%h of %cs"]));
    told
}

fn processor() -> String {
    let text = read("/proc/cpuinfo");
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |model| model.trim_start_matches([' ', '\t', ':']).to_owned(),
    )
}

fn memory() -> String {
    let text = read("/proc/meminfo");
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = kib.and_then(|kib| kib.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.map_or_else(String::new, |kib| format!("{} GiB of memory", kib / 1024 / 1024))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}
