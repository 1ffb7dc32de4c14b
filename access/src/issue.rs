//! Tokens for development, made with a secret that is shared: an identity provider makes those of a shop.

use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};

use crate::action::Action;
use crate::keys::read_secret;
use crate::role::Role;
use crate::settings::{AuthSettings, IssuerSettings, KeySource, SettingsError};
use crate::token::is_name;

/// Makes tokens of one issuer.
pub struct Signer {
    audience: String,
    issuer: IssuerSettings,
    algorithm: Algorithm,
    key: EncodingKey,
}

/// Whom a token is for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Their name.
    pub subject: String,
    /// What they are.
    pub roles: Vec<Role>,
    /// What the token is confined to, if it is.
    pub scopes: Option<Vec<String>>,
    /// For how long.
    pub lasts: TimeDelta,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The settings don't go with it.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No issuer shares a secret.
    #[error(
        "no issuer in the settings has `secret_files`: of others, only they themselves can make tokens"
    )]
    NoSecret,
    /// The issuer may not give it.
    #[error("issuer `{issuer}` may not make anybody {role}")]
    Role {
        /// Which issuer.
        issuer: String,
        /// Which role.
        role: Role,
    },
    /// Nobody has such a name.
    #[error("a subject has 1 to 128 visible ASCII characters, and no blank")]
    Subject,
    /// There is no such scope: the token could do nothing.
    #[error(
        "there is no scope `{0}`; one is that of an action, such as `orders:read` (docs/security.md)"
    )]
    Scope(String),
    /// It could not be signed.
    #[error("the token can't be signed")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

impl Signer {
    /// Of the first issuer that shares a secret, or of the one of this name.
    pub fn of(settings: AuthSettings, name: Option<&str>) -> Result<Self, IssueError> {
        let AuthSettings { audience, issuers, .. } = settings;
        let mut sharing = issuers.into_iter().filter_map(|issuer| {
            let path = secret(&issuer)?.to_owned();
            name.is_none_or(|name| name == issuer.name).then_some((issuer, path))
        });
        let (issuer, path) = sharing.next().ok_or(IssueError::NoSecret)?;
        let algorithm = *issuer.algorithms.first().ok_or(IssueError::NoSecret)?;
        let key = EncodingKey::from_secret(&read_secret(&path)?)?;
        Ok(Self { audience, issuer, algorithm, key })
    }

    /// A token from now on.
    ///
    /// # Errors
    /// When nobody would take it: for a role that the issuer may not give, a name that nobody has, a scope that there is not.
    pub fn sign(&self, wanted: &Wanted, now: DateTime<Utc>) -> Result<String, IssueError> {
        if let Some(&role) = wanted.roles.iter().find(|role| !self.issuer.roles.contains(role)) {
            return Err(IssueError::Role { issuer: self.issuer.name.clone(), role });
        }
        if !is_name(&wanted.subject) {
            return Err(IssueError::Subject);
        }
        let is_known =
            |scope: &String| Action::ALL.iter().any(|action| action.scope() == scope.as_str());
        let unknown = wanted.scopes.iter().flatten().find(|scope| !is_known(scope));
        if let Some(scope) = unknown {
            return Err(IssueError::Scope(scope.clone()));
        }
        let mut claims = Map::new();
        claims.insert("iss".into(), self.issuer.issuer.clone().into());
        claims.insert("aud".into(), self.audience.clone().into());
        claims.insert("sub".into(), wanted.subject.clone().into());
        claims.insert("iat".into(), now.timestamp().into());
        claims.insert("exp".into(), (now + wanted.lasts).timestamp().into());
        claims.insert(self.issuer.roles_claim.clone(), json!(wanted.roles));
        if wanted.roles.contains(&Role::Customer) {
            claims.insert(self.issuer.customer_claim.clone(), wanted.subject.clone().into());
        }
        if let Some(scopes) = &wanted.scopes {
            claims.insert("scope".into(), scopes.join(" ").into());
        }
        Ok(encode(&Header::new(self.algorithm), &Value::Object(claims), &self.key)?)
    }
}

fn secret(issuer: &IssuerSettings) -> Option<&Path> {
    match &issuer.keys {
        KeySource::Secrets(paths) => paths.last().map(PathBuf::as_path),
        KeySource::File(_) | KeySource::Address(_) => None,
    }
}
