//! Who this process is to NATS.
//!
//! **Invariant:** what is told of a login names whom the server knows, and never what makes it believed.

use std::fmt;
use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;
use nkeys::KeyPair;

/// How a process logs in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Login {
    /// By what stands in the addresses, if anything does.
    #[default]
    Address,
    /// By a file with JWT and seed, as `nsc` writes it.
    Credentials(PathBuf),
    /// By a file with the seed of an NKey: a line that begins with `SU`.
    Nkey(PathBuf),
}

/// Why nobody can log in with a file.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// It can't be read.
    #[error("the file {path}, by which this process logs in to NATS, can't be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// It holds no seed of a user.
    #[error("the file {path} holds no seed of a user's NKey: a line that begins with SU")]
    NoSeed {
        /// The file.
        path: PathBuf,
    },
}

/// Whom the server knows a process as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// The public half of an NKey.
    Key(String),
    /// A name that stands in an address.
    User(String),
    /// It shows nothing that has a name.
    Nobody,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "NKey {key}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Nobody => f.write_str("nobody, without a login of its own"),
        }
    }
}

/// Lets a client log in, and says as whom.
pub(super) async fn log_in(
    options: ConnectOptions,
    login: &Login,
    servers: &str,
) -> Result<(ConnectOptions, Identity), LoginError> {
    match login {
        Login::Address => Ok((options, in_address(servers))),
        Login::Credentials(path) => {
            let text = read(path).await?;
            let (_, identity) = seed(&text, path)?;
            let options = options.credentials(&text);
            let unreadable = |source| LoginError::Unreadable { path: path.clone(), source };
            Ok((options.map_err(unreadable)?, identity))
        }
        Login::Nkey(path) => {
            let (seed, identity) = seed(&read(path).await?, path)?;
            Ok((options.nkey(seed), identity))
        }
    }
}

async fn read(path: &Path) -> Result<String, LoginError> {
    let unreadable = |source| LoginError::Unreadable { path: path.to_owned(), source };
    tokio::fs::read_to_string(path).await.map_err(unreadable)
}

/// The first line that is the seed of a user's key, and whose it is.
fn seed(text: &str, path: &Path) -> Result<(String, Identity), LoginError> {
    let mut lines = text.lines().map(str::trim).filter(|line| line.starts_with("SU"));
    let found = lines.find_map(|line| Some((line.to_owned(), KeyPair::from_seed(line).ok()?)));
    let (seed, pair) = found.ok_or_else(|| LoginError::NoSeed { path: path.to_owned() })?;
    Ok((seed, Identity::Key(pair.public_key())))
}

/// The user of `nats://user:password@host`. What stands there alone is a token, which is a secret.
fn in_address(servers: &str) -> Identity {
    let logins = servers.split(',').filter_map(|server| {
        let (login, _) =
            server.split_once("://").map_or(server, |(_, rest)| rest).split_once('@')?;
        let (user, _) = login.split_once(':')?;
        Some(user.to_owned())
    });
    logins.into_iter().next().map_or(Identity::Nobody, Identity::User)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_found_where_it_stands_and_only_its_public_half_is_told() {
        let pair = KeyPair::new_user();
        let text = format!(
            "-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            pair.seed().unwrap()
        );
        let (seed, identity) = seed(&text, Path::new("a.creds")).unwrap();
        assert_eq!(seed, pair.seed().unwrap());
        assert_eq!(identity.to_string(), format!("NKey {}", pair.public_key()));
    }

    #[test]
    fn what_holds_no_seed_of_a_user_is_refused_and_named() {
        let account = KeyPair::new_account().seed().unwrap();
        let broken = KeyPair::new_user().seed().unwrap().replace('A', "B");
        for text in ["", "SU", &account, &broken[1..]] {
            let refused = seed(text, Path::new("/run/a.nk")).unwrap_err().to_string();
            assert!(refused.contains("/run/a.nk"), "{refused}");
        }
    }

    #[test]
    fn a_user_of_an_address_has_a_name_and_a_token_has_none() {
        let user = in_address("nats://one:4222, nats://ada:secret@two:4222");
        assert_eq!(user, Identity::User("ada".to_owned()));
        for servers in ["nats://token@host:4222", "nats://host:4222", "host"] {
            assert_eq!(in_address(servers), Identity::Nobody, "{servers}");
        }
    }
}
