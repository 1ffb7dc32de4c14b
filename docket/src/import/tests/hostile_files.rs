//! Files that no shop wrote: each is read, or refused with file and line.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use hostile_input::{bytes, corpus, json};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::import_law::check;
use super::rules::HEADER;

/// A column of a row, or something odd in its place.
fn column(right: &'static [&'static str]) -> impl Strategy<Value = String> {
    let odd = json::odd().prop_map(|value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    });
    prop_oneof![8 => select(right).prop_map(str::to_owned), 1 => odd, 1 => json::odd_text()]
}

fn row() -> impl Strategy<Value = Vec<u8>> {
    let columns: [&'static [&'static str]; 8] = [
        &["536365", "C536379", "A563185", "1"],
        &["85123A", "D", "POST", "BANK CHARGES", "é"],
        &["", "WHITE HANGING HEART", "a \"quoted\" one", "two, of them"],
        &["1", "-1", "80995", "-80995"],
        &["2010-12-01 08:26:00", "2011-12-09 12:50:00"],
        &["2.55", "0", "0.001", "38970", "-11062.06"],
        &["", "17850", "17850.0"],
        &["United Kingdom", "France", "EIRE"],
    ];
    columns.map(column).prop_map(|columns| {
        let mut row = csv::WriterBuilder::new().from_writer(Vec::new());
        row.write_record(columns).unwrap();
        row.into_inner().unwrap()
    })
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    vec(row(), 0..4).prop_map(|rows| {
        let header = format!("{HEADER}\n").into_bytes();
        [header, rows.concat()].concat()
    })
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused_with_file_and_line(file in prop_oneof![
        file().boxed(),
        file().prop_flat_map(bytes::altered).boxed(),
        vec(any::<u8>(), 0..300).boxed(),
    ]) {
        drop(check(&file));
    }

    #[test]
    fn any_packed_file_is_read_or_refused(file in file().prop_flat_map(|file| bytes::altered(zipped(&file)))) {
        drop(check(&file));
    }

    #[test]
    fn a_packed_file_says_what_its_content_says(file in file().prop_flat_map(bytes::altered)) {
        prop_assume!(!file.starts_with(&[0x1f, 0x8b]));
        let (plain, packed) = (check(&file), check(&zipped(&file)));
        let rows = |read: Result<crate::import::rows::Retail, String>| read.map(|retail| retail.rows);
        prop_assert_eq!(rows(plain), rows(packed));
    }
}

#[test]
fn files_that_cost_much_to_look_at_are_refused_at_once() {
    let long = "x".repeat(5_000_000);
    for file in [
        format!("{HEADER}\n{}", ",".repeat(5_000_000)),
        format!("{HEADER}\n\"{}", "\"\"".repeat(2_000_000)),
        format!("{HEADER}\n1,11111,{long},5,2010-12-01 12:00:00,1.5,1.0,France\n"),
        format!(
            "{HEADER}\n1,11111,A,5,2010-12-01 12:00:00,1.{},1.0,France\nx",
            "5".repeat(5_000_000)
        ),
        format!("{HEADER}\n1,11111,A,5,2010-12-01 12:00:00,1.5,1.0,{long}"),
    ] {
        drop(check(file.as_bytes()).unwrap_err());
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds_no_surprise() {
    let corpus = corpus::of("import");
    assert!(!corpus.is_empty());
    for (path, bytes) in corpus {
        println!("{}", path.display());
        drop(check(&bytes));
    }
}
