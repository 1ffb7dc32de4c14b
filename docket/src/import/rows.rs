//! The files' rows, checked one by one before any command is sent.
//!
//! **Invariant:** what is wrong is said with file and line, and a file with anything wrong in it is refused whole.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use csv::ByteRecord;
use domain::given::FromClient as _;
use domain::ids::Sku;
use domain::text::Quantity;

use super::classify::{Class, Facts, classify};
use super::last_line;
use super::names::{Name, Names};
use super::price::Price;
use super::source::Source;
use super::timestamp::Timestamp;

/// The columns of an Online Retail file, in order.
const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// The most characters that the platform takes per column; 0 where the column is read as something else.
const LIMITS: [usize; 8] = [64, 64, 200, 0, 0, 0, 64, 60];

/// The most units that one command may carry.
const MOST_UNITS: u32 = Quantity::MAX;

/// The most characters of a wrong text that are shown.
const MOST_SHOWN: usize = 60;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which of the files, from 0.
    pub(crate) file: u16,
    /// Where in the file, from 1.
    pub(crate) line: u32,
}

/// One row, compact: its texts stand in [`Retail::names`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RetailRow {
    /// What the row becomes.
    pub(crate) class: Class,
    /// Where it stands.
    pub(crate) place: Place,
    /// The invoice as written.
    pub(crate) invoice: Name,
    /// The stock code as written, without blanks around it.
    pub(crate) sku: Name,
    /// The description as written; may be empty.
    pub(crate) description: Name,
    /// Units, below 0 for what comes back.
    pub(crate) quantity: i32,
    /// The row's time.
    pub(crate) time: Timestamp,
    /// The unit price in pence.
    pub(crate) pence: i64,
    /// The customer, `17850` for `17850.0`.
    pub(crate) customer: Option<Name>,
    /// The country as written.
    pub(crate) country: Name,
}

impl RetailRow {
    /// Whether two rows say the same, wherever they stand.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        Self { place: other.place, ..self.clone() } == *other
    }
}

/// A file that was read whole.
#[derive(Debug)]
pub(crate) struct RetailFile {
    /// The path as given.
    pub(crate) path: String,
    /// The hash of its unpacked content.
    pub(crate) hash: String,
    /// Whether it names its columns and has no row.
    pub(crate) is_empty: bool,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Retail {
    /// The texts of the rows.
    pub(crate) names: Names,
    /// The files, in the order given.
    pub(crate) files: Vec<RetailFile>,
    /// The rows, in file order.
    pub(crate) rows: Vec<RetailRow>,
}

/// Reads and checks all files.
pub(crate) fn read_files(paths: &[PathBuf]) -> anyhow::Result<Retail> {
    let mut retail = Retail::default();
    for path in paths {
        read_file(path, &mut retail)?;
    }
    Ok(retail)
}

fn read_file(path: &Path, retail: &mut Retail) -> anyhow::Result<()> {
    read_source(&path.display().to_string(), Source::open(path)?, retail)
}

/// Reads and checks the content of the file that is called so.
pub(crate) fn read_source(shown: &str, source: Source, retail: &mut Retail) -> anyhow::Result<()> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(source);
    let read = read_rows(shown, &mut reader, retail);
    read.map_err(|wrong| match reader.get_mut().damage() {
        // Nobody wrote what such a file unpacks to: its rows are not to blame.
        Some(damage) => anyhow!("{shown}: the compressed file {damage}; pack or fetch it anew"),
        None => wrong,
    })
}

fn read_rows(
    shown: &str,
    reader: &mut csv::Reader<Source>,
    retail: &mut Retail,
) -> anyhow::Result<()> {
    let before = retail.rows.len();
    let file = u16::try_from(retail.files.len()).context("too many files")?;
    let mut record = ByteRecord::new();
    let (mut line, mut last) = (1, 1);
    loop {
        let next = reader.read_byte_record(&mut record);
        let more = next.map_err(|error| {
            let line = error.position().map_or(line, |at| line_of(at, reader.get_ref()));
            anyhow!("{shown}:{line}: {}", explain(&error))
        })?;
        if !more {
            break;
        }
        let start = record.position().map_or(line, |at| line_of(at, reader.get_ref()));
        if retail.files.len() == usize::from(file) {
            check_header(&record).map_err(|wrong| anyhow!("{shown}:{start}: {wrong}"))?;
            retail.files.push(RetailFile {
                path: shown.to_owned(),
                hash: String::new(),
                is_empty: true,
            });
        } else {
            let place = Place { file, line: u32::try_from(start).unwrap_or(u32::MAX) };
            let row = read_row(&record, place, &mut retail.names);
            retail.rows.push(row.map_err(|wrong| anyhow!("{shown}:{start}: {wrong}"))?);
        }
        (line, last) = (line_of(reader.position(), reader.get_ref()), start);
    }
    let source = reader.get_ref();
    let Some(read) = retail.files.get_mut(usize::from(file)) else {
        bail!("{shown}:1: the file is empty; its first line names the columns");
    };
    read.hash = source.hash();
    read.is_empty = retail.rows.len() == before;
    last_line::check(source.unended_line(), &retail.rows[before..], &retail.names)
        .map_err(|wrong| anyhow!("{shown}:{last}: {wrong}"))
}

/// The line of the row at a place in the file.
fn line_of(at: &csv::Position, source: &Source) -> u64 {
    source.line_at(at.byte())
}

/// What a reader's error means to a person.
fn explain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let noun = if *len == 1 { "column" } else { "columns" };
            let cut = if len < expected_len { "; is the file cut off?" } else { "" };
            format!("{len} {noun} instead of {expected_len}{cut}")
        }
        csv::ErrorKind::Io(cause) => format!("the file can't be read from here on: {cause}"),
        _ => error.to_string(),
    }
}

fn check_header(record: &ByteRecord) -> Result<(), String> {
    let mut found = record.iter();
    // A byte order mark before the first column's name is no part of it.
    let first =
        found.next().map(|name| name.strip_prefix(b"\xef\xbb\xbf".as_slice()).unwrap_or(name));
    if first.into_iter().chain(found).eq(COLUMNS.map(str::as_bytes)) {
        return Ok(());
    }
    Err(format!("the columns are not {}", COLUMNS.join(",")))
}

fn read_row(record: &ByteRecord, place: Place, names: &mut Names) -> Result<RetailRow, String> {
    let texts = texts(record)?;
    let [invoice, sku, description, quantity, time, price, customer, country] = texts;
    let sku = sku_of(sku)?;
    if country.is_empty() {
        return Err("Country is empty".to_owned());
    }
    let quantity = read(quantity, 3, "a whole number of at most 1,000,000,000", units)?;
    let time = read(time, 4, "a time like 2010-12-01 08:26:00", Timestamp::parse)?;
    let price = read(price, 5, "a decimal number of at most 100,000,000,000", Price::parse)?;
    let customer = read(customer, 6, "a number like 17850.0, or empty", customer_id)?;
    let facts = Facts { invoice, quantity, price: price.sign, has_customer: customer.is_some() };
    let class = classify(facts).map_err(|(column, wrong)| {
        let text = COLUMNS.iter().zip(texts).find(|(name, _)| **name == column);
        format!("{column} {wrong}: {}", quoted(text.map_or("", |(_, text)| text)))
    })?;
    Ok(RetailRow {
        class,
        place,
        invoice: names.intern(invoice),
        sku: names.intern(sku),
        description: names.intern(description),
        quantity,
        time,
        pence: price.pence,
        customer: customer.map(|id| names.intern(id)),
        country: names.intern(country),
    })
}

/// The row's columns as printable text that is not too long.
fn texts(record: &ByteRecord) -> Result<[&str; 8], String> {
    let mut texts = [""; 8];
    for ((text, field), (name, limit)) in
        texts.iter_mut().zip(record).zip(COLUMNS.iter().zip(LIMITS))
    {
        *text = std::str::from_utf8(field).map_err(|_| format!("{name} is not UTF-8"))?;
        if text.chars().any(char::is_control) {
            let shown = quoted(&text.escape_default().to_string());
            return Err(format!("{name} has a control character or a line break in it: {shown}"));
        }
        if limit > 0 && text.chars().count() > limit {
            return Err(format!("{name} has more than {limit} characters: {}", quoted(text)));
        }
    }
    Ok(texts)
}

fn read<'a, T>(
    text: &'a str,
    column: usize,
    form: &str,
    parse: impl Fn(&'a str) -> Option<T>,
) -> Result<T, String> {
    parse(text).ok_or_else(|| format!("{} is not {form}: {}", COLUMNS[column], quoted(text)))
}

/// A text of a file as a message shows it: its beginning, when it is long.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The code of a product, without the blanks around it: those are no part of a SKU.
fn sku_of(text: &str) -> Result<&str, String> {
    let sku = text.trim();
    if sku.is_empty() {
        return Err("StockCode is empty".to_owned());
    }
    match Sku::from_client(sku) {
        Ok(_) => Ok(sku),
        Err(wrong) => Err(format!("StockCode is no code of a product, {wrong}: {}", quoted(sku))),
    }
}

/// Units, either way, as many as one command may carry.
fn units(text: &str) -> Option<i32> {
    text.parse().ok().filter(|units: &i32| units.unsigned_abs() <= MOST_UNITS)
}

/// `Some(None)` for a guest, `None` for what is no customer number.
#[expect(
    clippy::option_option,
    reason = "the inner one is a row without a customer, the outer a broken one"
)]
fn customer_id(text: &str) -> Option<Option<&str>> {
    if text.is_empty() {
        return Some(None);
    }
    let id = text.strip_suffix(".0").unwrap_or(text);
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(Some(id))
}
