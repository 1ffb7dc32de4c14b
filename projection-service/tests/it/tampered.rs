//! I11: whatever is changed in a model's tables is seen by its digests, and named. The tables are asked what columns they have,
//! so that one that is added can't be forgotten.

use projection_service::runner::handle::Handle;
use projection_service::storage::digest::{TableDigest, differences, digest, digest_stable};
use serde_json::json;
use storage::{Connection, Sql};

use crate::place::{Place, on_both};
use crate::shop::{Shop, caught_up};

on_both! { a_value_that_is_changed_in_any_column_is_found_and_named }

/// Tables of a generation that are none of its model.
const OTHER_TABLES: [(&str, &str); 3] = [
    ("checkpoint", "where the model stands: compared with the log itself"),
    ("parked_keys", "what an operator decided: no fold of the log"),
    ("parked_events", "what waits because of it"),
];
/// What differs between two runs of the same business, and is no part of what they have in common.
const UNSTABLE: [(&str, &str); 3] =
    [("orders", "listed_at"), ("order_skus", "listed_at"), ("stock", "version")];
const COLUMNS: Sql = Sql::per_dialect(
    "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' ORDER BY 1, c.cid",
    "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
    WHERE table_schema = current_schema() ORDER BY 1, ordinal_position",
);

struct Column {
    table: String,
    name: String,
    is_text: bool,
}

/// Every column of the model's tables, as the database has them.
async fn columns(connection: &mut Connection) -> Vec<Column> {
    let rows = connection.query(COLUMNS).fetch_all().await.unwrap();
    let columns = rows.iter().map(|row| {
        let kind: String = row.try_get(2).unwrap();
        let is_text = kind.eq_ignore_ascii_case("text");
        Column { table: row.try_get(0).unwrap(), name: row.try_get(1).unwrap(), is_text }
    });
    columns.filter(|column| OTHER_TABLES.iter().all(|(other, _)| *other != column.table)).collect()
}

/// Of the row whose first column comes first.
fn change(column: &Column, first: &str) -> &'static str {
    let Column { table, name, is_text } = column;
    let changed =
        if *is_text { format!("coalesce({name}, '') || '!'") } else { format!("{name} + 1") };
    String::leak(format!(
        "UPDATE {table} SET {name} = {changed} WHERE {first} = (SELECT min({first}) FROM {table})"
    ))
}

fn differing(before: &[TableDigest], after: &[TableDigest]) -> Vec<String> {
    let pairs = before.iter().zip(after).filter(|(before, after)| before != after);
    pairs.map(|(before, _)| before.table.clone()).collect()
}

/// Changes each column of a model in turn, and takes it back; how many there are.
async fn each_is_found(handle: &Handle) -> usize {
    let (database, definition) = (handle.current().database, handle.projector.definition());
    let mut as_it_was = database.snapshot().await.unwrap();
    let whole = digest(&mut as_it_was, definition).await.unwrap();
    let stable = digest_stable(&mut as_it_was, definition).await.unwrap();
    let columns = columns(&mut as_it_was).await;
    for column in &columns {
        let Column { table, name, .. } = column;
        let first = &columns.iter().find(|other| other.table == *table).unwrap().name;
        let mut tampered = database.begin().await.unwrap();
        let changed = tampered.query(change(column, first)).execute().await.unwrap();
        assert!(changed > 0, "{table}.{name}: there is a row");
        let found = differing(&whole, &digest(&mut tampered, definition).await.unwrap());
        assert_eq!(found, [table.as_str()], "{table}.{name}");
        let found = differences(&mut tampered, &mut as_it_was, definition, 10).await.unwrap();
        assert!(!found.is_empty(), "{table}.{name}");
        for one in found {
            let is_named =
                |row: Option<String>| row.is_none_or(|row| row.contains(&format!("{name} = ")));
            let is_key = one.left.is_none() || one.right.is_none();
            assert_eq!(one.table, *table);
            assert!(is_key || is_named(one.left) && is_named(one.right), "{table}.{name}");
        }
        let found = differing(&stable, &digest_stable(&mut tampered, definition).await.unwrap());
        let is_stable = !UNSTABLE.contains(&(table.as_str(), name.as_str()));
        assert_eq!(!found.is_empty(), is_stable, "{table}.{name}");
    }
    columns.len()
}

async fn a_value_that_is_changed_in_any_column_is_found_and_named(place: Place) {
    let mut shop = Shop::new(place.home("models"));
    let sealed = shop.vault.seal("customer-c1", br#""Ada""#).await.unwrap();
    let name = json!({ "person": sealed.person, "sealed": sealed.sealed });
    let at = "2010-12-01T08:26:00Z";
    let product = json!({ "sku": "a", "name": "Mug", "unit_price": { "amount": 250, "currency": "GBP" }, "stocked": true });
    let events = [
        ("CustomerRegistered", json!({ "customer_id": "c1", "name": name })),
        ("ProductRegistered", product),
    ];
    shop.append(at, &events).await;
    shop.completed_order("o1", at, "a").await;
    let end = shop.completed_order("o2", at, "b").await;
    let service = shop.start().await;
    caught_up(&service, end).await;
    let mut columns = 0;
    for handle in service.handles() {
        columns += each_is_found(handle).await;
    }
    assert!(columns > 30, "of every model: {columns}");
    service.shutdown().await;
}
