//! The state as of a position, built into a folder of its own. The log is only read, also beside a running platform.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use projection_service::Projector;
use projection_service::offline::{self, Wanted, build_as_of};

use super::bars::Bars;
use crate::data_dir::DataDir;
use crate::numbers::grouped;
use crate::output;
use crate::parked::ParkedIn;

pub(super) async fn run(
    data: &DataDir,
    projectors: &[Projector],
    position: u64,
    out: Option<PathBuf>,
) -> Result<ExitCode> {
    let log = data.open_log().await?;
    let head = *log.head().borrow();
    if position > head {
        bail!("the log ends at position {head}; there is no position {position}");
    }
    let out = folder(out)?;
    let bars = Bars::new(projectors, position);
    let told = bars.clone();
    let mut parked = ParkedIn::default();
    for model in offline::survey(&data.projections()).await?.models {
        parked.add(&model.snapshot().await?);
        model.close().await;
    }
    let wanted = projectors.iter().map(|&projector| Wanted {
        projector,
        generation: 1,
        to: position,
        parked: parked.of(projector),
    });
    let progress = Arc::new(move |name: &'static str, at| told.at(name, at));
    let built = build_as_of(&log.feed(), &out, wanted.collect(), progress).await?;
    bars.done();
    let of = data.path().display();
    output::line(format_args!("The state as of position {} of {of}:", grouped(position)))?;
    for model in built {
        output::line(format_args!("  {}", model.location()))?;
        for table in model.snapshot().await?.digest().await? {
            let rows = grouped(table.rows);
            output::line(format_args!(
                "    {:<22} {rows:>12} rows  {}",
                table.table, table.digest
            ))?;
        }
        model.close().await;
    }
    parked.notes().into_iter().for_each(output::note);
    output::line("Look at the files with any SQLite tool; delete the folder when you are done.")?;
    log.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The folder that was named, empty; or a temporary one, which is kept.
fn folder(out: Option<PathBuf>) -> Result<PathBuf> {
    let Some(out) = out else {
        let made = tempfile::Builder::new().prefix("docket-as-of-").tempdir();
        return Ok(made.context("no temporary folder can be made")?.keep());
    };
    let made = || format!("the folder {} can't be made", out.display());
    std::fs::create_dir_all(&out).with_context(made)?;
    check_empty(&out)?;
    Ok(out)
}

fn check_empty(out: &Path) -> Result<()> {
    let mut entries = std::fs::read_dir(out)
        .with_context(|| format!("the folder {} can't be read", out.display()))?;
    if entries.next().is_some() {
        bail!("the folder {} is not empty; name another with --out", out.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_not_written_to() {
        let out = tempfile::tempdir().unwrap();
        assert_eq!(folder(Some(out.path().join("new"))).unwrap(), out.path().join("new"));
        let error = folder(Some(out.path().to_owned())).unwrap_err().to_string();
        assert!(error.contains("is not empty"), "{error}");
    }
}
