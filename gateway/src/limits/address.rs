//! From where a request comes, also where proxies stand before us.
//!
//! **Invariant:** nothing that a client says of itself counts. Each proxy writes who came to it at the end of `X-Forwarded-For`; so
//! it is read from the end, as long as who wrote it is one of ours.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Once;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The most hops that are looked at.
const MOST_HOPS: usize = 32;

/// The proxies that are ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Those in these networks.
    pub fn in_networks(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn has(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The last hop that is not ours: whoever came to the outermost of our proxies.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.has(client) {
            return client;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops.take(MOST_HOPS) {
            // What can't be read was said by the last one that is known.
            let Some(hop) = read(hop.trim()) else { break };
            client = hop;
            if !self.has(client) {
                break;
            }
        }
        client
    }

    /// Says once what it looks like when a proxy stands before this that is not named: all who come by it are one address then.
    fn tell_of_an_unknown_proxy(&self, peer: IpAddr, headers: &HeaderMap) {
        static TOLD: Once = Once::new();
        if headers.contains_key(FORWARDED_FOR) && !self.has(peer.to_canonical()) {
            TOLD.call_once(|| {
                tracing::warn!(
                    %peer,
                    "X-Forwarded-For is not read, because it comes from nobody whom `trusted_proxies` names: if a proxy of yours is \
                     there, all who come by it are kept to what one address may"
                );
            });
        }
    }

    /// Whose bucket a request is charged to.
    pub(super) fn key(&self, head: &Parts) -> IpAddr {
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        // One that came over no connection came from here.
        let peer = peer.map_or(IpAddr::V6(Ipv6Addr::LOCALHOST), |ConnectInfo(peer)| peer.ip());
        self.tell_of_an_unknown_proxy(peer, &head.headers);
        household(self.client(peer, &head.headers))
    }
}

/// An address, also one with a port.
fn read(hop: &str) -> Option<IpAddr> {
    let address = hop.parse::<IpAddr>().ok();
    let address = address.or_else(|| hop.parse::<SocketAddr>().ok().map(|hop| hop.ip()));
    address.map(|address| address.to_canonical())
}

/// Who has one address of IPv6 has all of its network of 64 bits.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        let lines = lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap()));
        let headers: HeaderMap = lines.fold(HeaderMap::new(), |mut headers, (name, line)| {
            headers.append(name, line);
            headers
        });
        TrustedProxies(networks.into()).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn it_is_the_last_hop_that_is_not_ours_whatever_the_client_says() {
        for (peer, lines, from) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("192.0.2.1", &["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("2001:db8:1::5", &["[2001:db8:2::7]:4711"], "2001:db8:2::7"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
        ] {
            assert_eq!(client(peer, lines), from, "{peer} {lines:?}");
        }
    }

    #[test]
    fn a_proxy_that_is_not_named_is_told_of_once() {
        let (read, write) = std::io::pipe().unwrap();
        let lines = tracing_subscriber::fmt().with_ansi(false);
        let lines = lines.with_writer(std::sync::Arc::new(write)).finish();
        let logging = tracing::subscriber::set_default(lines);
        let proxies = TrustedProxies(vec!["10.0.0.0/8".parse().unwrap()]);
        for (peer, forwarded) in
            [("10.0.0.1", true), ("192.0.2.1", false), ("192.0.2.2", true), ("192.0.2.3", true)]
        {
            let (mut head, ()) = Request::new(()).into_parts();
            let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
            head.extensions.insert(ConnectInfo(peer));
            if forwarded {
                let hop = "198.51.100.7".parse().unwrap();
                head.headers.insert(FORWARDED_FOR, hop);
            }
            proxies.key(&head);
        }
        drop(logging);
        let log = std::io::read_to_string(read).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        assert!(log.contains("WARN") && log.contains("192.0.2.2"), "{log}");
    }

    #[test]
    fn one_network_of_ipv6_is_one_household() {
        let of = |text: &str| household(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
