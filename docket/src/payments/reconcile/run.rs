//! The words of the command, and what they lead to.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, Utc};
use service_kit::clock;

use super::compare::compare;
use super::log;
use super::period::{Period, moment};
use super::record::Record;
use super::report::Reconciled;
use crate::api::base_url;
use crate::connect::ConnectArgs;
use crate::data_dir::{DataDir, DataDirArg};
use crate::output;
use crate::payments::ProviderArgs;
use crate::serve::LogDatabaseArgs;

/// How long one answer of the provider may take: nobody waits for it at a till.
const PATIENCE: Duration = Duration::from_mins(1);

/// Compare the log's payments with the provider's own record
///
/// Payments that were begun in the period, with all that was captured or paid back of them since.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Nothing is changed, and the platform may be running. A database that is named goes before the data folder.\n\n\
    Exit code: 0 when log and record agree, 1 when they differ, 2 when the words are wrong or one of the two can't be read."
)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    data: DataDirArg,
    #[command(flatten)]
    log: LogDatabaseArgs,
    #[command(flatten)]
    provider: ProviderArgs,
    /// Where the payment simulator is, or the gateway, to read the provider's ledger [default: the data folder]
    #[arg(long, env = "DOCKET_PAYMENT_SIMULATOR_URL", value_name = "URL", value_parser = base_url)]
    payment_simulator_url: Option<String>,
    #[command(flatten)]
    connect: ConnectArgs,
    /// A day in UTC, or a moment, from which on payments are compared [default: a day before --to]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// A day or a moment before which they were begun [default: today, so that the whole of yesterday is compared]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<DateTime<Utc>>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

impl ReconcileArgs {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let json = self.json;
        let reconciled = match self.reconcile().await {
            Ok(reconciled) => reconciled,
            Err(error) => {
                output::complain(&error);
                return Ok(ExitCode::from(2));
            }
        };
        if json {
            output::line(serde_json::to_string_pretty(&reconciled)?)?;
        } else {
            output::text(reconciled.as_text())?;
        }
        Ok(if reconciled.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn reconcile(self) -> Result<Reconciled> {
        let now = clock::system()();
        let period = Period::of(self.from, self.to, now)?;
        let database = self.log.resolve()?;
        let folder = match &database {
            Some(_) => None,
            None => Some(DataDir::existing(&self.data.data_dir)?),
        };
        let ledger = folder.as_ref().map(DataDir::ledger);
        let stripe = self.provider.stripe(PATIENCE, &self.connect.tls)?;
        let record = match (stripe, &self.payment_simulator_url, &ledger) {
            (Some(stripe), ..) => Record::Stripe(stripe),
            (None, Some(url), _) => Record::Server(url, &self.connect),
            (None, None, Some(ledger)) => Record::File(ledger),
            (None, None, None) => anyhow::bail!(
                "payment_simulator_url is not set: there is no record to compare with"
            ),
        };
        // The record first: what it has, the log knows by then, or knows that it was asked for.
        let recorded = record.read(period).await?;
        let log = match (&database, &folder) {
            (Some(database), _) => database.open().await?,
            (None, Some(folder)) => folder.open_log().await?,
            (None, None) => anyhow::bail!("there is no log to read"),
        };
        let logged = log::payments(&log).await;
        log.close().await;
        Ok(Reconciled::new(record.name(), period, compare(&logged?, &recorded, period, now)))
    }
}
