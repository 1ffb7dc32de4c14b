//! Where this process is, as it tells over NATS to whoever looks for it.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Result, bail};
use gateway::{Base, NoBase};

use crate::api::base_url;

/// Where others reach this process.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct AdvertiseArgs {
    /// Where the gateway reaches this process, which is told over NATS [default: where it listens]
    #[arg(long, env = "DOCKET_ADVERTISE_URL", value_name = "URL", value_parser = advertised)]
    advertise_url: Option<String>,
}

impl AdvertiseArgs {
    /// Where a process is that listens here, and is asked so.
    pub(super) fn url(self, listens: SocketAddr, asked: &str) -> Result<String> {
        match self.advertise_url {
            Some(url) => Ok(url),
            None if listens.ip().is_unspecified() => bail!(
                "this process listens on every address of its machine ({listens}), which tells nobody where it is: set advertise_url to \
                 where the gateway reaches it, such as http://HOST:{}",
                listens.port()
            ),
            None => Ok(asked.to_owned()),
        }
    }
}

/// Reads where a process says that it is.
fn advertised(text: &str) -> Result<String, String> {
    let url = base_url(text)?;
    if url.contains('@') {
        return Err("holds a login: everybody who asks over NATS is told it".to_owned());
    }
    let base: Base = url.parse().map_err(|wrong: NoBase| wrong.to_string())?;
    let host: Option<IpAddr> = base.host().parse().ok();
    if host.is_some_and(|host| host.is_unspecified()) {
        return Err(
            "is every address of a machine: it tells nobody where the process is".to_owned()
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_where_it_listens_or_where_it_was_said_to_be() {
        let nothing = AdvertiseArgs::default();
        let here = |listens: &str| {
            let asked = format!("https://{listens}");
            nothing.clone().url(listens.parse().unwrap(), &asked)
        };
        for listens in ["127.0.0.1:8082", "[::1]:8082"] {
            assert_eq!(here(listens).unwrap(), format!("https://{listens}"));
        }
        for everywhere in ["0.0.0.0:8082", "[::]:8082"] {
            let refused = here(everywhere).unwrap_err().to_string();
            assert!(refused.contains("set advertise_url"), "{refused}");
        }
        let said = AdvertiseArgs { advertise_url: Some("http://models:8082".to_owned()) };
        let there = said.url("0.0.0.0:8082".parse().unwrap(), "http://0.0.0.0:8082");
        assert_eq!(there.unwrap(), "http://models:8082");
    }

    #[test]
    fn what_tells_nobody_where_it_is_is_refused() {
        for wrong in [
            "models:8082",
            "nats://models",
            "http://",
            "http://0.0.0.0:1",
            "http://[::]:1",
            "http://a:b@c",
        ] {
            advertised(wrong).unwrap_err();
        }
        assert_eq!(advertised("http://10.0.0.7:8082/").unwrap(), "http://10.0.0.7:8082");
    }
}
