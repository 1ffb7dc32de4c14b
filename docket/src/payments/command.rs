//! `docket payments`: what operators do about payments.

use std::process::ExitCode;

use anyhow::Result;

use super::reconcile::ReconcileArgs;

/// Payments and their provider
#[derive(Debug, clap::Args)]
pub(crate) struct PaymentsArgs {
    #[command(subcommand)]
    command: PaymentsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PaymentsCommand {
    Reconcile(ReconcileArgs),
}

impl PaymentsArgs {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        match self.command {
            PaymentsCommand::Reconcile(args) => args.run().await,
        }
    }
}
