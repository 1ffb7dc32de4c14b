//! Metrics: every one that the code records stands in `docs/metrics.md`, every one that stands there is recorded, and
//! names follow the conventions of Prometheus.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::sources::SourceFile;

const PAGE: &str = "docs/metrics.md";
const KINDS: [&str; 3] = ["counter", "gauge", "histogram"];
/// Folders whose code records nothing for anybody to see.
const SILENT: [&str; 2] = ["xtask", "benchmarks"];

/// Name and kind of metrics.
type Metrics = BTreeMap<String, String>;

/// What the page and the code do not have in common, and names that mislead.
pub(crate) fn breaches(root: &Path, files: &[SourceFile]) -> anyhow::Result<Vec<String>> {
    let page = fs::read_to_string(root.join(PAGE)).with_context(|| format!("{PAGE} is missing"))?;
    let recorded = |file: &&SourceFile| !SILENT.iter().any(|folder| file.is_under(folder));
    let recorded = files.iter().filter(recorded).flat_map(|file| recorded_in(&file.text)).collect();
    Ok(compare(&described_in(&page), &recorded))
}

fn compare(described: &Metrics, recorded: &Metrics) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, kind) in recorded {
        match described.get(name) {
            None => breaches.push(format!("{PAGE}: the {kind} `{name}` is missing")),
            Some(other) if other != kind => {
                breaches.push(format!("{PAGE}: `{name}` is a {kind} and not a {other}"));
            }
            Some(_) => {}
        }
        let (is_total, is_counter) = (name.ends_with("_total"), kind == "counter");
        if is_total != is_counter {
            breaches.push(format!("metric `{name}`: counters, and they alone, end in `_total`"));
        }
        if kind == "histogram" && !name.ends_with("_seconds") && !name.ends_with("_size") {
            breaches.push(format!("metric `{name}`: a histogram of what? `_seconds` or `_size`"));
        }
    }
    let unknown = described.keys().filter(|name| !recorded.contains_key(*name));
    breaches.extend(unknown.map(|name| format!("{PAGE}: nothing records `{name}`")));
    breaches
}

/// The rows of the page's tables.
fn described_in(page: &str) -> Metrics {
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let name = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), cells.next()?.to_owned()))
    };
    page.lines().filter_map(row).collect()
}

/// What the macros of `metrics` are given as a name.
fn recorded_in(text: &str) -> Vec<(String, String)> {
    let of_kind = |kind: &'static str| {
        let begins = format!("metrics::{kind}!(");
        let calls: Vec<&str> = text.split(&begins).skip(1).collect();
        calls.into_iter().filter_map(move |call| {
            let name = call.trim_start().strip_prefix('"')?.split('"').next()?;
            Some((name.to_owned(), kind.to_owned()))
        })
    };
    KINDS.into_iter().flat_map(of_kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(of: &[(&str, &str)]) -> Metrics {
        of.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
    }

    #[test]
    fn what_is_recorded_and_not_described_is_told_and_the_other_way_round() {
        let page = described_in("| Metric | Kind |\n|--|--|\n| `a_total` | counter | | A |\n");
        assert_eq!(page, metrics(&[("a_total", "counter")]));
        let code = recorded_in("metrics::counter!(\n  \"a_total\", \"x\" => y)").into_iter();
        assert!(compare(&page, &code.collect()).is_empty());
        assert_eq!(compare(&page, &metrics(&[])).len(), 1);
        assert_eq!(compare(&metrics(&[]), &page).len(), 1);
        assert_eq!(compare(&page, &metrics(&[("a_total", "gauge")])).len(), 2);
    }

    #[test]
    fn a_name_says_what_kind_of_number_it_is() {
        for (name, kind) in [("a", "counter"), ("a_total", "gauge"), ("a_ms", "histogram")] {
            let named = metrics(&[(name, kind)]);
            assert_eq!(compare(&named, &named).len(), 1, "{name}");
        }
    }
}
