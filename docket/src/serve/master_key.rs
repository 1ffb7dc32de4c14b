//! The master key of a process: its own file, and whether it is the one that wrapped people's keys.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use event_store::keys::{self, CheckError, KeyStore, MasterKey, Vault};

/// How often is asked for the check until there is an answer.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// How often is looked for a key that another process makes, and for how long.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const NOT_MADE_AFTER: Duration = Duration::from_mins(1);

const WAYS: &str =
    "--master-key-file, DOCKET_MASTER_KEY_FILE, or master_key_file in the settings file";

/// The key of the process that keeps people's keys; made with a store that was not used yet.
pub(super) async fn own(path: &Path, store: &dyn KeyStore) -> Result<MasterKey> {
    let shown = path.display();
    if !path.exists() && keys::is_bound(store).await? {
        bail!(
            "the master key {shown} is missing, and the key store holds keys that it wrapped: put the file back from \
             your backup, or name it with {WAYS}"
        );
    }
    let master = MasterKey::load_or_create(path)
        .with_context(|| format!("the master key {shown} can't be read"))?;
    match master.bind(store).await {
        Ok(()) => Ok(master),
        Err(CheckError::WrongMasterKey) => bail!(
            "{shown} is not the master key of the key store: it opens no personal data. Name the right one with {WAYS}; \
             or the key store is another one, then correct keys_postgres_url. Nothing was changed"
        ),
        Err(error) => Err(anyhow!(error).context("the master key can't be checked")),
    }
}

/// The key of a process that only opens. Of a key that is not there nothing could be opened: another one is not made. The
/// command-service may be about to make it: it is waited for a while, and `tells` hears of that.
pub(super) async fn existing(path: &Path, tells: impl FnOnce(String)) -> Result<MasterKey> {
    let shown = path.display();
    if !path.is_file() {
        tells(format!("waits for the master key {shown}, which the command-service makes"));
        let made = async {
            while !path.is_file() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(NOT_MADE_AFTER, made).await.is_err() {
            bail!("there is no master key at {shown}; the command-service makes it");
        }
    }
    MasterKey::load(path)
        .with_context(|| format!("the master key {} can't be read", path.display()))
}

/// Returns when the command-service's keys turn out to be wrapped by another key; that may be asked later than the start.
pub(super) async fn wrong(vault: Arc<Vault>, path: PathBuf) -> String {
    loop {
        match vault.check_master().await {
            Ok(()) => return std::future::pending().await,
            Err(CheckError::WrongMasterKey) => {
                return format!(
                    "{} is not the master key of the command-service: personal data can't be opened. Name the same file \
                     for both with {WAYS}",
                    path.display()
                );
            }
            Err(error) => tracing::debug!(%error, "the master key can't be checked now"),
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use event_store::keys::memory::MemoryKeys;

    use super::*;

    #[tokio::test]
    async fn a_key_is_made_for_a_new_store_only_and_another_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, store) = (folder.path().join("master.key"), MemoryKeys::new());
        own(&path, &store).await.unwrap();
        own(&path, &store).await.unwrap();
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let missing = own(&path, &store).await.unwrap_err().to_string();
        assert!(missing.contains("is missing") && missing.contains("DOCKET_MASTER"), "{missing}");
        assert!(!path.exists(), "nothing was made");
        std::fs::write(&path, [9; 32]).unwrap();
        let wrong = own(&path, &store).await.unwrap_err().to_string();
        assert!(wrong.contains("is not the master key of the key store"), "{wrong}");
        std::fs::write(&path, kept).unwrap();
        own(&path, &store).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_not_there_yet_is_waited_for_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let mut told = String::new();
        let never = existing(&path, |waits| told = waits).await.unwrap_err().to_string();
        assert!(told.contains("waits for the master key"), "{told}");
        assert!(never.contains("there is no master key"), "{never}");
        let makes = async {
            tokio::time::sleep(Duration::from_secs(30)).await;
            std::fs::write(&path, [9; 32]).unwrap();
        };
        let (found, ()) = tokio::join!(existing(&path, |_| ()), makes);
        found.unwrap();
        existing(&path, |told| panic!("{told}")).await.unwrap();
    }

    #[tokio::test]
    async fn another_key_than_the_one_of_the_store_is_told() {
        let store: Arc<dyn KeyStore> = Arc::new(MemoryKeys::new());
        MasterKey::from_bytes([7; 32]).bind(&*store).await.unwrap();
        let vault = Vault::new(Arc::clone(&store), MasterKey::from_bytes([8; 32]));
        let said = wrong(Arc::new(vault), PathBuf::from("other.key")).await;
        assert!(said.starts_with("other.key is not the master key"), "{said}");
        let vault = Arc::new(Vault::new(store, MasterKey::from_bytes([7; 32])));
        let right = tokio_util::sync::CancellationToken::new();
        right.cancel();
        let told = wrong(vault, PathBuf::from("right.key"));
        assert!(
            right.run_until_cancelled(told).await.is_none(),
            "nothing is told of the right one"
        );
    }
}
