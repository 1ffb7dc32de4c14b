//! Which addresses belong to the public internet.
//!
//! **Invariant:** what is not known to be public is not. IPv6 is taken from the one block that is given out to the public, so
//! whatever is added elsewhere stays refused.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is not public of IPv4, as IANA's registry of special-purpose addresses has it: address, bits of the prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    // This network, which some systems take for this machine.
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by carriers and their customers; some clouds have their metadata there.
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local: the metadata of most clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarks.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Kept for later, and broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // Azure answers its virtual machines here: its metadata and keys, on an address that is public for nobody else.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// What is given out to the public of IPv6.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is not public in it.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // Protocols, with an IPv4 address inside (Teredo) or without.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, with an IPv4 address inside.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // Documentation.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether this address belongs to the public internet. An IPv4 address that is written as IPv6, in whatever way, does not.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.iter().any(|(net, bits)| begins_v4(address, *net, *bits))
        }
        IpAddr::V6(address) => {
            begins_v6(address, GLOBAL_V6.0, GLOBAL_V6.1)
                && !SPECIAL_V6.iter().any(|(net, bits)| begins_v6(address, *net, *bits))
        }
    }
}

fn begins_v4(address: Ipv4Addr, net: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (32 - bits) == 0
}

fn begins_v6(address: Ipv6Addr, net: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ net.to_bits()) >> (128 - bits) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_every_special_block_are_refused_and_their_neighbours_are_not() {
        for (first, last) in [
            ("10.0.0.0", "10.255.255.255"),
            ("100.64.0.0", "100.127.255.255"),
            ("127.0.0.0", "127.255.255.255"),
            ("169.254.0.0", "169.254.255.255"),
            ("172.16.0.0", "172.31.255.255"),
            ("192.0.0.0", "192.0.0.255"),
            ("192.168.0.0", "192.168.255.255"),
            ("198.18.0.0", "198.19.255.255"),
            ("168.63.129.16", "168.63.129.16"),
        ] {
            let (first, last): (Ipv4Addr, Ipv4Addr) =
                (first.parse().unwrap(), last.parse().unwrap());
            assert!(!is_public(first.into()) && !is_public(last.into()), "{first} to {last}");
            let before = Ipv4Addr::from_bits(first.to_bits() - 1);
            let after = Ipv4Addr::from_bits(last.to_bits() + 1);
            assert!(is_public(before.into()) && is_public(after.into()), "around {first}");
        }
        assert!(!is_public("0.255.255.255".parse().unwrap()));
        assert!(is_public("223.255.255.255".parse().unwrap()));
        assert!(!is_public("224.0.0.0".parse().unwrap()));
    }

    #[test]
    fn of_ipv6_only_what_is_given_out_to_the_public_is_public() {
        for public in ["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:200::1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in ["2001:1ff:ffff::", "3fff:fff::", "4000::", "1fff::", "5f00::1"] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }
}
