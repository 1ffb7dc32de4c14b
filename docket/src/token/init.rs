//! `docket token init`: pairs of keys, and the settings that name them.
//!
//! **Invariant:** what is there already is not overwritten.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::output;

/// The settings that name the files.
const SETTINGS: &str = include_str!("../../../deploy/auth.toml");
/// The issuers in them, as their files are called.
const ISSUERS: [&str; 2] = ["auth_dev", "auth_services"];
/// How much of a public key is its name.
const NAME: usize = 8;

/// Draws a pair of keys for each issuer, and writes the settings beside them.
pub(super) fn write(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} can't be made", folder.display()))?;
    // The keys last: settings without them are refused, keys without settings would be forgotten.
    let settings = folder.join("auth.toml");
    write_new(&settings, SETTINGS, 0o644)?;
    for issuer in ISSUERS {
        let (private, public) = pair()?;
        write_new(&folder.join(format!("{issuer}.key")), &private, 0o600)?;
        write_new(&folder.join(format!("{issuer}.json")), &public, 0o644)?;
    }
    let (path, key) = (settings.display(), folder.join("auth_dev.key"));
    output::line(format_args!(
        "{path} says whose tokens are taken; whoever has {} can make them, as\n  docket token --auth-file {path} --role operator --subject ada",
        key.display()
    ))?;
    Ok(())
}

/// An Ed25519 key to sign with (PEM, PKCS#8), and the set that its other half is alone in (RFC 8037).
fn pair() -> Result<(String, String)> {
    let pair = Ed25519KeyPair::generate().map_err(|_| anyhow!("this machine draws no keys"))?;
    let private = pair.to_pkcs8v1().map_err(|_| anyhow!("the key can't be written"))?;
    let private = STANDARD.encode(private.as_ref());
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
        "kid": &x[..NAME], "x": x });
    Ok((
        format!("-----BEGIN PRIVATE KEY-----\n{private}\n-----END PRIVATE KEY-----\n"),
        format!("{}\n", json!({ "keys": [key] })),
    ))
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(anyhow!("{} is there already; nothing was changed", path.display()));
        }
        file => file.with_context(|| format!("{} can't be made", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use access::{AuthSettings, IssueError, Role, Signer, Wanted};
    use chrono::TimeDelta;
    use service_kit::clock;

    use super::*;

    #[test]
    fn what_is_made_is_read_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth");
        write(&path).unwrap();
        let settings = AuthSettings::read(&path.join("auth.toml")).unwrap();
        let signer = Signer::of(settings, None).unwrap();
        let wanted = Wanted {
            subject: "ada".to_owned(),
            roles: Role::ALL.to_vec(),
            scopes: None,
            lasts: TimeDelta::minutes(1),
        };
        let now = clock::system()();
        assert_eq!(signer.sign(&wanted, now).unwrap().split('.').count(), 3);
        for subject in ["", "a b", "ada\n", "Łukasz", &"a".repeat(129)] {
            let wanted = Wanted { subject: subject.to_owned(), ..wanted.clone() };
            assert!(matches!(signer.sign(&wanted, now), Err(IssueError::Subject)), "{subject:?}");
        }
        for scope in ["nonsense:read", "", "orders:read orders:write", "ORDERS:READ"] {
            let scopes = Some(vec!["orders:read".to_owned(), scope.to_owned()]);
            let wanted = Wanted { scopes, ..wanted.clone() };
            assert!(matches!(signer.sign(&wanted, now), Err(IssueError::Scope(_))), "{scope:?}");
        }
        let scopes = Some(vec!["orders:read".to_owned()]);
        signer.sign(&Wanted { scopes, ..wanted }, now).unwrap();
        let key = path.join("auth_dev.key");
        let before = std::fs::read(&key).unwrap();
        assert!(write(&path).unwrap_err().to_string().contains("is there already"));
        assert_eq!(std::fs::read(&key).unwrap(), before);
    }
}
