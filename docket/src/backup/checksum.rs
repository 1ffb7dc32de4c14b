//! SHA-256 of files, and copies that are known to be what they should be.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// What a file holds, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// How many bytes.
    pub(super) bytes: u64,
    /// Their SHA-256, in hex.
    pub(super) sha256: String,
}

/// What a file holds. It is brought to disk first.
pub(super) fn of(path: &Path) -> io::Result<Content> {
    let mut file = File::open(path)?;
    file.sync_all()?;
    read(&mut file, |_| Ok(()))
}

/// Copies a file and brings the copy to disk; what was read.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<Content> {
    let mut source = File::open(from)?;
    let mut target = OpenOptions::new().write(true).create_new(true).open(to)?;
    target.set_permissions(source.metadata()?.permissions())?;
    let content = read(&mut source, |piece| target.write_all(piece))?;
    target.sync_all()?;
    Ok(content)
}

fn read(file: &mut File, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Content> {
    let (mut context, mut bytes) = (Context::new(&SHA256), 0);
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            break;
        }
        context.update(&piece[..length]);
        take(&piece[..length])?;
        bytes += length as u64;
    }
    let mut sha256 = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Writing to a string can't fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    Ok(Content { bytes, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_holds_what_was_read_and_is_never_made_over_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&from, "abc").unwrap();
        let content = copy(&from, &to).unwrap();
        // The example of FIPS 180.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(content, Content { bytes: 3, sha256: known.to_owned() });
        assert_eq!(of(&to).unwrap(), content);
        assert_eq!(copy(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
