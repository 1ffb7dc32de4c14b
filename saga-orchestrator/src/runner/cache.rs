//! The sagas of the orders that were busy last. Two generations: what is asked for moves to the young one, and when
//! that is full the old one is forgotten. So memory is bounded, and no use has to be counted.

use std::collections::HashMap;

use domain::ids::OrderId;

use super::order_sagas::OrderSagas;

pub(super) struct Cache {
    young: HashMap<OrderId, OrderSagas>,
    old: HashMap<OrderId, OrderSagas>,
    generation: usize,
}

impl Cache {
    /// Keeps between half of `orders` and all of them.
    pub(super) fn new(orders: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation: orders.div_ceil(2).max(1) }
    }

    /// Takes an order's sagas out, to be put back when they are committed.
    pub(super) fn take(&mut self, order_id: &OrderId) -> Option<OrderSagas> {
        self.young.remove(order_id).or_else(|| self.old.remove(order_id))
    }

    /// Keeps an order's sagas as they were committed.
    pub(super) fn put(&mut self, order_id: OrderId, sagas: OrderSagas) {
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(order_id, sagas);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_is_kept_and_memory_is_bounded() {
        let mut cache = Cache::new(20);
        let order = |n: usize| OrderId::parse(&format!("o{n}")).unwrap();
        for n in 0..100 {
            cache.put(order(n), OrderSagas::default());
            if let Some(first) = cache.take(&order(0)) {
                cache.put(order(0), first);
            }
        }
        assert!(cache.take(&order(0)).is_some(), "it was asked for all the time");
        assert!(cache.take(&order(99)).is_some());
        assert!(cache.take(&order(50)).is_none());
        assert!(cache.young.len() + cache.old.len() <= 20);
    }
}
