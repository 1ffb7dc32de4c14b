//! A row as a plot: a bar for each subject's median, and over it a line from the least to the most of the rounds.

use std::fmt::Write as _;

use super::catalogue::{Figure, RowOf};
use super::summary::{Kind, Results, Spread};
use crate::row::number;

const WIDTH: f64 = 860.0;
/// Where the names end and the bars begin.
const NAMES: f64 = 300.0;
/// Room for the number behind the longest bar.
const NUMBERS: f64 = 90.0;
const LINE: f64 = 24.0;
const BAR: f64 = 14.0;
const TOP: f64 = 34.0;

/// The plot as SVG; `None` where nobody has a figure.
pub(crate) fn bars(results: &Results, row: &RowOf) -> Option<String> {
    let cells = results.cells(row.name).into_iter();
    let bars: Vec<(Kind, &str, Spread)> = cells
        .filter_map(|cell| Some((cell.kind, cell.subject, cell.spread(row.figure)?)))
        .collect();
    let most = bars.iter().map(|(_, _, spread)| spread.max).fold(f64::NAN, f64::max);
    // Also of no number at all.
    if !most.is_normal() || most < 0.0 {
        return None;
    }
    let mut svg = String::new();
    draw(&mut svg, row, &bars, most).ok()?;
    Some(svg)
}

fn draw(
    svg: &mut String,
    row: &RowOf,
    bars: &[(Kind, &str, Spread)],
    most: f64,
) -> std::fmt::Result {
    let lines = u32::try_from(bars.len()).unwrap_or(u32::MAX);
    let height = TOP + LINE * f64::from(lines) + 8.0;
    let scale = (WIDTH - NAMES - NUMBERS) / most;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="8" y="20" font-size="14" font-weight="bold">{}</text>"#,
        escaped(&title(row))
    )?;
    let mut y = TOP;
    for (kind, subject, spread) in bars {
        let middle = y + LINE / 2.0;
        let end = |value: f64| NAMES + value * scale;
        let (median, min, max) = (end(spread.median), end(spread.min), end(spread.max));
        writeln!(
            svg,
            r##"<text x="{}" y="{}" text-anchor="end">{}</text>
<rect x="{NAMES}" y="{}" width="{:.1}" height="{BAR}" fill="{}"/>
<path d="M{min:.1} {middle}H{max:.1}M{min:.1} {}V{}M{max:.1} {}V{}" stroke="#222" fill="none"/>
<text x="{:.1}" y="{}">{}</text>"##,
            NAMES - 8.0,
            middle + 4.0,
            escaped(subject),
            middle - BAR / 2.0,
            median - NAMES,
            colour(*kind),
            middle - 4.0,
            middle + 4.0,
            middle - 4.0,
            middle + 4.0,
            max + 6.0,
            middle + 4.0,
            number(spread.median),
        )?;
        y += LINE;
    }
    writeln!(svg, "</svg>")
}

fn title(row: &RowOf) -> String {
    let unit = match row.figure {
        Figure::Value => row.unit,
        Figure::P50 => "ms, median",
        Figure::P99 => "ms, 99th percentile",
    };
    format!("{}: {} [{unit}]", row.name, row.what)
}

fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Docket => "#1f6feb",
        Kind::Peer => "#d98c3f",
        Kind::Limit => "#b0b7c0",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::catalogue;
    use super::super::summary::tests::results;
    use super::*;

    #[test]
    fn a_plot_has_a_bar_for_everyone_with_a_figure() {
        let results = results(&[
            (Kind::Docket, "d", "hot-64", &[2.0, 4.0, 3.0]),
            (Kind::Peer, "a<b", "hot-64", &[1.0]),
        ]);
        let svg = bars(&results, catalogue::row("hot-64").unwrap()).unwrap();
        assert_eq!(svg.matches("<path").count(), 2);
        assert!(svg.contains("a&lt;b") && !svg.contains("a<b"));
        // Of 470 for the most, 4.
        assert!(svg.contains(r#"width="352.5""#), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let row = catalogue::row("hot-64").unwrap();
        assert_eq!(bars(&results(&[]), row), None);
        assert_eq!(bars(&results(&[(Kind::Peer, "p", "hot-64", &[0.0])]), row), None);
    }
}
