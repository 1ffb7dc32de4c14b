//! How many connections there are from each address that has any.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The addresses that have any.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection.
pub(super) struct Counted {
    addresses: Addresses,
    address: IpAddr,
}

impl Addresses {
    /// One more, unless there are as many as there may be. The loopback is whoever stands before us.
    pub(super) fn count(&self, address: IpAddr, most: usize) -> Option<Counted> {
        let most = if address.to_canonical().is_loopback() { usize::MAX } else { most };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Counted { addresses: self.clone(), address })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_their_part_of_the_connections_but_who_is_here() {
        let (addresses, other) = (Addresses::default(), "192.0.2.1".parse().unwrap());
        let first = addresses.count(other, 1);
        assert!(first.is_some() && addresses.count(other, 1).is_none());
        drop(first);
        assert!(addresses.count(other, 1).is_some());
        let here = "127.0.0.1".parse().unwrap();
        let held: Vec<_> = (0..3).map(|_| addresses.count(here, 1)).collect();
        assert!(held.iter().all(Option::is_some));
        drop(held);
        assert!(addresses.0.lock().unwrap().is_empty());
    }
}
