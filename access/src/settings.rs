//! The file that says whose tokens are taken.
//!
//! **Invariant:** settings that would take more than was meant are an error: an issuer signs with secrets or with public keys,
//! never both; it gives the roles that are named, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde::Deserialize;

use crate::role::Role;
use crate::this_machine::is_this_machine;

/// By how much clocks may differ at most.
const MOST_LEEWAY_S: u64 = 60;
/// The shortest secret: as long as what HS256 makes of it (RFC 7518, 3.2).
pub(crate) const LEAST_SECRET_BYTES: usize = 32;

/// Whose tokens are taken.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    pub(crate) audience: String,
    pub(crate) leeway: Duration,
    pub(crate) issuers: Vec<IssuerSettings>,
}

/// Somebody who vouches.
#[derive(Debug, Clone)]
pub(crate) struct IssuerSettings {
    /// What it is called in the log.
    pub(crate) name: String,
    /// `iss`, exactly.
    pub(crate) issuer: String,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) roles: BTreeSet<Role>,
    /// Who has which of them, where its tokens don't say so; where it is empty, they do.
    pub(crate) subjects: BTreeMap<String, BTreeSet<Role>>,
    pub(crate) roles_claim: String,
    pub(crate) customer_claim: String,
    pub(crate) keys: KeySource,
    /// What signs in its name, where somebody may: the file is only with them.
    pub(crate) signs_with: Option<PathBuf>,
}

/// Where its keys are.
#[derive(Debug, Clone)]
pub(crate) enum KeySource {
    /// Each file holds a secret that is shared with it.
    Secrets(Vec<PathBuf>),
    /// A file with its public keys.
    File(PathBuf),
    /// Where it publishes them.
    Address(Url),
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what such a file looks like.
    #[error("{} is no file of issuers", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        source: toml::de::Error,
    },
    /// It says something that can't be meant.
    #[error("{0}")]
    Wrong(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    audience: String,
    #[serde(default = "usual_leeway")]
    leeway_seconds: u64,
    issuers: Vec<IssuerTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerTable {
    name: String,
    issuer: String,
    algorithms: Vec<String>,
    roles: BTreeSet<Role>,
    #[serde(default)]
    subjects: BTreeMap<String, BTreeSet<Role>>,
    #[serde(default = "usual_roles_claim")]
    roles_claim: String,
    #[serde(default = "usual_customer_claim")]
    customer_claim: String,
    #[serde(default)]
    secret_files: Vec<PathBuf>,
    jwks_file: Option<PathBuf>,
    signing_key_file: Option<PathBuf>,
    jwks_url: Option<String>,
}

fn usual_leeway() -> u64 {
    30
}

fn usual_roles_claim() -> String {
    "roles".to_owned()
}

fn usual_customer_claim() -> String {
    "sub".to_owned()
}

impl AuthSettings {
    /// Reads the file; what it names is looked for beside it.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        let file: File = toml::from_str(&text)
            .map_err(|source| SettingsError::Malformed { path: path.to_owned(), source })?;
        let beside = path.parent().unwrap_or(Path::new(""));
        file.checked(beside)
            .map_err(|wrong| SettingsError::Wrong(format!("{}: {wrong}", path.display())))
    }
}

impl File {
    fn checked(self, beside: &Path) -> Result<AuthSettings, String> {
        if self.audience.is_empty() {
            return Err("`audience` is empty".to_owned());
        }
        if self.leeway_seconds > MOST_LEEWAY_S {
            return Err(format!("`leeway_seconds` is at most {MOST_LEEWAY_S}"));
        }
        if self.issuers.is_empty() {
            return Err("it has no `[[issuers]]`: nobody could come in".to_owned());
        }
        let mut issuers: Vec<IssuerSettings> = Vec::new();
        for table in self.issuers {
            let name = table.name.clone();
            let issuer =
                table.checked(beside).map_err(|wrong| format!("issuer `{name}`: {wrong}"))?;
            let same = |known: &&IssuerSettings| {
                known.name == issuer.name || known.issuer == issuer.issuer
            };
            if let Some(known) = issuers.iter().find(same) {
                return Err(format!(
                    "issuer `{name}` has the name or the `issuer` of `{}`",
                    known.name
                ));
            }
            issuers.push(issuer);
        }
        let leeway = Duration::from_secs(self.leeway_seconds);
        Ok(AuthSettings { audience: self.audience, leeway, issuers })
    }
}

impl IssuerTable {
    fn checked(self, beside: &Path) -> Result<IssuerSettings, String> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=32).contains(&self.name.len()) || !self.name.bytes().all(plain) {
            return Err("`name` is 1 to 32 small letters, digits and `-`".to_owned());
        }
        if self.issuer.is_empty() {
            return Err("`issuer` is empty".to_owned());
        }
        if self.roles.is_empty() {
            return Err("`roles` names none that it may give".to_owned());
        }
        for (subject, roles) in &self.subjects {
            if roles.is_empty() || !roles.is_subset(&self.roles) {
                return Err(format!(
                    "`subjects`: `{subject}` has one or more of the `roles`, and no others"
                ));
            }
        }
        let algorithms: Option<Vec<Algorithm>> =
            self.algorithms.iter().map(|word| word.parse().ok()).collect();
        let algorithms = algorithms.filter(|algorithms| !algorithms.is_empty()).ok_or(
            "`algorithms` is one or more of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        )?;
        let keys = match (self.secret_files.as_slice(), self.jwks_file, self.jwks_url) {
            ([_, ..], None, None) => {
                KeySource::Secrets(self.secret_files.iter().map(|path| beside.join(path)).collect())
            }
            ([], Some(path), None) => KeySource::File(beside.join(path)),
            ([], None, Some(address)) => KeySource::Address(address_of_keys(&address)?),
            _ => {
                return Err(
                    "exactly one of `secret_files`, `jwks_file` and `jwks_url` is set".to_owned()
                );
            }
        };
        let shares = matches!(keys, KeySource::Secrets(_));
        if algorithms.iter().any(|algorithm| is_of_secrets(*algorithm) != shares) {
            return Err("`HS…` goes with `secret_files`, every other algorithm with `jwks_file` or `jwks_url`".to_owned());
        }
        let signs_with = self.signing_key_file.map(|path| beside.join(path));
        let goes_with_it = matches!(keys, KeySource::File(_)) && algorithms == [Algorithm::EdDSA];
        if signs_with.is_some() && !goes_with_it {
            return Err("`signing_key_file` goes with `jwks_file` and `algorithms = [\"EdDSA\"]`"
                .to_owned());
        }
        let (name, issuer, roles, subjects) = (self.name, self.issuer, self.roles, self.subjects);
        let (roles_claim, customer_claim) = (self.roles_claim, self.customer_claim);
        Ok(IssuerSettings {
            name,
            issuer,
            algorithms,
            roles,
            subjects,
            roles_claim,
            customer_claim,
            keys,
            signs_with,
        })
    }
}

/// Whether who verifies can sign as well.
fn is_of_secrets(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// Keys that came over an open line could be anybody's.
fn address_of_keys(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("`jwks_url` {text} is no address"))?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(host) => Ok(url),
        _ => Err(format!("`jwks_url` {text} is not https")),
    }
}
