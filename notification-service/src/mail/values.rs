//! What a template may say: made of what a public event says.

use std::collections::BTreeMap;

use domain::ids::CustomerId;
use iso_currency::Currency;
use minijinja::Value;
use serde::Deserialize;

/// What placeholders stand for, by their names.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// The public event of a mail, as far as mails need it.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    data: Said,
}

/// What public events say, as far as mails need it: each says some of it.
#[derive(Debug, Deserialize)]
struct Said {
    order_id: String,
    customer_id: Option<CustomerId>,
    reference: Option<String>,
    total: Option<Amount>,
    amount: Option<Amount>,
    code: Option<String>,
    carrier: Option<String>,
    tracking: Option<String>,
    lines: Option<Vec<LineItem>>,
}

#[derive(Debug, Deserialize)]
struct Amount {
    amount: i64,
    currency: String,
}

/// A line of an order or a parcel. Of a line that is cancelled its number is told, of a parcel's also what it is.
#[derive(Debug, Deserialize)]
struct LineItem {
    line: u32,
    quantity: u32,
    sku: Option<String>,
}

impl Told {
    /// Reads a public event as it is kept.
    pub(super) fn read(body: &str) -> serde_json::Result<Self> {
        serde_json::from_str(body)
    }

    /// Whose order it is; a guest is nobody.
    pub(super) fn customer_id(&self) -> Option<&CustomerId> {
        self.data.customer_id.as_ref()
    }

    /// What may stand in the mail. What an event of this type never says is not there; what this one does not say is nothing.
    pub(super) fn values(&self, name: Option<&str>) -> Values {
        let said = &self.data;
        let mut values = Values::from([
            ("order_id", Value::from(said.order_id.as_str())),
            ("reference", optional(said.reference.as_deref())),
            ("name", optional(name)),
        ]);
        for (placeholder, amount) in [("total", &said.total), ("amount", &said.amount)] {
            if let Some(amount) = amount {
                values.insert(placeholder, in_figures(amount).into());
            }
        }
        for (placeholder, text) in [("carrier", &said.carrier), ("tracking", &said.tracking)] {
            if let Some(text) = text {
                values.insert(placeholder, Value::from(text.as_str()));
            }
        }
        if let Some(code) = &said.code {
            values.insert("code", Value::from(code.as_str()));
            values.insert("reason", in_words(code).into());
        }
        if let Some(lines) = &said.lines {
            values.insert("lines", lines.iter().map(line).collect::<Vec<_>>().into());
        }
        values
    }
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::from(()), Value::from)
}

fn line(line: &LineItem) -> Value {
    let numbers = [("line", Value::from(line.line)), ("quantity", Value::from(line.quantity))];
    let sku = line.sku.as_deref().map(|sku| ("sku", Value::from(sku)));
    Value::from_pairs(numbers.into_iter().chain(sku))
}

/// Such as `25.50 GBP`.
fn in_figures(Amount { amount, currency }: &Amount) -> String {
    let digits = Currency::from_code(currency).and_then(Currency::exponent).unwrap_or_default();
    let digits = usize::from(digits);
    let (sign, minor) = (if *amount < 0 { "-" } else { "" }, amount.unsigned_abs().to_string());
    let minor = format!("{minor:0>width$}", width = digits + 1);
    let (whole, part) = minor.split_at(minor.len() - digits);
    let point = if digits > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{part} {currency}")
}

/// Why an order is not carried out, in words. Of how somebody pays no more is said than that it did not work.
fn in_words(code: &str) -> &'static str {
    match code {
        "out_of_stock" => "something in it is out of stock",
        "deadline_passed" => "it could not be confirmed in time",
        "step_refused" => "it can't be carried out as it was ordered",
        _ => "the payment was not accepted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(amount: i64, currency: &str) -> String {
        in_figures(&Amount { amount, currency: currency.to_owned() })
    }

    #[test]
    fn an_amount_has_as_many_decimals_as_its_currency() {
        assert_eq!(figures(2550, "GBP"), "25.50 GBP");
        assert_eq!(figures(5, "EUR"), "0.05 EUR");
        assert_eq!(figures(-100, "EUR"), "-1.00 EUR");
        assert_eq!(figures(2550, "JPY"), "2550 JPY");
        assert_eq!(figures(2550, "KWD"), "2.550 KWD");
        assert_eq!(figures(i64::MIN, "GBP"), "-92233720368547758.08 GBP");
    }

    #[test]
    fn an_event_of_a_guest_is_nobody_s() {
        let told = Told::read(r#"{"data":{"order_id":"o1","code":"insufficient_funds"}}"#).unwrap();
        assert!(told.customer_id().is_none());
        let values = told.values(None);
        assert_eq!(values["reason"].as_str(), Some("the payment was not accepted"));
        assert!(values["reference"].is_none() && !values.contains_key("tracking"));
    }
}
