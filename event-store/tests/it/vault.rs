//! The vault: what opens, what does not, and the file of the master key.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use event_store::keys::memory::MemoryKeys;
use event_store::keys::{MasterKey, OpenError, SealError, Vault};

fn vault() -> Vault {
    Vault::new(Arc::new(MemoryKeys::new()), MasterKey::generate().unwrap())
}

#[tokio::test]
async fn sealed_text_hides_what_is_inside_and_never_repeats() {
    let vault = vault();
    let first = vault.seal("customer-7", b"Zoe of Elm Street").await.unwrap();
    let second = vault.seal("customer-7", b"Zoe of Elm Street").await.unwrap();
    assert_ne!(first.sealed, second.sealed);
    assert!(!first.sealed.contains("Zoe of Elm Street"));
    for sealed in [first, second] {
        let opened = vault.open("customer-7", &sealed.sealed).await.unwrap();
        assert_eq!(opened.as_deref(), Some(b"Zoe of Elm Street".as_slice()));
    }
}

#[tokio::test]
async fn nothing_at_all_can_be_sealed_too() {
    let vault = vault();
    let sealed = vault.seal("customer-7", b"").await.unwrap();
    assert_eq!(vault.open("customer-7", &sealed.sealed).await.unwrap(), Some(vec![]));
}

#[tokio::test]
async fn sealed_text_does_not_open_as_another_persons() {
    let vault = vault();
    let sealed = vault.seal("customer-7", b"Zoe").await.unwrap().sealed;
    vault.seal("customer-8", b"Max").await.unwrap();
    let opened = vault.open("customer-8", &sealed).await;
    assert!(matches!(opened, Err(OpenError::Damaged)), "{opened:?}");
}

#[tokio::test]
async fn changed_or_broken_text_does_not_open() {
    let vault = vault();
    let sealed = vault.seal("customer-7", b"Zoe").await.unwrap().sealed;
    let changed = |at: usize| {
        let mut text = sealed.clone().into_bytes();
        text[at] = if text[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).unwrap()
    };
    let cut = sealed[..sealed.len() - 4].to_owned();
    // The first character stands in the format, the eighth in the nonce, the last but two in the tag.
    let broken = [changed(0), changed(7), changed(sealed.len() - 3), cut];
    for text in broken.into_iter().chain(["", "AQ", "no base64!"].map(String::from)) {
        let opened = vault.open("customer-7", &text).await;
        assert!(matches!(opened, Err(OpenError::Damaged)), "{text}: {opened:?}");
    }
}

#[tokio::test]
async fn a_person_without_a_key_is_not_taken_for_an_erased_one() {
    let sealed = vault().seal("customer-7", b"Zoe").await.unwrap().sealed;
    let opened = vault().open("customer-7", &sealed).await;
    assert!(matches!(opened, Err(OpenError::NoKey)), "{opened:?}");
}

#[tokio::test]
async fn another_master_key_opens_nothing_and_seals_nothing() {
    let keys = Arc::new(MemoryKeys::new());
    let right = Vault::new(keys.clone(), MasterKey::from_bytes([1; 32]));
    let wrong = Vault::new(keys, MasterKey::from_bytes([2; 32]));
    let sealed = right.seal("customer-7", b"Zoe").await.unwrap().sealed;
    let opened = wrong.open("customer-7", &sealed).await;
    assert!(matches!(opened, Err(OpenError::WrongMasterKey)), "{opened:?}");
    let refused = wrong.seal("customer-7", b"Zoe").await;
    assert!(matches!(refused, Err(SealError::WrongMasterKey)), "{refused:?}");
}

#[tokio::test]
async fn the_master_key_of_a_file_stays_the_same_and_is_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let keys = Arc::new(MemoryKeys::new());
    let load = || Vault::new(keys.clone(), MasterKey::load_or_create(&path).unwrap());
    let sealed = load().seal("customer-7", b"Zoe").await.unwrap().sealed;
    assert!(load().open("customer-7", &sealed).await.unwrap().is_some());
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (32, 0o600));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
}

#[test]
fn a_file_that_is_no_master_key_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    for content in [&b"short"[..], &[7; 33]] {
        fs::write(&path, content).unwrap();
        assert!(MasterKey::load_or_create(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}
