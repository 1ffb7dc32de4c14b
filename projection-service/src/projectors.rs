//! The one list of projectors.

use std::sync::Arc;

use event_store::LogIdentity;

use crate::decoded::Readers;
use crate::memory::{AnyRows, MemoryRows};
use crate::model::{Definition, ReadModel};
use crate::runner::applier::Applier;
use crate::runner::apply::Apply;
use crate::runner::stored::{Rows, Stored};
use crate::storage::checkpoint::Checkpoint;
use crate::storage::customers::Customers;
use crate::storage::generation::Generation;
use crate::storage::home::Home;
use crate::storage::orders::Orders;
use crate::storage::parked::Parked;
use crate::storage::payments::Payments;
use crate::storage::products::Products;
use crate::storage::sales::Sales;
use crate::storage::shipments::Shipments;
use crate::storage::stock::Stock;

macro_rules! projectors {
    ($($model:ident),+ $(,)?) => {
        /// The projectors, by what they build.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Projector { $(#[doc = concat!("See [`", stringify!($model), "`].")] $model),+ }

        impl Projector {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$model),+];

            /// What is known of its model.
            pub fn definition(self) -> &'static Definition {
                match self { $(Self::$model => &$model::DEFINITION),+ }
            }

            /// Applies pages to this generation of its model, which stands at this checkpoint.
            pub(crate) fn applier<G: Stored $(+ Rows<$model>)+>(
                self,
                generation: G,
                checkpoint: Checkpoint,
                parked: Parked,
            ) -> Box<dyn Apply<G>> {
                let bit = self.bit();
                match self {
                    $(Self::$model => {
                        Box::new(Applier::<$model, G>::new(generation, checkpoint, parked, bit))
                    }),+
                }
            }

            /// Its model in memory, empty, at the beginning of this log.
            pub(crate) fn in_memory(self, identity: &LogIdentity) -> Arc<dyn AnyRows> {
                match self { $(Self::$model => Arc::new(MemoryRows::<$model>::new(identity))),+ }
            }
        }
    };
}

projectors! { Orders, Products, Stock, Customers, Payments, Shipments, Sales }

impl Projector {
    /// The projector of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|projector| projector.name() == name)
    }

    /// Its name, as in `/projections/{name}`.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Its bit in a decoded event's readers.
    pub(crate) fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// Opens a generation of its model, to apply pages to it.
    pub async fn open(
        self,
        home: &Home,
        generation: u32,
        identity: &LogIdentity,
    ) -> Result<Box<dyn Apply>, sqlx::Error> {
        let definition = self.definition();
        let (generation, checkpoint, parked) =
            Generation::open(home, definition, generation, identity).await?;
        Ok(self.applier(generation, checkpoint, parked))
    }
}

/// Who reads which event types.
pub fn readers() -> Readers {
    Readers::new(Projector::ALL.iter().map(|projector| (projector.definition().types)()))
}
