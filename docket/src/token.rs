//! `docket token`: tokens for development. An identity provider makes those of a shop.

mod init;

use std::path::PathBuf;
use std::process::ExitCode;

use access::{AuthSettings, Role, Signer, Wanted};
use anyhow::Result;
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use service_kit::clock;

use crate::config::{WrongSettings, needed};
use crate::output;

/// The longest that a token lasts, minutes: a month.
const MOST_MINUTES: i64 = 31 * 24 * 60;

/// Make a token for development, signed with a key whose other half the platform has
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

/// Draw keys, and write the settings that go with them
#[derive(Debug, Args)]
struct InitArgs {
    /// Folder of all, made if need be
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
    /// Which issuer makes it [default: the first whose key is here]
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
            Some(TokenCommand::Init(args)) => init::write(&args.folder)?,
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
