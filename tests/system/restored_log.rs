//! The log's database is restored from an older backup under the broker and the other databases, which know more.

use crate::services::{Service, Services};
use crate::shop::order;

#[tokio::test]
async fn p9_a_log_restored_from_an_older_backup_is_noticed_and_every_service_goes_on_from_it() {
    let Some(mut services) = Services::start_with_own_postgres().await else { return };
    services.gateway.sell("A", 10).await;
    services.gateway.place(&order("o1", "A", "pm_ok")).await;
    services.gateway.settle().await;
    services.stop(Service::Commands).await;
    services.postgres().execute(&["CREATE DATABASE backup TEMPLATE log"]).unwrap();
    services.restart(Service::Commands).await;
    services.of(Service::Commands).until_ready().await;

    // What comes now is lost with the restore; broker, read models and sagas have seen it.
    services.gateway.sell("B", 10).await;
    services.gateway.settle().await;
    let before = services.gateway.get("/v1/products").await.header("docket-position").to_owned();
    services.stop(Service::Commands).await;
    let restore = ["DROP DATABASE log WITH (FORCE)", "ALTER DATABASE backup RENAME TO log"];
    services.postgres().execute(&restore).unwrap();
    services.restart(Service::Commands).await;

    // Another history begins, with the same positions for other events.
    services.of(Service::Commands).until_ready().await;
    services.of(Service::Commands).sell("C", 10).await;
    // Who reads the log ends when it hears of the new epoch; its supervisor starts it anew.
    for service in [Service::Models, Service::Sagas, Service::Notifications] {
        assert!(!services.take(service).ended().await.success());
        services.restart(service).await;
    }
    let epoch = |token: &str| token.split('-').nth(1).map(str::to_owned);
    assert_eq!(epoch(&before).as_deref(), Some("1"));
    let skus = |list: &serde_json::Value| {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["sku"].to_string()).collect::<String>()
    };
    services.gateway.until("/v1/products", |list| skus(list) == "\"A\"\"C\"").await;
    let products = services.gateway.get("/v1/products").await;
    assert_eq!(epoch(products.header("docket-position")).as_deref(), Some("2"), "{products:?}");
    let refused = services.gateway.get(&format!("/v1/products?min_position={before}")).await;
    assert_eq!(refused.problem(), (409, "position_of_another_history"));

    // The shop goes on: the order of before is carried out, and a new one is taken.
    services.gateway.deliver("o1").await;
    services.gateway.place(&order("o2", "C", "pm_ok")).await;
    services.gateway.deliver("o2").await;
    for id in ["o1", "o2"] {
        let path = format!("/v1/orders/{id}");
        services.gateway.until(&path, |order| order["status"] == "completed").await;
    }
    services.gateway.settle().await;
    services.verify().await;
    for service in [Service::Commands, Service::Models, Service::Sagas, Service::Notifications] {
        services.of(service).until_ready().await;
    }
    services.terminate().await;
}
