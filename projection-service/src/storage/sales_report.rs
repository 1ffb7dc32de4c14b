//! The cells of the sales report, added up by what is asked for.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures::TryStreamExt;
use storage::Connection;

use super::sales::cell;
use crate::folds::sales::Cell;

const CELLS: &str = "SELECT orders, units, sales, returns, day, country, currency
    FROM sales_cells WHERE cell >= $1 AND cell < $2";

/// What a row of the report stands for; `None` for what is not grouped by.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The month, such as `2010-12`.
    pub month: Option<String>,
    /// The day, such as `2010-12-01`.
    pub day: Option<String>,
    /// The country.
    pub country: Option<String>,
    /// The currency: amounts of two are never added.
    pub currency: String,
}

/// What is grouped by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupBy {
    /// By month.
    pub month: bool,
    /// By day.
    pub day: bool,
    /// By country.
    pub country: bool,
}

/// The report over the days from `from` to `to`, both included, in the order of its groups; rows of zeros left out.
pub async fn report(
    connection: &mut Connection,
    by: GroupBy,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Result<Vec<(Group, Cell)>, sqlx::Error> {
    // A cell's key begins with its day and a `/`; after that comes `0`.
    let from = from.map_or_else(String::new, |day| day.to_string());
    let to = to.map_or_else(|| "~".to_owned(), |day| format!("{day}0"));
    let mut rows = connection.query(CELLS).bind(from).bind(to).fetch();
    let mut groups: BTreeMap<Group, Cell> = BTreeMap::new();
    while let Some(row) = rows.try_next().await? {
        let day: String = row.try_get(4)?;
        let group = Group {
            month: by.month.then(|| day.get(..7).unwrap_or(&day).to_owned()),
            country: if by.country { row.try_get(5)? } else { None },
            currency: row.try_get(6)?,
            day: by.day.then_some(day),
        };
        let sum = groups.entry(group).or_default();
        *sum = sum.plus(cell(&row)?);
    }
    groups.retain(|_, cell| !cell.is_zero());
    Ok(groups.into_iter().collect())
}
