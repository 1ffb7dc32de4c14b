//! A small disk that can be full: a `tmpfs`, mounted in this process' own mount namespace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

/// Takes all the room.
const BALLAST: &str = "ballast";
/// Written at once.
const BLOCK: usize = 64 * 1024;

/// A mounted disk; unmounted when it is dropped, and at the latest with the namespace.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    pub(crate) fn mount(path: &Path, mib: u32) -> Result<Self> {
        fs::create_dir_all(path)?;
        let size = format!("size={mib}m,mode=777");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "chaos"]).arg(path).status()?;
        ensure!(mounted.success(), "a tmpfs can't be mounted on {}", path.display());
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves no room at all.
    pub(crate) fn fill(&self) -> Result<()> {
        use std::io::Write as _;
        let mut ballast = fs::File::create(self.path.join(BALLAST))?;
        let block = vec![0; BLOCK];
        let mut size = block.len();
        // Ever smaller pieces, until not even the smallest goes in.
        while size > 0 {
            if ballast.write_all(&block[..size]).is_err() {
                size /= 2;
            }
        }
        Ok(())
    }

    /// Makes room again.
    pub(crate) fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.path.join(BALLAST))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}
