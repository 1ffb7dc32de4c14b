//! The words of the command line and what each of them calls.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::backup::{BackupArgs, RestoreArgs};
use crate::config::{ConfigArgs, Setting, Settings, Understood};
use crate::dead_letters::DeadLettersArgs;
use crate::dev;
use crate::digest::{self, DigestArgs};
use crate::events::{self, EventsArgs};
use crate::health::HealthArgs;
use crate::import::{self, ImportArgs};
use crate::mails::MailsArgs;
use crate::payments::PaymentsArgs;
use crate::projections::ProjectionsArgs;
use crate::replay::{self, ReplayArgs};
use crate::sagas::SagasArgs;
use crate::serve::{
    CommandServiceArgs, GatewayArgs, MigrateArgs, NotificationServiceArgs, PaymentSimulatorArgs,
    ProjectionServiceArgs, SagaOrchestratorArgs,
};
use crate::status::{self, StatusArgs};
use crate::token::TokenArgs;
use crate::verify::{self, VerifyArgs};
use crate::webhooks::WebhooksArgs;

/// An event-sourced order platform. Without a command it starts: `docket` is `docket dev`.
#[derive(Debug, Parser)]
#[command(name = "docket", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dev: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the whole platform in one process, data in SQLite files
    Dev(Settings),
    /// Bring data of another system into a running platform
    Import(ImportArgs),
    Status(StatusArgs),
    Verify(VerifyArgs),
    Replay(ReplayArgs),
    Events(EventsArgs),
    Digest(DigestArgs),
    Backup(BackupArgs),
    Restore(RestoreArgs),
    #[expect(clippy::enum_variant_names, reason = "named like the process")]
    CommandService(CommandServiceArgs),
    ProjectionService(ProjectionServiceArgs),
    SagaOrchestrator(SagaOrchestratorArgs),
    NotificationService(NotificationServiceArgs),
    PaymentSimulator(PaymentSimulatorArgs),
    Gateway(GatewayArgs),
    Projections(ProjectionsArgs),
    DeadLetters(DeadLettersArgs),
    Sagas(SagasArgs),
    Webhooks(WebhooksArgs),
    Mails(MailsArgs),
    Migrate(MigrateArgs),
    Config(ConfigArgs),
    Health(HealthArgs),
    Token(TokenArgs),
    Payments(PaymentsArgs),
}

/// How long the end of a process may wait for the collector of traces.
const LAST_SPANS: Duration = Duration::from_secs(2);

/// Does what the words say; the exit code of the process.
pub(crate) fn run(understood: Understood) -> Result<ExitCode> {
    let Understood { cli, settings } = understood;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    runtime.block_on(async {
        let command = cli.command.unwrap_or(Command::Dev(cli.dev));
        let ended = Box::pin(carry_out(command, &settings)).await;
        service_kit::telemetry::flush(LAST_SPANS).await;
        ended
    })
}

async fn carry_out(command: Command, settings: &[Setting]) -> Result<ExitCode> {
    match command {
        Command::Dev(settings) => ended(Box::pin(dev::run(settings)).await),
        Command::Import(args) => import::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Events(args) => events::run(args).await,
        Command::Digest(args) => digest::run(args).await,
        Command::Backup(args) => args.run().await,
        Command::Restore(args) => args.run().await,
        Command::CommandService(args) => ended(Box::pin(args.run()).await),
        Command::ProjectionService(args) => ended(Box::pin(args.run()).await),
        Command::SagaOrchestrator(args) => ended(Box::pin(args.run()).await),
        Command::NotificationService(args) => ended(Box::pin(args.run()).await),
        Command::PaymentSimulator(args) => ended(Box::pin(args.run()).await),
        Command::Gateway(args) => ended(Box::pin(args.run()).await),
        Command::Projections(args) => args.run().await,
        Command::DeadLetters(args) => args.run().await,
        Command::Sagas(args) => args.run().await,
        Command::Webhooks(args) => args.run().await,
        Command::Mails(args) => args.run().await,
        Command::Migrate(args) => ended(args.run().await),
        Command::Health(args) => args.run().await,
        Command::Token(args) => args.run(),
        Command::Payments(args) => args.run().await,
        Command::Config(args) => args.run(settings),
    }
}

fn ended(service: Result<()>) -> Result<ExitCode> {
    service.map(|()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn opening_stock_is_cover_or_a_number() {
        let stock = |text| {
            Cli::try_parse_from([
                "docket",
                "import",
                "online-retail",
                "--opening-stock",
                text,
                "a.csv",
            ])
        };
        assert!(stock("cover").is_ok() && stock("50").is_ok());
        for wrong in ["-3", "many", "1000000001"] {
            let said = stock(wrong).unwrap_err().to_string();
            assert!(said.contains("`cover` or a number of units"), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_number_that_is_none_is_wrong_usage_in_our_own_words() {
        for words in [
            ["docket", "events", "--after", "x"],
            ["docket", "events", "--limit", "-1"],
            ["docket", "replay", "--to", "1.5"],
            ["docket", "dev", "--order-deadline-s", "99999999999999999999"],
            ["docket", "gateway", "--upstream-deadline-ms", ""],
        ] {
            let error = Cli::try_parse_from(words).unwrap_err();
            assert!(error.to_string().contains("is not a whole number, at least 0"), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }

    #[test]
    fn who_says_not_what_is_told_again_hears_of_both_ways() {
        let words = ["docket", "webhooks", "redeliver", "wh_1", "--reason", "lost"];
        let error = Cli::try_parse_from(words).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("<DELIVERY|--failed-since <TIME>>"), "{said}");
        assert_eq!(error.exit_code(), 2);
        let one = |more: &[&str]| Cli::try_parse_from([&words, more].concat());
        assert!(one(&["7"]).is_ok() && one(&["--failed-since", "2026-11-30T08:00:00Z"]).is_ok());
        assert!(one(&["7", "--failed-since", "2026-11-30T08:00:00Z"]).is_err());
    }

    #[test]
    fn addresses_that_are_none_are_wrong_usage() {
        for words in [
            ["docket", "dev", "--listen", "foo"],
            ["docket", "status", "--url", "foo"],
            ["docket", "replay", "--url", "localhost:8080"],
        ] {
            let error = Cli::try_parse_from(words).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("127.0.0.1:8080"), "{said}");
            assert_eq!(error.exit_code(), 2);
        }
        assert!(Cli::try_parse_from(["docket", "dev", "--listen", "[::1]:0"]).is_ok());
    }
}
