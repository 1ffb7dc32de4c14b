//! Secrets, which may stand in a file of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::missing::WrongSettings;

/// A secret: said itself, or the file that it stands in.
pub(crate) fn secret(
    name: &str,
    said: Option<String>,
    path: Option<PathBuf>,
) -> Result<Option<String>> {
    match (said, path) {
        (Some(_), Some(_)) => {
            let both =
                format!("{name} and {name}_file are both set; which one counts can't be told");
            Err(WrongSettings(both).into())
        }
        (Some(said), None) => Ok(Some(said)),
        (None, Some(path)) => read(name, &path).map(Some),
        (None, None) => Ok(None),
    }
}

/// What a secret's key ends with whose value is the name of a file.
const FILE: &str = "_file";

/// The key of a secret's file for that of the secret, and the other way round.
pub(super) fn twin(key: &str) -> String {
    key.strip_suffix(FILE).map_or_else(|| format!("{key}{FILE}"), str::to_owned)
}

/// A secret from its file, without the line's end.
pub(super) fn read(name: &str, path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| {
        WrongSettings(format!("the file {} of {name} can't be read", path.display()))
    })?;
    Ok(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_s_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "postgres://shop:secret@db/log\n").unwrap();
        let read = secret("postgres_url", None, Some(path.clone())).unwrap();
        assert_eq!(read.as_deref(), Some("postgres://shop:secret@db/log"));
        let both = secret("postgres_url", Some("a".to_owned()), Some(path));
        assert!(both.unwrap_err().to_string().contains("both"));
    }
}
