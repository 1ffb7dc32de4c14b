//! `GET /reports/sales`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use service_kit::access::Caller;
use service_kit::described::PositionText;
use service_kit::extract::QueryParams;
use service_kit::problem::Problem;
use service_kit::responses::ListProblems;
use utoipa::{IntoParams, ToSchema};

use super::answer::{Answer, read};
use super::app::App;
use super::reading::{A_DAY, MinPosition, Reading, parse_day, unread};
use crate::folds::sales::Cell;
use crate::projectors::Projector;
use crate::storage::sales_report::{Group, GroupBy, report};

/// What the report shows.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SalesParams {
    /// Any of `month`, `day`, `country`, separated by commas; `month` when absent.
    #[param(
        pattern = "^(month(,day(,country)?|,country(,day)?)?|day(,month(,country)?|,country(,month)?)?|country(,month(,day)?|,day(,month)?)?)$"
    )]
    pub group_by: Option<String>,
    /// The first day.
    #[param(value_type = Option<NaiveDate>)]
    pub from: Option<String>,
    /// The last day.
    #[param(value_type = Option<NaiveDate>)]
    pub to: Option<String>,
    /// Wait, at most 5 seconds, until the model has reached this position.
    #[param(inline, value_type = Option<PositionText>)]
    pub min_position: Option<String>,
}

/// A row of the report. Amounts are minor units of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SalesRowAnswer {
    /// The month, such as `2010-12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    /// The day, such as `2010-12-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// The country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The currency.
    pub currency: String,
    /// Confirmed orders.
    pub orders: i64,
    /// Units of their lines, less cancelled ones.
    pub units: i64,
    /// Amount of their lines, less cancelled ones.
    pub sales: i64,
    /// Amount of received returns, positive, in the month or day of the return.
    pub returns: i64,
}

impl From<(Group, Cell)> for SalesRowAnswer {
    fn from((group, cell): (Group, Cell)) -> Self {
        Self {
            month: group.month,
            day: group.day,
            country: group.country,
            currency: group.currency,
            orders: cell.orders,
            units: cell.units,
            sales: cell.sales,
            returns: cell.returns,
        }
    }
}

/// The sales report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SalesAnswer {
    /// Its rows, in the order of their groups; rows of zeros are left out.
    pub rows: Vec<SalesRowAnswer>,
}

fn day(name: &'static str, text: Option<&str>) -> Result<Option<NaiveDate>, Problem> {
    let wrong = |text| unread(name, format!("`{text}` is not a day such as `{A_DAY}`"));
    text.map(|text| parse_day(text).ok_or_else(|| wrong(text))).transpose()
}

fn group_by(text: Option<&str>) -> Result<GroupBy, Problem> {
    let text = text.unwrap_or("month");
    let mut by = GroupBy::default();
    for part in text.split(',') {
        let asked = match part {
            "month" => &mut by.month,
            "day" => &mut by.day,
            "country" => &mut by.country,
            _ => {
                let wrong = format!("`{part}` is not month, day or country");
                return Err(unread("group_by", wrong));
            }
        };
        if std::mem::replace(asked, true) {
            return Err(unread("group_by", format!("`{part}` is given twice")));
        }
    }
    Ok(by)
}

/// Sales and returns by month, day or country.
#[utoipa::path(get, path = "/reports/sales", tag = "Queries",
    params(SalesParams),
    responses((status = 200, body = SalesAnswer), ListProblems))]
pub async fn sales_report(
    State(app): State<App>,
    caller: Caller,
    QueryParams(params): QueryParams<SalesParams>,
) -> Result<Response, Problem> {
    let min = MinPosition { min_position: params.min_position };
    let by = group_by(params.group_by.as_deref())?;
    let (from, to) = (day("from", params.from.as_deref())?, day("to", params.to.as_deref())?);
    let Reading { mut transaction, seen } = app.read(Projector::Sales, &min, &caller).await?;
    let rows = read(report(&mut transaction, by, from, to).await)?;
    let rows = rows.into_iter().map(SalesRowAnswer::from).collect();
    Ok(Answer(seen, SalesAnswer { rows }).into_response())
}
