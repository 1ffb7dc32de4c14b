//! Models that were put back from a backup together with the log that they followed.

use ::storage::{Durability, Store};

use crate::projectors::Projector;
use crate::storage::catalog::Catalog;
use crate::storage::checkpoint;
use crate::storage::home::Home;

/// The models here belong to this epoch of their log from now on. No service may run over them.
pub async fn enter_epoch(home: impl Into<Home>, epoch: u32) -> Result<(), sqlx::Error> {
    let home = home.into();
    let catalog = Catalog::open_read_only(&home).await?;
    let mut named = Vec::new();
    for projector in Projector::ALL {
        let Some(entry) = catalog.find(projector.name()).await? else { continue };
        let others = [entry.building, entry.kept.map(|kept| kept.generation)];
        let numbers = std::iter::once(entry.live).chain(others.into_iter().flatten());
        named.extend(numbers.map(|number| home.generation(projector.name(), number)));
    }
    catalog.close().await;
    for location in named {
        if !location.exists().await? {
            continue;
        }
        let store = Store::open(&location, Durability::Full, 1).await?;
        let mut connection = store.writer().await?;
        checkpoint::enter_epoch(&mut connection, epoch).await?;
        drop(connection);
        store.close().await;
    }
    Ok(())
}
