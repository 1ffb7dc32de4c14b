//! Where requests may go: to the public internet, and to networks that the settings list.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::public_address::is_public;

/// Networks that may be reached though they are not public, such as an intranet's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// A text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network like 10.1.0.0/16 or fd00:1::/64")]
pub struct NoNetwork(String);

/// Why a request does not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The address is not public.
    #[error("the address {0} is not public, and in no network that `webhook_networks` lists")]
    NotPublic(IpAddr),
    /// What goes to the public goes over TLS.
    #[error(
        "the address {0} is in no network that `webhook_networks` lists: only `https` goes there"
    )]
    InClear(IpAddr),
    /// `http` is for listed networks, and there is none.
    #[error(
        "`http` goes to networks that `webhook_networks` lists, and none is listed: name an `https` address, or have the receiver's \
         network listed"
    )]
    NothingListed,
    /// The name has no address.
    #[error("the name `{0}` has no address")]
    NoAddress(String),
}

/// Whom a client may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The public, and listed networks.
    Public,
    /// Listed networks alone: nothing else gets anything in clear.
    Listed,
}

impl Networks {
    /// Those of a list, separated by commas.
    pub fn parse(text: &str) -> Result<Self, NoNetwork> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this one is listed; an IPv4 address that is written as IPv6 is what it stands for.
    fn lists(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there is anybody whom somebody with this reach could reach.
    pub(super) fn check_any(&self, reach: Reach) -> Result<(), Refused> {
        match reach {
            Reach::Listed if self.0.is_empty() => Err(Refused::NothingListed),
            Reach::Listed | Reach::Public => Ok(()),
        }
    }

    /// Whether somebody with this reach may connect to this address.
    pub(super) fn check(&self, address: IpAddr, reach: Reach) -> Result<(), Refused> {
        if self.lists(address) {
            return Ok(());
        }
        match reach {
            _ if !is_public(address) => Err(Refused::NotPublic(address)),
            Reach::Listed => Err(Refused::InClear(address)),
            Reach::Public => Ok(()),
        }
    }
}

fn network(text: &str) -> Result<IpNet, NoNetwork> {
    let one = || text.parse::<IpAddr>().ok().map(IpNet::from);
    IpNet::from_str(text).ok().or_else(one).ok_or_else(|| NoNetwork(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_network_is_reached_in_clear_and_the_public_over_tls_only() {
        let networks = Networks::parse("10.1.0.0/16, fd00:1::/64,127.0.0.1").unwrap();
        let may = |address: &str, reach| networks.check(address.parse().unwrap(), reach).is_ok();
        for listed in ["10.1.255.255", "fd00:1::9", "127.0.0.1", "::ffff:10.1.0.1"] {
            assert!(may(listed, Reach::Listed) && may(listed, Reach::Public), "{listed}");
        }
        for other in ["10.2.0.0", "fd00:2::1", "127.0.0.2", "::ffff:10.2.0.1"] {
            assert!(!may(other, Reach::Public), "{other}");
        }
        assert!(may("93.184.216.34", Reach::Public));
        assert!(!may("93.184.216.34", Reach::Listed));
    }

    #[test]
    fn where_nothing_is_listed_nothing_at_all_is_reached_in_clear() {
        let (none, one) = (Networks::default(), Networks::parse("10.1.0.0/16").unwrap());
        assert_eq!(none.check_any(Reach::Listed), Err(Refused::NothingListed));
        assert!(none.check_any(Reach::Public).is_ok() && one.check_any(Reach::Listed).is_ok());
    }

    #[test]
    fn what_is_no_network_is_named() {
        assert_eq!(Networks::parse("").unwrap(), Networks::default());
        for wrong in ["10.0.0.0/33", "localhost", "10.0/8", "0x7f000001"] {
            assert_eq!(Networks::parse(wrong).unwrap_err(), NoNetwork(wrong.to_owned()));
        }
    }
}
