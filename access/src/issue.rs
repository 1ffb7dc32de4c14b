//! Tokens made with a key that Docket's own settings name, for development and between services: an identity provider makes those of a
//! shop's people.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};

use crate::action::Action;
use crate::keys::{SigningKey, read_secret};
use crate::role::Role;
use crate::settings::{AuthSettings, IssuerSettings, KeySource, SettingsError};
use crate::token::is_name;

/// Makes tokens of one issuer.
pub struct Signer {
    audience: String,
    issuer: IssuerSettings,
    algorithm: Algorithm,
    key: EncodingKey,
    /// What the key is called, if it is called anything.
    key_id: Option<String>,
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
    /// No issuer's key is here.
    #[error(
        "no issuer in the settings has `secret_files`, or a `signing_key_file` that is here: of others, only they themselves can make tokens"
    )]
    NoKey,
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
    /// Of the first issuer whose key is here, or of the one of this name.
    pub fn of(settings: AuthSettings, name: Option<&str>) -> Result<Self, IssueError> {
        let AuthSettings { audience, issuers, .. } = settings;
        let mut named = issuers.into_iter().filter(|its| name.is_none_or(|name| name == its.name));
        let issuer = named.find(IssuerSettings::signs_here).ok_or(IssueError::NoKey)?;
        let algorithm = *issuer.algorithms.first().ok_or(IssueError::NoKey)?;
        let SigningKey { key, id } = match (&issuer.keys, &issuer.signs_with) {
            (KeySource::Secrets(paths), _) => {
                let path = paths.last().ok_or(IssueError::NoKey)?;
                SigningKey { key: EncodingKey::from_secret(&read_secret(path)?)?, id: None }
            }
            (KeySource::File(public), Some(path)) => SigningKey::read(path, public)?,
            (KeySource::File(_) | KeySource::Address(_), _) => return Err(IssueError::NoKey),
        };
        Ok(Self { audience, issuer, algorithm, key, key_id: id })
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
        let header = Header { kid: self.key_id.clone(), ..Header::new(self.algorithm) };
        Ok(encode(&header, &Value::Object(claims), &self.key)?)
    }
}

impl IssuerSettings {
    /// Whether this process has what signs in its name.
    fn signs_here(&self) -> bool {
        match &self.keys {
            KeySource::Secrets(_) => true,
            KeySource::File(_) | KeySource::Address(_) => {
                self.signs_with.as_ref().is_some_and(|path| path.is_file())
            }
        }
    }
}
