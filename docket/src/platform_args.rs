//! A running platform that a command asks: where it is, how it is reached, who acts, and how the answer is printed.
//!
//! **Invariant:** where the gateway is, is said to every command alike.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::api::{Api, DEFAULT_URL, actor_name, base_url};
use crate::connect::ConnectArgs;
use crate::output;

/// Where the gateway is, as the settings of the services say it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct GatewayPlace {
    /// Settings file (TOML) of the services: the platform is asked where its gateway listens
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the gateway is, unless a flag says what is meant
    #[arg(long, env = "DOCKET_GATEWAY_URL", value_name = "URL", value_parser = base_url)]
    gateway_url: Option<String>,
}

impl GatewayPlace {
    /// Its address, if it was said.
    pub(crate) fn url(&self) -> Option<&str> {
        self.gateway_url.as_deref()
    }
}

/// A running platform, asked by somebody.
#[derive(Debug, clap::Args)]
pub(crate) struct PlatformArgs {
    /// Address of the running platform: its gateway, or the one service that is asked [default: where the gateway is, else port 8080 of this machine]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    url: Option<String>,
    #[command(flatten)]
    gateway: GatewayPlace,
    #[command(flatten)]
    connect: ConnectArgs,
    /// Who acts, for the log [default: the user of this session]
    #[arg(long, value_name = "NAME", value_parser = actor_name)]
    actor: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl PlatformArgs {
    /// The platform, whether it answers or not.
    pub(crate) fn api(&self) -> Result<Api> {
        let named = self.url.as_deref().or(self.gateway.url());
        let api = Api::at(named.unwrap_or(DEFAULT_URL), &self.connect)?;
        Ok(api.acting_as(self.actor.clone()))
    }

    /// Prints an answer: as JSON where that was asked for, else in these words.
    pub(crate) fn print<A: Serialize>(
        &self,
        answer: &A,
        in_words: impl FnOnce(&A) -> String,
    ) -> Result<()> {
        if self.json {
            output::line(serde_json::to_string_pretty(answer)?)?;
        } else {
            output::line(in_words(answer))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        platform: PlatformArgs,
    }

    fn asked(words: &[&str]) -> String {
        let line = Line::try_parse_from(["docket"].iter().chain(words)).unwrap();
        line.platform.api().unwrap().url().to_owned()
    }

    #[test]
    fn a_flag_says_whom_to_ask_else_the_gateway_s_place_else_it_is_this_machine() {
        let gateway = ["--gateway-url", "http://gateway:1"];
        assert_eq!(
            asked(&[&gateway[..], &["--url", "http://other:2/"]].concat()),
            "http://other:2"
        );
        assert_eq!(asked(&gateway), "http://gateway:1");
        assert_eq!(asked(&[]), DEFAULT_URL);
    }
}
