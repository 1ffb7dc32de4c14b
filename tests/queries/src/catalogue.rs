//! Which requests a query API takes, drawn from its own description.
//!
//! **Invariant:** every list is in it with every subset of its filters. A filter that nobody gave a value for is an error.

use std::fmt::Write as _;

use serde_json::Value;

/// Parameters of every list that narrow nothing.
const OF_EVERY_LIST: [&str; 4] = ["limit", "cursor", "min_position", "after"];

/// A list with some of its filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The list, such as `/orders`.
    pub path: String,
    /// The filters by name.
    pub filters: Vec<String>,
    /// What is to be asked, such as `/orders?status=placed`.
    pub uri: String,
}

impl Asked {
    /// The same list from after this cursor, with so many entries.
    #[must_use]
    pub fn page(&self, limit: usize, cursor: Option<&str>) -> String {
        let sign = if self.uri.contains('?') { '&' } else { '?' };
        let mut uri = format!("{}{sign}limit={limit}", self.uri);
        if let Some(cursor) = cursor {
            let _ = write!(uri, "&cursor={cursor}");
        }
        uri
    }
}

/// Every list of an OpenAPI description with every subset of its filters, each with a value of `samples`.
///
/// # Errors
///
/// Names the filter that has no value there.
pub fn lists(described: &Value, samples: &[(&str, &str)]) -> Result<Vec<Asked>, String> {
    let mut lists = Vec::new();
    for (path, operations) in described["paths"].as_object().into_iter().flatten() {
        let parameters: Vec<&str> = operations["get"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        if path.contains('{') || parameters.is_empty() {
            continue;
        }
        let filters = parameters.into_iter().filter(|name| !OF_EVERY_LIST.contains(name));
        let filters =
            filters.map(|name| sample(path, name, samples)).collect::<Result<Vec<_>, _>>()?;
        for chosen in 0..1_usize << filters.len() {
            let some = filters.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1);
            lists.push(asked(path, some.map(|(_, filter)| *filter)));
        }
    }
    Ok(lists)
}

type Filter<'s> = (&'s str, &'s str);

fn sample<'s>(path: &str, name: &'s str, samples: &[Filter<'s>]) -> Result<Filter<'s>, String> {
    let found = samples.iter().find(|(known, _)| *known == name);
    found.copied().ok_or_else(|| format!("no value to filter {path} by `{name}`: give one"))
}

fn asked<'s>(path: &str, filters: impl Iterator<Item = Filter<'s>>) -> Asked {
    let (mut uri, mut names) = (path.to_owned(), Vec::new());
    for (name, value) in filters {
        let sign = if names.is_empty() { '?' } else { '&' };
        let _ = write!(uri, "{sign}{name}={value}");
        names.push(name.to_owned());
    }
    Asked { path: path.to_owned(), filters: names, uri }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn described() -> Value {
        let names = ["status", "sku", "limit", "cursor"];
        let parameters = names.map(|name| json!({ "in": "query", "name": name }));
        json!({ "paths": {
            "/orders": { "get": { "parameters": parameters } },
            "/orders/{id}": { "get": { "parameters": parameters } },
            "/health": { "get": {} },
            "/stock": { "post": {} },
        } })
    }

    #[test]
    fn every_subset_of_a_lists_filters_is_asked() {
        let lists = lists(&described(), &[("status", "placed"), ("sku", "mug")]).unwrap();
        let uris: Vec<&str> = lists.iter().map(|list| list.uri.as_str()).collect();
        let wanted = [
            "/orders",
            "/orders?status=placed",
            "/orders?sku=mug",
            "/orders?status=placed&sku=mug",
        ];
        assert_eq!(uris, wanted);
        assert_eq!(lists[0].page(2, None), "/orders?limit=2");
        assert_eq!(lists[2].page(2, Some("c")), "/orders?sku=mug&limit=2&cursor=c");
    }

    #[test]
    fn a_filter_without_a_value_is_an_error() {
        let error = lists(&described(), &[("status", "placed")]).unwrap_err();
        assert!(error.contains("`sku`"), "{error}");
    }
}
