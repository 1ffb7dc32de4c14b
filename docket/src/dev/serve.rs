//! Starting, listening, and ending in the order that loses nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use service_kit::server::Ending;
use service_kit::telemetry;
use tokio_util::sync::CancellationToken;

use super::banner;
use super::lock::DataLock;
use super::platform::Platform;
use crate::config::{LogFormat, Settings};
use crate::data_dir::DataDir;
use crate::entrance::entrance;
use crate::listening::Listening;
use crate::output;

/// How long requests under way may take after a signal: longer than a read waits for its position, and well below the
/// ten seconds after which supervisors kill.
const DRAIN: Duration = Duration::from_secs(6);

/// Runs the platform until SIGTERM or Ctrl-C.
pub(crate) async fn run(settings: Settings) -> Result<()> {
    let begun = Instant::now();
    let process = &settings.process;
    install_logs("docket", process.log_format, &process.log_filter)?;
    let stop = service_kit::shutdown::on_signal().context("signals can't be listened to")?;
    let listening = Listening::begin(process).await?;
    let (url, access) = (listening.url(), entrance(process, listening.address).await?);
    let open = access.is_open();
    let data = DataDir::create(&settings.data_dir)?;
    let _lock = DataLock::take(&data)?;
    let platform = Platform::start(&settings, &data, access.clone()).await?;
    let method = settings.payments.example_method();
    let folder = data.path().canonicalize().unwrap_or(settings.data_dir);
    match process.log_format {
        LogFormat::Text => {
            output::text(banner::text(&url, &folder, begun.elapsed(), open, method))?
        }
        json @ LogFormat::Json => output::of_process(json, format!("Docket is up on {url}"))?,
    };

    let draining = CancellationToken::new();
    let ending = Ending { announced: stop.clone(), draining: draining.clone() };
    let answers = platform.router(&settings.entrance.entrance(open), method);
    let server = listening.serve(answers, &access, ending);
    let drained = async {
        stop.cancelled().await;
        platform.is_to_end();
        tokio::time::sleep(process.shutdown_delay_ms.unwrap_or_default()).await;
        draining.cancel();
        platform.end_waits();
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = server => {}
        () = drained => tracing::warn!("requests were still under way when the time to end them was over"),
    }
    platform.shutdown().await;
    let said = "Docket has stopped; everything acknowledged is on disk.".to_owned();
    output::of_process(process.log_format, said)?;
    Ok(())
}

/// Starts logging for the whole process, and tracing if the environment says where to.
pub(crate) fn install_logs(service: &str, format: LogFormat, filter: &str) -> Result<()> {
    let format = match format {
        LogFormat::Text => telemetry::LogFormat::Text,
        LogFormat::Json => telemetry::LogFormat::Json,
    };
    telemetry::install(service, format, filter).context("logging does not start")
}

/// Starts to record metrics for the whole process; `/metrics`, with the texts of `docs/metrics.md`.
pub(crate) fn metrics_router() -> Result<Router> {
    let recorded = service_kit::metrics::install()?;
    service_kit::metrics::describe(include_str!("../../../docs/metrics.md"));
    Ok(service_kit::metrics::router(recorded))
}
