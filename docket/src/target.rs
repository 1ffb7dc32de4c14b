//! What an operator's command is about: a running platform, or the data folder of a stopped one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::api::{Api, DEFAULT_URL, base_url};
use crate::connect::ConnectArgs;
use crate::data_dir::DataDir;
use crate::platform_args::GatewayPlace;

/// Names the folder as `--data-dir` does; `--url` and `--data-dir` go before it. Not clap's to read: to clap it would be
/// a `--data-dir` that conflicts with `--url`.
const FOLDER_VARIABLE: &str = "DOCKET_DATA_DIR";
/// The folder that is looked at when nothing is named and nothing runs.
const DEFAULT_FOLDER: &str = "data";

/// A running platform or a data folder.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct TargetArgs {
    /// Address of a running platform [default: port 8080 of this machine, if one answers there]
    #[arg(long, value_name = "URL", conflicts_with = "data_dir", value_parser = base_url)]
    url: Option<String>,
    /// The data folder of a stopped platform [default: `DOCKET_DATA_DIR`, else data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    gateway: GatewayPlace,
    #[command(flatten)]
    connect: ConnectArgs,
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
        let named = self.folder(std::env::var_os(FOLDER_VARIABLE));
        DataDir::existing(named.as_deref().unwrap_or(Path::new(DEFAULT_FOLDER)))
    }

    /// What was named; without a name whom the settings of the services name, else a platform that runs here, else the folder
    /// `data`.
    pub(crate) async fn choose(&self) -> Result<Target> {
        if let Some(folder) = self.folder(std::env::var_os(FOLDER_VARIABLE)) {
            return Ok(Target::Folder(DataDir::existing(&folder)?));
        }
        let named = self.url.as_deref().or(self.gateway.url());
        let api = Api::at(named.unwrap_or(DEFAULT_URL), &self.connect)?.acting_as(None);
        if named.is_some() || api.answers().await {
            return Ok(Target::Running(api));
        }
        match DataDir::existing(Path::new(DEFAULT_FOLDER)) {
            Ok(folder) => Ok(Target::Folder(folder)),
            Err(error) => bail!("no platform answers at {DEFAULT_URL}, and {error}"),
        }
    }

    /// The folder that was named: by the flag, else by the variable unless an address was.
    fn folder(&self, variable: Option<OsString>) -> Option<PathBuf> {
        let variable = variable.filter(|folder| self.url.is_none() && !folder.is_empty());
        self.data_dir.clone().or(variable.map(PathBuf::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_names_the_folder_unless_a_flag_says_otherwise() {
        let variable = || Some(OsString::from("kept"));
        let named = |args: &TargetArgs| args.folder(variable());
        assert_eq!(named(&TargetArgs::default()), Some("kept".into()));
        let url = Some(DEFAULT_URL.to_owned());
        assert_eq!(named(&TargetArgs { url, ..TargetArgs::default() }), None);
        let data_dir = Some("flag".into());
        assert_eq!(named(&TargetArgs { data_dir, ..TargetArgs::default() }), Some("flag".into()));
        assert_eq!(TargetArgs::default().folder(None), None);
    }
}
