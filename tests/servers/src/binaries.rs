//! Where the servers' programs are.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Names the folder of PostgreSQL's programs.
const POSTGRES_BIN: &str = "DOCKET_POSTGRES_BIN";
/// Where distributions put them; each folder in it is a version.
const POSTGRES_VERSIONS: [&str; 3] =
    ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/Cellar/postgresql"];

const HOW: &str = "PostgreSQL is not installed: install it (on Debian: `apt-get install postgresql`), or name the \
    folder of `postgres` and `initdb` in DOCKET_POSTGRES_BIN";

/// The folder that has both `postgres` and `initdb`; of several versions the newest.
///
/// # Errors
/// When they are nowhere.
pub fn postgres() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os(POSTGRES_BIN).map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    named
        .into_iter()
        .chain(POSTGRES_VERSIONS.iter().flat_map(|folder| versions(Path::new(folder))))
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
        .context(HOW)
}

/// The `bin` folders of installed versions, newest first.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let number = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.and_then(|name| name.split('.').next()?.parse::<u32>().ok()).unwrap_or(0)
    };
    let mut versions: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions.into_iter().map(|version| version.join("bin")).collect()
}
