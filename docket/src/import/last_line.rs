//! A last line without a line break: whether it is whole, or the file was cut off in it.
//!
//! A cut leaves too few columns or one that can't be read, and the row is refused for that. Only a cut inside the last
//! column, the country, leaves a row that looks whole. **Invariant:** what may be the beginning of a known country, or of
//! another row's, is refused.

use super::names::Names;
use super::rows::RetailRow;

/// The countries of the data set.
const COUNTRIES: [&str; 38] = [
    "Australia",
    "Austria",
    "Bahrain",
    "Belgium",
    "Brazil",
    "Canada",
    "Channel Islands",
    "Cyprus",
    "Czech Republic",
    "Denmark",
    "EIRE",
    "European Community",
    "Finland",
    "France",
    "Germany",
    "Greece",
    "Hong Kong",
    "Iceland",
    "Israel",
    "Italy",
    "Japan",
    "Lebanon",
    "Lithuania",
    "Malta",
    "Netherlands",
    "Norway",
    "Poland",
    "Portugal",
    "RSA",
    "Saudi Arabia",
    "Singapore",
    "Spain",
    "Sweden",
    "Switzerland",
    "USA",
    "United Arab Emirates",
    "United Kingdom",
    "Unspecified",
];

/// Looks at the end of a file that ends in `line`, without a line break; empty when there was one.
pub(super) fn check(line: &[u8], rows: &[RetailRow], names: &Names) -> Result<(), String> {
    let Some((last, others)) = rows.split_last().filter(|_| !line.is_empty()) else {
        return Ok(());
    };
    let country = names.text(last.country);
    if line.ends_with(format!("\"{country}").as_bytes()) {
        return Err("the file ends inside a quoted text; it was cut off there".to_owned());
    }
    let known = COUNTRIES.into_iter().chain(others.iter().map(|row| names.text(row.country)));
    let longer =
        known.into_iter().find(|known| known.len() > country.len() && known.starts_with(country));
    if let Some(longer) = longer.filter(|_| !COUNTRIES.contains(&country)) {
        return Err(format!(
            "the file ends with the country `{country}` and no line break, perhaps cut off in `{longer}`; \
             if it is whole, end its last line"
        ));
    }
    Ok(())
}
