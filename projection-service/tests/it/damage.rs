//! A damaged file of a read model is set aside and built anew from the log: the log gives back all that it held.

use std::path::Path;

use projection_service::offline::survey;
use projection_service::{Home, Projector};
use serde_json::{Value, json};

use crate::shop::{Shop, get, placed};

const DAY: &str = "2010-12-01T08:26:00Z";
static GARBAGE: [u8; 20_000] = [0x5a; 20_000];

/// A shop with an order, stopped; what the order was answered as, under the path that asks for it.
async fn stopped(models: &Path) -> (Shop, String, Value) {
    let mut shop = Shop::new(Home::from(models));
    let end = shop
        .append(
            DAY,
            &[placed("o1", "a", 1), ("StockReceived", json!({ "sku": "a", "quantity": 4 }))],
        )
        .await;
    let service = shop.start().await;
    let path = format!("/orders/o1?min_position={end}");
    let order = get(&service, &path).await;
    service.shutdown().await;
    (shop, path, order)
}

#[tokio::test]
async fn a_damaged_model_is_set_aside_and_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let (shop, path, order) = stopped(&models).await;
    std::fs::write(models.join("orders.g1.db"), GARBAGE).unwrap();

    let found = survey(models.as_path()).await.unwrap();
    assert_eq!(found.models.len(), Projector::ALL.len() - 1, "the others can be read");
    assert_eq!(found.unreadable[0].projector, Some(Projector::Orders));
    let error = found.complete().unwrap_err().to_string();
    assert!(error.contains("orders.g1.db"), "{error}");

    let service = shop.start().await;
    assert_eq!(get(&service, &path).await, order);
    service.shutdown().await;
    assert_eq!(std::fs::read(models.join("orders.g1.db.damaged")).unwrap(), GARBAGE);
    assert_eq!(
        survey(models.as_path()).await.unwrap().complete().unwrap().len(),
        Projector::ALL.len()
    );
}

#[tokio::test]
async fn a_damaged_catalog_is_set_aside_and_every_model_is_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    let (shop, path, order) = stopped(&models).await;
    std::fs::write(models.join("catalog.db"), GARBAGE).unwrap();
    let found = survey(models.as_path()).await.unwrap();
    assert_eq!(found.unreadable[0].projector, None);

    let service = shop.start().await;
    assert_eq!(get(&service, &path).await, order);
    service.shutdown().await;
    assert!(models.join("catalog.db.damaged").is_file());
}

#[tokio::test]
async fn a_model_of_another_version_is_told_from_a_damaged_one() {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models");
    stopped(&models).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(models.join("catalog.db"));
    let catalog = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let older = "UPDATE projectors SET version = 0 WHERE name = 'orders'";
    sqlx::query(older).execute(&catalog).await.unwrap();
    catalog.close().await;

    let found = survey(models.as_path()).await.unwrap();
    assert!(found.unreadable.is_empty());
    let [other] = found.other_versions.as_slice() else { panic!("one is of another version") };
    assert_eq!((other.projector, other.version), (Projector::Orders, 0));
}
