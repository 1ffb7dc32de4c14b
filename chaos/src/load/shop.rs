//! What a shop has before its customers come.

use anyhow::{Result, ensure};
use serde_json::json;

use crate::client::Client;

/// Products with more stock than anybody wants.
const PLENTIFUL: u32 = 7;
/// The one that is soon sold out.
pub(crate) const SCARCE: &str = "sku-scarce";
/// How many of it there are.
const FEW: u32 = 25;

/// Every product.
pub(crate) fn skus() -> Vec<String> {
    (0..PLENTIFUL).map(|n| format!("sku-{n}")).chain([SCARCE.to_owned()]).collect()
}

/// Sells products and has some of each.
pub(crate) async fn furnish(client: &Client) -> Result<()> {
    for sku in skus() {
        let product = json!({
            "sku": sku, "name": format!("Product {sku}"), "stocked": true,
            "unit_price": { "amount": 1275, "currency": "GBP" },
        });
        let sold = client.until_done("/v1/products", &format!("sell/{sku}"), &product).await?;
        ensure!(sold.is_ok(), "{sold:?}");
        let units = if sku == SCARCE { FEW } else { 100_000 };
        let path = format!("/v1/stock/{sku}/receive");
        let received = json!({ "quantity": units, "reason": "what the shop opens with" });
        client.until_done(&path, &format!("stock/{sku}"), &received).await?;
    }
    Ok(())
}
