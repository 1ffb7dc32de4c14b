//! Where keys are read: a file, or an address over HTTP.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use super::key_set::{KeySet, NoKeys};
use crate::settings::{LEAST_SECRET_BYTES, SettingsError};

/// How long an address may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The largest answer.
const MOST_BYTES: usize = 256 * 1024;

/// Public keys that may change.
#[derive(Debug)]
pub(super) enum Source {
    File(PathBuf),
    Address(Client, Url),
}

/// Why there are no keys now.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("the file can't be read")]
    File(#[from] std::io::Error),
    #[error("the address does not answer")]
    Address(#[from] reqwest::Error),
    #[error("the address answers with status {0}")]
    Status(u16),
    #[error("the answer is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    NoKeys(#[from] NoKeys),
}

impl Source {
    /// An address, asked without following it elsewhere.
    pub(super) fn address(url: Url) -> Result<Self, SettingsError> {
        let client = Client::builder().timeout(ANSWER_WITHIN).redirect(Policy::none()).build();
        let wrong = |error| SettingsError::Wrong(format!("keys can't be asked for: {error}"));
        Ok(Self::Address(client.map_err(wrong)?, url))
    }

    /// Where that is, for the log.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Address(_, url) => url.to_string(),
        }
    }

    /// The keys as they are now.
    pub(super) async fn fetch(&self) -> Result<KeySet, FetchError> {
        let text = match self {
            Self::File(path) => tokio::fs::read(path).await?,
            Self::Address(client, url) => {
                let mut answer = client.get(url.clone()).send().await?;
                if !answer.status().is_success() {
                    return Err(FetchError::Status(answer.status().as_u16()));
                }
                let mut text = Vec::new();
                while let Some(chunk) = answer.chunk().await? {
                    if text.len() + chunk.len() > MOST_BYTES {
                        return Err(FetchError::TooLarge);
                    }
                    text.extend_from_slice(&chunk);
                }
                text
            }
        };
        Ok(KeySet::parse(&text)?)
    }
}

/// A secret that is shared with an issuer, without the line's end.
pub(crate) fn read_secret(path: &Path) -> Result<Vec<u8>, SettingsError> {
    let secret = std::fs::read(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    let secret = secret.trim_ascii_end().to_vec();
    if secret.len() < LEAST_SECRET_BYTES {
        let (path, least) = (path.display(), LEAST_SECRET_BYTES);
        return Err(SettingsError::Wrong(format!(
            "the secret in {path} has less than {least} bytes"
        )));
    }
    Ok(secret)
}
