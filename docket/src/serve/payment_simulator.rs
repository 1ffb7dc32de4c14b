//! `docket payment-simulator`: the simulated payment provider, with a ledger of its own that nobody else reads.

use std::path::PathBuf;
use std::time::Duration;

use access::Action;
use anyhow::{Context as _, Result};
use axum::Router;
use command_service::payments::simulator::{
    Ledger, SimulatedProvider, SimulatorSettings, desk_router, ledger_router,
};
use service_kit::clock;

use super::process::{Process, nothing};
use crate::config::ProcessArgs;
use crate::data_dir::DataDir;
use crate::dev::{DataLock, documented};
use crate::numbers::whole;

/// Start the simulated payment provider as a server, with a ledger of its own
#[derive(Debug, clap::Args)]
#[command(mut_arg("listen", |listen| listen.default_value("127.0.0.1:8084")))]
pub(crate) struct PaymentSimulatorArgs {
    #[command(flatten)]
    process: ProcessArgs,
    /// Folder of the ledger, made if need be
    #[arg(long, env = "DOCKET_DATA_DIR", value_name = "DIR", default_value = "data")]
    data_dir: PathBuf,
    /// Milliseconds that its callers wait: what it is late or nearly late for
    #[arg(long, env = "DOCKET_PAYMENT_DEADLINE_MS", value_name = "MS", default_value = "2000",
        value_parser = whole::<u64>, allow_negative_numbers = true)]
    payment_deadline_ms: u64,
}

impl PaymentSimulatorArgs {
    /// Runs until a signal.
    pub(crate) async fn run(self) -> Result<()> {
        let deadline = Duration::from_millis(self.payment_deadline_ms);
        let process = Process::begin("payment-simulator", &self.process).await?;

        let data = DataDir::create(&self.data_dir)?;
        let _lock = DataLock::take(&data)?;
        let ledger = Ledger::open(&data.ledger()).await.context("the ledger can't be opened")?;
        let behaviour = SimulatorSettings { deadline };
        let provider = SimulatedProvider::start(ledger.clone(), clock::system(), behaviour);
        let access = &process.access;
        let book = documented(access.guard(ledger_router(ledger.clone())), access);
        let desk = access.guard_plain(desk_router(provider), Action::CallProvider);
        let router: Router = desk.merge(book);
        process.ready(router)?;
        let ended = process.until_stopped(nothing()).await;
        process.drain().await;
        ledger.close().await;
        ended
    }
}
