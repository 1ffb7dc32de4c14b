//! The token by which a process says who it is where it asks another on its own account.
//!
//! It stands in a file, which whoever runs the process renews. Where none is named, and this process has the key of an issuer who may make
//! services, it signs one for itself.

use std::path::Path;

use access::{AuthSettings, IssueError, Role, Signer, Wanted};
use anyhow::{Context as _, Result};
use chrono::TimeDelta;
use service_kit::clock;
use service_kit::service_token::ServiceToken;

use crate::connect::ConnectArgs;

/// How long a token lasts that is signed for one request.
const LASTS: TimeDelta = TimeDelta::minutes(1);

/// What `name` shows, if it has anything to show.
pub(super) fn own_token(
    name: &str,
    connect: &ConnectArgs,
    auth_file: Option<&Path>,
) -> Result<Option<ServiceToken>> {
    if let Some(token) = connect.service_token()? {
        return Ok(Some(token));
    }
    let Some(path) = auth_file else { return Ok(None) };
    let settings = AuthSettings::read(path).context("whose tokens are taken can't be read")?;
    let signer = match Signer::of(settings, None) {
        Ok(signer) => signer,
        Err(IssueError::NoKey) => return Ok(None),
        Err(error) => return Err(error).context("no token can be signed"),
    };
    let wanted =
        Wanted { subject: name.to_owned(), roles: vec![Role::Service], scopes: None, lasts: LASTS };
    let now = clock::system();
    if let Err(IssueError::Role { .. }) = signer.sign(&wanted, now()) {
        return Ok(None);
    }
    Ok(Some(ServiceToken::signed(move || signer.sign(&wanted, now()).ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(roles: &str) -> Option<ServiceToken> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth.toml");
        let settings = format!(
            "audience = \"docket\"\n[[issuers]]\nname = \"dev\"\nissuer = \"x\"\nalgorithms = [\"HS256\"]\n\
            secret_files = [\"secret\"]\nroles = [{roles}]\n"
        );
        std::fs::write(&path, settings).unwrap();
        std::fs::write(folder.path().join("secret"), "s".repeat(32)).unwrap();
        own_token("command-service", &ConnectArgs::default(), Some(&path)).unwrap()
    }

    #[test]
    fn it_signs_for_itself_only_where_it_has_the_key_of_who_may_make_services() {
        let token = shows("\"service\"").unwrap().authorization().unwrap();
        assert!(token.to_str().unwrap().starts_with("Bearer ey"));
        assert!(shows("\"operator\"").is_none());
        assert!(own_token("command-service", &ConnectArgs::default(), None).unwrap().is_none());
    }
}
