//! The shop that the load is about: its products, and the commands on them.

use anyhow::Result;
use serde_json::json;

use crate::client::{Command, Connection};

/// SKUs that a spread load is spread over.
const SPREAD: u64 = 1_000;

/// The SKU of a connection's `n`th command, when they are spread.
pub(crate) fn spread(index: usize, n: u64) -> String {
    format!("spread-{}", (n * 61 + index as u64 * 16) % SPREAD)
}

/// Registers every SKU of a spread load.
pub(crate) async fn register_spread(connection: &mut Connection) -> Result<()> {
    for n in 0..SPREAD {
        register(connection, &format!("spread-{n}")).await?;
    }
    Ok(())
}

/// Puts more into stock than any load can sell.
pub(crate) async fn fill_spread(connection: &mut Connection) -> Result<()> {
    for n in 0..SPREAD {
        let mut fill = receive(&format!("spread-{n}"), &format!("fill/{n}"));
        fill.body = json!({ "quantity": 10_000_000 }).to_string();
        connection.post(&fill).await?;
    }
    Ok(())
}

/// Registers a product.
pub(crate) async fn register(connection: &mut Connection, sku: &str) -> Result<()> {
    let body = json!({
        "sku": sku,
        "name": sku,
        "unit_price": { "amount": 100, "currency": "GBP" },
        "stocked": true,
    });
    let register =
        Command::new("/v1/products".to_owned(), format!("register/{sku}"), body.to_string());
    connection.post(&register).await?;
    Ok(())
}

/// Stock comes in.
pub(crate) fn receive(sku: &str, key: &str) -> Command {
    let path = format!("/v1/stock/{sku}/receive");
    Command::new(path, key.to_owned(), r#"{"quantity":1}"#.to_owned())
}

/// A guest orders one piece.
pub(crate) fn order(sku: &str, key: &str) -> Command {
    let body = json!({
        "currency": "GBP",
        "lines": [{ "sku": sku, "quantity": 1 }],
        "payment_method": "pm_ok",
        "shipping_address": { "country": "United Kingdom" },
    });
    Command::new("/v1/orders".to_owned(), key.to_owned(), body.to_string())
}
