//! One process a data folder: two writers of one log would each believe its own memory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::data_dir::DataDir;

/// Far longer than it takes to look who has a folder.
const A_LOOK: Duration = Duration::from_millis(50);

/// Held as long as the process lives; the operating system lets go of it, whatever happens to us.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the folder, or says who has it.
    pub(crate) fn take(folder: &DataDir) -> Result<Self> {
        Self::take_or(folder, "choose another folder with --data-dir")
    }

    /// Takes the folder, or says who has it, and what can be done instead of stopping that process.
    pub(crate) fn take_or(folder: &DataDir, instead: &str) -> Result<Self> {
        let path = folder.lock();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(|| format!("the lock file {} can't be opened", path.display()))?;
        let taken = match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                // Perhaps somebody only looks who has it.
                std::thread::sleep(A_LOOK);
                file.try_lock()
            }
            taken => taken,
        };
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).ok();
                bail!(
                    "the data in {} is in use by another Docket (process {}); stop it, or {instead}",
                    folder.path().display(),
                    pid.trim()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).context("the data folder can't be locked");
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }

    /// The id of the process that has the folder; none when nobody has it, or nobody can tell.
    pub(crate) fn holder(folder: &DataDir) -> Option<String> {
        let mut file = File::open(folder.lock()).ok()?;
        // A shared lock, let go of at once: two that look don't stand in each other's way.
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            Ok(()) | Err(TryLockError::Error(_)) => return None,
        }
        let mut pid = String::new();
        file.read_to_string(&mut pid).ok()?;
        Some(pid.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_told_who_has_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(folder.path()).unwrap();
        let first = DataLock::take(&data).unwrap();
        let refused = DataLock::take(&data).unwrap_err().to_string();
        let process = std::process::id().to_string();
        assert!(refused.contains(&process), "{refused}");
        assert!(refused.ends_with("stop it, or choose another folder with --data-dir"));
        let refused = DataLock::take_or(&data, "ask it").unwrap_err().to_string();
        assert!(refused.ends_with("stop it, or ask it"), "{refused}");
        assert_eq!(DataLock::holder(&data), Some(process));
        drop(first);
        assert_eq!(DataLock::holder(&data), None);
        DataLock::take(&data).unwrap();
    }
}
