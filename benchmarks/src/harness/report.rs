//! The report, for people: what was demanded and what was reached, then every row with medians and spreads.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::catalogue::{Figure, ROWS, RowOf};
use super::plot;
use super::summary::{Cell, Results, Spread};
use super::targets::{Needs, TARGETS, Target};
use crate::row::number;

/// Writes `report.md`, the plots and `results.json` into the folder.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    let failed = || format!("the report can't be written to {}", folder.display());
    fs::create_dir_all(folder).with_context(failed)?;
    let json = serde_json::to_string_pretty(results)?;
    fs::write(folder.join("results.json"), json).with_context(failed)?;
    for row in ROWS {
        if let Some(svg) = plot::bars(results, row) {
            fs::write(folder.join(plot_name(row)), svg).with_context(failed)?;
        }
    }
    fs::write(folder.join("report.md"), markdown(results)?).with_context(failed)
}

fn plot_name(row: &RowOf) -> String {
    format!("{}.svg", row.name)
}

fn markdown(results: &Results) -> Result<String> {
    let mut text = String::from("# Docket beside its peers and the limits of the machine\n\n");
    text.push_str("Medians, and in brackets the least and the most of the rounds. Client, servers and disk share one machine: ratios carry over to another, single figures do not.\n\n");
    text.push_str("| | |\n|--|--|\n");
    for (name, value) in &results.setting {
        writeln!(text, "| {name} | {} |", cell(value))?;
    }
    text.push_str("\n## What it must show\n\n");
    text.push_str("| What | Needs | Reached | Against | Holds? |\n|--|--|--|--|--|\n");
    for target in TARGETS {
        text.push_str(&demand(results, target));
    }
    text.push_str("\n## Every row\n");
    for row in ROWS {
        let cells = results.cells(row.name);
        if !cells.is_empty() {
            text.push_str(&table(results, row, &cells)?);
        }
    }
    Ok(text)
}

fn demand(results: &Results, target: &Target) -> String {
    let needs = match target.needs {
        Needs::AtLeast(bound) => format!("≥ {}", number(bound)),
        Needs::AtMost(bound) => format!("≤ {}", number(bound)),
    };
    let Some(reached) = target.reached(results) else {
        return format!("| {} | {needs} | not measured | | |\n", target.what);
    };
    let holds = match (reached.missing.as_slice(), reached.holds) {
        ([], true) => "yes".to_owned(),
        ([], false) => "**no**".to_owned(),
        (missing, _) => format!("**not told**: not of every round is {}", missing.join(", ")),
    };
    let against = reached.against.unwrap_or_default();
    format!("| {} | {needs} | {} | {against} | {holds} |\n", target.what, spread(reached.ratio))
}

fn table(results: &Results, row: &RowOf, cells: &[Cell<'_>]) -> Result<String> {
    let mut text = format!("\n### {}\n\n{}\n\n", row.name, sentence(row.what));
    writeln!(text, "| Subject | {} | p50 ms | p99 ms | CPU µs | MB | |", row.unit)?;
    text.push_str("|--|--:|--:|--:|--:|--:|--|\n");
    for one in cells {
        let figure = |figure| one.spread(figure).map(spread).unwrap_or_default();
        let value = if row.unit == "ms" { String::new() } else { figure(Figure::Value) };
        let (cpu, memory) = (one.cpu_us(), one.memory_mb());
        writeln!(
            text,
            "| {} | {value} | {} | {} | {} | {} | {} |",
            one.subject,
            figure(Figure::P50),
            figure(Figure::P99),
            cpu.map(|spread| number(spread.median)).unwrap_or_default(),
            memory.map(|spread| number(spread.median)).unwrap_or_default(),
            cell(&one.note().unwrap_or_default()),
        )?;
    }
    if plot::bars(results, row).is_some() {
        writeln!(text, "\n![{}]({})", row.name, plot_name(row))?;
    }
    Ok(text)
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// A text that can stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn spread(spread: Spread) -> String {
    let Spread { median, min, max } = spread;
    if min.to_bits() == max.to_bits() {
        return grouped(median);
    }
    format!("{} ({}–{})", grouped(median), grouped(min), grouped(max))
}

/// With commas between the thousands.
fn grouped(value: f64) -> String {
    let text = number(value);
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    rest.map_or(out.clone(), |rest| format!("{out}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::super::measurement::Measurement;
    use super::super::summary::tests::results;
    use super::super::summary::{Entry, Kind};
    use super::*;
    use crate::subjects::POSTGRES;

    #[test]
    fn the_report_says_what_was_needed_reached_and_whether_it_holds() {
        let mut results = results(&[
            (Kind::Docket, POSTGRES, "command-64", &[40_000.0, 50_000.0, 60_000.0]),
            (Kind::Peer, "peer 1.0", "command-64", &[5_000.0, 5_000.0, 5_000.0]),
        ]);
        let skipped = Measurement::skipped("other 2.0", "command-64", "a | b");
        results.entries.push(Entry { round: 0, kind: Kind::Peer, measurement: skipped });
        let text = markdown(&results).unwrap();
        let demand = "× the best peer | ≥ 6.00 | 10.0 (8.00–12.0) | peer 1.0 |";
        let partial = format!("{demand} **not told**: not of every round is other 2.0 |");
        assert!(text.contains(&partial), "{text}");
        let row = format!("| {POSTGRES} | 50,000 (40,000–60,000) | 0.02 (0.02–0.03) |");
        assert!(text.contains(&row), "{text}");
        assert!(text.contains("| other 2.0 |  |  |  |  |  | skipped: a \\| b |"), "{text}");
        assert!(text.contains("not measured"), "{text}");
        assert!(!text.contains("### hot-64"), "a row that nobody ran has no table");
        results.entries.pop();
        let text = markdown(&results).unwrap();
        assert!(text.contains(&format!("{demand} yes |")), "{text}");
    }

    #[test]
    fn a_report_has_its_plots_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let results = results(&[(Kind::Peer, "p", "hot-16", &[1.0])]);
        write(&results, folder.path()).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(read("report.md").contains("](hot-16.svg)"));
        assert!(read("hot-16.svg").starts_with("<svg"));
        let kept: Results = serde_json::from_str(&read("results.json")).unwrap();
        assert_eq!(kept.entries.len(), 1);
    }

    #[test]
    fn thousands_are_held_apart() {
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(grouped(123.4), "123");
        assert_eq!(grouped(1.234), "1.23");
    }
}
