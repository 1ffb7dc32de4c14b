//! What an operator's command is about: a running platform, or the data folder of a stopped one.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::api::{Api, DEFAULT_URL};
use crate::data_dir::DataDir;

/// The folder that is looked at when nothing is named and nothing runs.
const DEFAULT_FOLDER: &str = "data";

/// A running platform or a data folder.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct TargetArgs {
    /// Address of a running platform [default: port 8080 of this machine, if one answers there]
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    url: Option<String>,
    /// The data folder of a stopped platform [default: data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What was meant.
#[derive(Debug)]
pub(crate) enum Target {
    /// A platform that answers.
    Running(Api),
    /// A data folder.
    Folder(DataDir),
}

impl TargetArgs {
    /// The folder that was named, else the folder `data`.
    pub(crate) fn folder_or_default(&self) -> Result<DataDir> {
        DataDir::existing(self.data_dir.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER)))
    }

    /// What was named; without a name a platform that runs here, else the folder `data`.
    pub(crate) async fn choose(&self) -> Result<Target> {
        if let Some(folder) = &self.data_dir {
            return Ok(Target::Folder(DataDir::existing(folder)?));
        }
        let api = Api::at(self.url.as_deref().unwrap_or(DEFAULT_URL))?;
        if self.url.is_some() || api.answers().await {
            return Ok(Target::Running(api));
        }
        match DataDir::existing(Path::new(DEFAULT_FOLDER)) {
            Ok(folder) => Ok(Target::Folder(folder)),
            Err(error) => bail!("no platform answers at {DEFAULT_URL}, and {error}"),
        }
    }
}
