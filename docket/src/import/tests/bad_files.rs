//! A bad file is refused whole, with file and line.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::real_days::example_day;
use super::rules::HEADER;
use crate::import::rows::read_files;

const GOOD: &str = "1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,France";

/// What is said about a file of these bytes, from the file's name on.
fn complaint(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.csv");
    std::fs::write(&path, bytes).unwrap();
    let error = format!("{:#}", read_files(&[path]).unwrap_err());
    let start = error.find("bad.csv").unwrap();
    error[start..].to_owned()
}

fn complaint_about_row(row: &str) -> String {
    complaint(format!("{HEADER}\n{GOOD}\n{row}\n{GOOD}\n").as_bytes())
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_plain_file_and_its_gzip_are_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.csv.gz");
    std::fs::write(&path, zipped(&std::fs::read(example_day()).unwrap())).unwrap();
    let (plain, zipped) = (read_files(&[example_day()]).unwrap(), read_files(&[path]).unwrap());
    assert_eq!(plain.rows, zipped.rows);
    assert_eq!(plain.files[0].hash, zipped.files[0].hash);
}

#[test]
fn every_wrong_column_is_named_with_its_line() {
    for (row, wrong) in [
        ("X1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,France", "InvoiceNo is neither"),
        ("1,,A,5,2010-12-01 12:00:00,1.5,1.0,France", "StockCode is empty"),
        (
            "1,11111,A,five,2010-12-01 12:00:00,1.5,1.0,France",
            "Quantity is not a whole number of at most 1,000,000,000: `five`",
        ),
        (
            "1,11111,A,1e+20,2010-12-01 12:00:00,1.5,1.0,France",
            "Quantity is not a whole number of at most 1,000,000,000: `1e+20`",
        ),
        (
            "1,11111,A,1000000001,2010-12-01 12:00:00,1.5,1.0,France",
            "Quantity is not a whole number of at most 1,000,000,000: `1000000001`",
        ),
        (
            "1,11111,A,5,2010-12-01 12:00:00,1e+20,1.0,France",
            "UnitPrice is not a decimal number of at most 100,000,000,000: `1e+20`",
        ),
        (
            "1,11111,A,5,2010-12-01 12:00:00,999999999999,1.0,France",
            "UnitPrice is not a decimal number of at most 100,000,000,000: `999999999999`",
        ),
        (
            "1,a/b,A,5,2010-12-01 12:00:00,1.5,1.0,France",
            "StockCode is no code of a product, an id has no `/`: `a/b`",
        ),
        (
            "one,11111,A,5,2010-12-01 12:00:00,1.5,1.0,France",
            "InvoiceNo is neither a number nor `C` or `A` before a number: `one`",
        ),
        ("1,   ,A,5,2010-12-01 12:00:00,1.5,1.0,France", "StockCode is empty"),
        (
            "1,11111,A,99999999999,2010-12-01 12:00:00,1.5,1.0,France",
            "Quantity is not a whole number",
        ),
        ("1,11111,A,0,2010-12-01 12:00:00,1.5,1.0,France", "Quantity is 0: `0`"),
        ("1,11111,A,5,2010-13-01 12:00:00,1.5,1.0,France", "InvoiceDate is not a time"),
        ("1,11111,A,5,2010-12-01 12:00:00,cheap,1.0,France", "UnitPrice is not a decimal number"),
        ("1,11111,A,5,2010-12-01 12:00:00,-1.5,1.0,France", "UnitPrice is below 0: `-1.5`"),
        ("1,11111,A,5,2010-12-01 12:00:00,1.5,Bob,France", "CustomerID is not a number"),
        ("1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,", "Country is empty"),
        ("1,1111", "2 columns instead of 8; is the file cut off?"),
        ("1", "1 column instead of 8; is the file cut off?"),
        ("1,11111,A,5,2010-12-01 12:00:00,1.5,1.0", "7 columns instead of 8"),
        ("1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,France,more", "9 columns instead of 8"),
        (
            "1,11111,\"A\u{7}\",5,2010-12-01 12:00:00,1.5,1.0,France",
            "Description has a control character",
        ),
        ("1,11111,A,-5,2010-12-01 12:00:00,1.5,1.0,France", "Quantity is below 0"),
    ] {
        let complaint = complaint_about_row(row);
        assert!(complaint.starts_with(&format!("bad.csv:3: {wrong}")), "{row}: {complaint}");
    }
}

#[test]
fn a_wrong_row_is_named_with_its_line_however_lines_end() {
    for end in ["\n", "\r\n", "\r", "\n\n"] {
        let lines = [HEADER, GOOD, GOOD, "1,11111", GOOD].map(|line| format!("{line}{end}"));
        // Where each line ends twice, every other one is blank.
        let (fourth, third) = if end == "\n\n" { (7, 5) } else { (4, 3) };
        let wrong = format!("bad.csv:{fourth}: 2 columns instead of 8; is the file cut off?");
        assert_eq!(complaint(lines.concat().as_bytes()), wrong, "{end:?}");
        let lines = [HEADER, GOOD, "X1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,France", GOOD];
        let said = complaint(lines.map(|line| format!("{line}{end}")).concat().as_bytes());
        assert!(said.starts_with(&format!("bad.csv:{third}: InvoiceNo")), "{end:?}: {said}");
    }
}

#[test]
fn a_long_text_is_shown_by_its_beginning() {
    let row = format!("1,{},A,5,2010-12-01 12:00:00,1.5,1.0,France", "x".repeat(65));
    let shown = format!("StockCode has more than 64 characters: `{}…`", "x".repeat(60));
    assert_eq!(complaint_about_row(&row), format!("bad.csv:3: {shown}"));
}

#[test]
fn blanks_around_a_code_are_no_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blanks.csv");
    let row = "1,11111 ,A ,5,2010-12-01 12:00:00,1.5,1.0,France";
    std::fs::write(&path, format!("{HEADER}\n{GOOD}\n{row}\n")).unwrap();
    let read = read_files(&[path]).unwrap();
    assert_eq!(read.rows[0].sku, read.rows[1].sku);
}

#[test]
fn a_file_without_rows_is_told_from_one_with_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, full) = (folder.path().join("empty.csv"), folder.path().join("full.csv"));
    std::fs::write(&empty, format!("{HEADER}\n")).unwrap();
    std::fs::write(&full, format!("{HEADER}\n{GOOD}\n")).unwrap();
    let read = read_files(&[empty, full]).unwrap();
    let empty: Vec<bool> = read.files.iter().map(|file| file.is_empty).collect();
    assert_eq!(empty, [true, false]);
}

#[test]
fn text_that_is_not_utf_8_is_named_with_its_line() {
    let mut bytes = format!("{HEADER}\n{GOOD}\n").into_bytes();
    bytes.extend(b"1,11111,caf\xe9,5,2010-12-01 12:00:00,1.5,1.0,France\n");
    assert_eq!(complaint(&bytes), "bad.csv:3: Description is not UTF-8");
}

#[test]
fn other_columns_and_empty_files_are_refused() {
    assert!(complaint(b"a,b,c\n1,2,3\n").starts_with("bad.csv:1: the columns are not InvoiceNo"));
    assert!(complaint(b"").starts_with("bad.csv:1: the file is empty"));
    assert!(
        complaint(format!("{GOOD}\n").as_bytes()).starts_with("bad.csv:1: the columns are not")
    );
}

#[test]
fn a_file_that_was_cut_off_is_refused_wherever_the_cut_is() {
    let whole = format!("{HEADER}\n{GOOD}\n{GOOD}\n");
    let last_row = HEADER.len() + GOOD.len() + 2;
    for cut in last_row + 1..whole.len() - 1 {
        let complaint = complaint(&whole.as_bytes()[..cut]);
        assert!(complaint.starts_with("bad.csv:3: "), "cut at {cut}: {complaint}");
    }
}

#[test]
fn a_whole_last_row_needs_no_line_break_plain_or_gzip() {
    let folder = tempfile::tempdir().unwrap();
    let day = std::fs::read(example_day()).unwrap();
    let cut = day.strip_suffix(b"\n").unwrap();
    let (plain, gzip) = (folder.path().join("day.csv"), folder.path().join("day.csv.gz"));
    std::fs::write(&plain, cut).unwrap();
    std::fs::write(&gzip, zipped(cut)).unwrap();
    let whole = read_files(&[example_day()]).unwrap();
    for path in [plain, gzip] {
        let read = read_files(&[path]).unwrap();
        assert_eq!(read.rows, whole.rows);
        assert_eq!(read.files[0].hash, whole.files[0].hash, "it is the same content");
    }
    for header in [HEADER.to_owned(), format!("{HEADER}\n")] {
        let path = folder.path().join("header.csv");
        std::fs::write(&path, header).unwrap();
        assert_eq!(read_files(&[path]).unwrap().rows, []);
    }
}

#[test]
fn a_country_that_may_be_cut_off_is_refused_though_no_other_row_has_it() {
    let ends = |country: &str| {
        complaint(format!("{HEADER}\n1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,{country}").as_bytes())
    };
    assert!(ends("Fran").starts_with("bad.csv:2: the file ends with the country `Fran`"));
    assert!(ends("\"France").starts_with("bad.csv:2: the file ends inside a quoted text"));
    assert!(ends("").starts_with("bad.csv:2: Country is empty"));
}

#[test]
fn a_cut_gzip_of_a_row_without_its_end_is_refused_with_file_and_line() {
    let cut = zipped(format!("{HEADER}\n{GOOD}\n1,11111,A,5").as_bytes());
    assert_eq!(complaint(&cut), "bad.csv:3: 4 columns instead of 8; is the file cut off?");
}

#[test]
fn a_quote_that_is_never_closed_is_refused_at_the_line_where_it_opens() {
    let complaint = complaint_about_row("1,11111,\"A,5,2010-12-01 12:00:00,1.5,1.0,France");
    assert!(complaint.starts_with("bad.csv:3: "), "{complaint}");
}

#[test]
fn broken_gzip_is_refused() {
    let whole = zipped(&std::fs::read(example_day()).unwrap());
    let cut = complaint(&whole[..whole.len() / 2]);
    let too_early = "bad.csv: the compressed file ends too early; pack or fetch it anew";
    assert_eq!(cut, too_early);
    assert_eq!(complaint(&whole[..whole.len() - 4]), too_early);
}

#[test]
fn a_damaged_gzip_is_called_so_and_not_a_broken_row() {
    let whole = zipped(&std::fs::read(example_day()).unwrap());
    let past_the_header = 20;
    for at in (past_the_header..whole.len()).step_by(whole.len() / 60) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        let complaint = complaint(&flipped);
        let named = complaint.starts_with("bad.csv: the compressed file ");
        assert!(named && complaint.ends_with("; pack or fetch it anew"), "byte {at}: {complaint}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = format!("{:#}", read_files(&[folder.path().join("absent.csv")]).unwrap_err());
    assert!(error.contains("absent.csv: can't be opened"), "{error}");
}
