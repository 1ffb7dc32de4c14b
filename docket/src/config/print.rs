//! `docket config print`: which settings hold, and who said so.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};

use super::settings::Settings;
use super::sources::Setting;
use crate::output;
use crate::serve::{
    CommandServiceArgs, GatewayArgs, MigrateArgs, NotificationServiceArgs, PaymentSimulatorArgs,
    ProjectionServiceArgs, SagaOrchestratorArgs,
};

/// Look at settings
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Print(Box<PrintArgs>),
}

/// Print every setting of a service with its value and where it comes from; passwords are hidden
///
/// It takes the flags of the service, and reads the environment and the settings file as the service would. Nothing is
/// started. Without a service it is about `docket dev`. Exit code 1 when a file that a setting names can't be read.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
struct PrintArgs {
    #[command(subcommand)]
    service: Option<Whose>,
    #[command(flatten)]
    dev: Settings,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Whose {
    Dev(Settings),
    CommandService(Box<CommandServiceArgs>),
    ProjectionService(ProjectionServiceArgs),
    SagaOrchestrator(SagaOrchestratorArgs),
    NotificationService(NotificationServiceArgs),
    PaymentSimulator(PaymentSimulatorArgs),
    Gateway(GatewayArgs),
    Migrate(MigrateArgs),
}

impl ConfigArgs {
    /// Prints; `settings` are those of the service that was named.
    pub(crate) fn run(self, settings: &[Setting]) -> Result<ExitCode> {
        let ConfigCommand::Print(print) = self.command;
        let unreadable = settings.iter().any(|setting| setting.unreadable);
        let code = if unreadable { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        if print.json {
            output::line(serde_json::to_string_pretty(settings)?)?;
            return Ok(code);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(["KEY", "VALUE", "SOURCE"]);
        for Setting { key, value, source, .. } in settings {
            table.add_row([key, value.as_deref().unwrap_or("-"), source]);
        }
        output::line(table.trim_fmt())?;
        Ok(code)
    }
}
