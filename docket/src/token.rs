//! `docket token`: tokens for development, and the settings and the secret that go with them.
//!
//! An identity provider makes the tokens of a shop. **Invariant:** what is there already is not overwritten.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use access::{AuthSettings, Role, Signer, Wanted};
use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use service_kit::clock;

use crate::config::{WrongSettings, needed};
use crate::output;

/// The settings that go with the secret.
const SETTINGS: &str = include_str!("../../deploy/auth.toml");
/// The file of the secret, as the settings name it.
const SECRET: &str = "auth_secret";
/// The longest that a token lasts, minutes: a month.
const MOST_MINUTES: i64 = 31 * 24 * 60;

/// Make a token for development, signed with a secret that the platform shares
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    command: Option<TokenCommand>,
    #[command(flatten)]
    make: MakeArgs,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    Init(InitArgs),
}

/// Draw a secret, and write the settings that go with it
#[derive(Debug, Args)]
struct InitArgs {
    /// Folder of both, made if need be
    #[arg(value_name = "DIR", default_value = "auth")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
struct MakeArgs {
    /// File that says whose tokens are taken
    #[arg(long, env = "DOCKET_AUTH_FILE", value_name = "FILE")]
    auth_file: Option<PathBuf>,
    /// Whose token it is; of a customer, the customer's id
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// customer, support, operator or service; several separated by commas
    #[arg(long, value_name = "ROLES", value_parser = role, value_delimiter = ',')]
    role: Vec<Role>,
    /// What the token is confined to, such as `orders:read`; several separated by commas [default: all that the roles may]
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scope: Option<Vec<String>>,
    /// For how long it is taken
    #[arg(long, value_name = "MINUTES", default_value = "60", value_parser = clap::value_parser!(i64).range(1..=MOST_MINUTES),
        allow_negative_numbers = true)]
    minutes: i64,
    /// Which issuer makes it [default: the first that shares a secret]
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
}

fn role(word: &str) -> Result<Role, &'static str> {
    Role::parse(word).ok_or("is not customer, support, operator or service")
}

impl TokenArgs {
    /// Prints a token, or makes what it needs.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.command {
            Some(TokenCommand::Init(args)) => init(&args.folder)?,
            None => self.make.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl MakeArgs {
    fn run(self) -> Result<()> {
        let path = needed("auth_file", self.auth_file)?;
        let wrong = |told: &str| WrongSettings::new(told);
        let subject = self.subject.ok_or_else(|| wrong("whose token it is, --subject says"))?;
        if self.role.is_empty() {
            let told = "what they are, --role says: customer, support, operator or service";
            return Err(wrong(told).into());
        }
        let signer = Signer::of(AuthSettings::read(&path)?, self.issuer.as_deref())?;
        let lasts = TimeDelta::minutes(self.minutes);
        let wanted = Wanted { subject, roles: self.role, scopes: self.scope, lasts };
        let token = signer.sign(&wanted, clock::system()());
        output::line(token.map_err(|error| wrong(&error.to_string()))?)?;
        Ok(())
    }
}

fn init(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} can't be made", folder.display()))?;
    let mut secret = [0; 32];
    rand::fill(&mut secret).map_err(|_| anyhow!("this machine gives no random bytes"))?;
    let text = URL_SAFE_NO_PAD.encode(secret);
    // The secret last: settings without one are refused, a secret without settings would be forgotten.
    let settings = folder.join("auth.toml");
    write_new(&settings, SETTINGS, 0o644)?;
    write_new(&folder.join(SECRET), &format!("{text}\n"), 0o600)?;
    let path = settings.display();
    output::line(format_args!(
        "{path} says whose tokens are taken; whoever has {} can make them, as\n  docket token --auth-file {path} --role operator --subject ada",
        folder.join(SECRET).display()
    ))?;
    Ok(())
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
    use access::IssueError;

    use super::*;

    #[test]
    fn what_is_made_is_read_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("auth");
        init(&path).unwrap();
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
        let before = std::fs::read(path.join(SECRET)).unwrap();
        assert!(init(&path).unwrap_err().to_string().contains("is there already"));
        assert_eq!(std::fs::read(path.join(SECRET)).unwrap(), before);
    }
}
