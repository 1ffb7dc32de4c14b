//! The rules of the plan and of the matching, on small files.

use std::path::PathBuf;

use crate::import::args::OpeningStock;
use crate::import::matching;
use crate::import::matching::{History, Matching, Shelf, ShelfLine, Standing};
use crate::import::opening::openings;
use crate::import::plan::Plan;
use crate::import::planner::plan;
use crate::import::rows::read_files;

pub(super) const HEADER: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

/// A file in a folder that lives as long as the test.
pub(super) fn file(folder: &tempfile::TempDir, name: &str, rows: &[&str]) -> PathBuf {
    let path = folder.path().join(name);
    let lines: String =
        std::iter::once(&HEADER).chain(rows).flat_map(|line| [line, "\n"]).collect();
    std::fs::write(&path, lines).unwrap();
    path
}

/// The plan of one small file.
pub(super) fn plan_of(rows: &[&str]) -> Plan {
    let folder = tempfile::tempdir().unwrap();
    plan(read_files(&[file(&folder, "a.csv", rows)]).unwrap()).unwrap()
}

fn lines_of(matching: &Matching) -> Vec<(&str, &[(u32, u32)])> {
    let matched = matching.matched.iter();
    matched.map(|matched| (matched.order.as_str(), matched.lines.as_slice())).collect()
}

fn match_returns(plan: &Plan, delivered: impl Fn(usize) -> bool) -> Matching {
    matching::match_returns(plan, delivered, History::default())
}

#[test]
fn a_product_takes_its_first_name_and_first_price_that_say_something() {
    let plan = plan_of(&[
        "1,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom",
        "2,22139,RETROSPOT TEA SET,1,2010-12-01 12:00:00,4.25,1.0,United Kingdom",
        "3,22139,other name,1,2010-12-01 12:01:00,5,1.0,United Kingdom",
        "4,POST,,1,2010-12-01 12:02:00,18,1.0,France",
    ]);
    let products: Vec<_> = plan
        .products
        .iter()
        .map(|product| (plan.names.text(product.name), product.pence, product.stocked))
        .collect();
    assert_eq!(products, [("RETROSPOT TEA SET", 425, true), ("POST", 1800, false)]);
}

#[test]
fn codes_that_differ_only_in_case_are_two_products() {
    let plan = plan_of(&[
        "1,15056N,A,1,2010-12-01 12:00:00,1,1.0,United Kingdom",
        "1,15056n,A,1,2010-12-01 12:00:00,1,1.0,United Kingdom",
    ]);
    assert_eq!(plan.products.len(), 2);
}

#[test]
fn an_order_takes_the_first_of_its_two_times_and_its_customer_without_decimals() {
    let plan = plan_of(&[
        "1,11111,A,1,2010-12-01 12:01:00,1,17850.0,EIRE",
        "1,11111,A,2,2010-12-01 12:00:00,1,17850.0,EIRE",
        "2,11111,A,2,2010-12-01 12:00:00,1,,Unspecified",
    ]);
    assert_eq!(plan.orders[0].time.rfc3339(), "2010-12-01T12:00:00Z");
    assert_eq!(plan.orders[0].customer.map(|id| plan.names.text(id)), Some("17850"));
    assert_eq!(plan.orders[0].lines.len(), 2);
    assert_eq!(plan.orders[1].customer, None);
}

#[test]
fn opening_stock_covers_what_is_sold_given_away_and_corrected_down() {
    let plan = plan_of(&[
        "1,11111,A,5,2010-12-01 12:00:00,1,1.0,France",
        "1,11111,A,1,2010-12-01 12:00:00,0,1.0,France",
        "2,11111,damaged,-3,2010-12-01 12:00:00,0,,France",
        "3,11111,found,9,2010-12-01 12:00:00,0,,France",
        "1,POST,POSTAGE,1,2010-12-01 12:00:00,18,1.0,France",
        "C4,11111,A,-1,2010-12-01 13:00:00,1,1.0,France",
    ]);
    let quantities: Vec<u64> = plan.cover.iter().map(|cover| cover.quantity).collect();
    assert_eq!(quantities, [9]);
    assert_eq!(openings(&plan, OpeningStock::Cover).len(), 1);
    assert_eq!(openings(&plan, OpeningStock::Units(50)).len(), 1, "postage is not stocked");
    assert_eq!(openings(&plan, OpeningStock::Units(0)), []);
}

#[test]
fn a_return_goes_to_the_latest_earlier_order_that_still_has_enough() {
    let plan = plan_of(&[
        "1,11111,A,5,2010-12-01 12:00:00,1,1.0,France",
        "2,11111,A,2,2010-12-02 12:00:00,1,1.0,France",
        "3,11111,A,9,2010-12-03 12:00:00,1,1.0,France",
        "C4,11111,A,-2,2010-12-03 12:00:00,1,1.0,France",
        "C4,11111,A,-2,2010-12-03 12:00:00,1,1.0,France",
        "C4,11111,A,-4,2010-12-03 12:00:00,1,1.0,France",
    ]);
    let matching = match_returns(&plan, |_| true);
    assert_eq!(
        lines_of(&matching),
        [("2", [(1, 2)].as_slice()), ("1", &[(1, 2)])],
        "order 3 is not strictly earlier"
    );
    assert_eq!(matching.unmatched, [2], "order 1 has 3 left");
}

#[test]
fn several_lines_of_one_order_may_serve_but_not_several_orders() {
    let plan = plan_of(&[
        "1,11111,A,2,2010-12-01 12:00:00,1,1.0,France",
        "1,22222,B,2,2010-12-01 12:00:00,1,1.0,France",
        "1,11111,A,2,2010-12-01 12:00:00,1,1.0,France",
        "2,11111,A,3,2010-12-02 12:00:00,1,1.0,France",
        "C3,11111,A,-4,2010-12-03 12:00:00,1,1.0,France",
        "C3,11111,A,-5,2010-12-03 12:00:00,1,1.0,France",
    ]);
    let matching = match_returns(&plan, |_| true);
    assert_eq!(lines_of(&matching), [("1", [(1, 2), (3, 2)].as_slice())]);
    assert_eq!(matching.unmatched, [1]);
}

#[test]
fn another_price_another_customer_or_no_customer_is_no_match() {
    let plan = plan_of(&[
        "1,11111,A,5,2010-12-01 12:00:00,1,1.0,France",
        "C2,11111,A,-1,2010-12-03 12:00:00,1.01,1.0,France",
        "C3,11111,A,-1,2010-12-03 12:00:00,1,2.0,France",
        "C4,11111,A,-1,2010-12-03 12:00:00,1,,France",
    ]);
    assert_eq!(match_returns(&plan, |_| true).unmatched, [0, 1, 2]);
}

#[test]
fn what_was_not_delivered_does_not_come_back() {
    let plan = plan_of(&[
        "1,11111,A,5,2010-12-01 12:00:00,1,1.0,France",
        "2,11111,A,5,2010-12-02 12:00:00,1,1.0,France",
        "C3,11111,A,-1,2010-12-03 12:00:00,1,1.0,France",
    ]);
    let matching = match_returns(&plan, |order| order == 0);
    assert_eq!(lines_of(&matching), [("1", [(1, 1)].as_slice())]);
}

#[test]
fn an_order_of_an_earlier_run_takes_what_of_it_is_left_and_what_it_has_already() {
    let plan = plan_of(&[
        "5,11111,A,1,2011-01-05 12:00:00,1,1.0,France",
        "C6,11111,A,-3,2011-01-06 12:00:00,1,1.0,France",
        "C6,11111,A,-2,2011-01-06 12:00:00,1,1.0,France",
        "C6,11111,A,-1,2011-01-06 12:00:00,1,1.0,France",
        "C6,11111,A,-1,2011-01-06 12:00:00,1,1.0,France",
    ]);
    let (sku, customer) = (plan.orders[0].lines[0].sku, plan.orders[0].customer.unwrap());
    let line = |number, sku| ShelfLine { number, sku, pence: 100, left: 5 };
    let shelf = Shelf {
        order: "1".to_owned(),
        customer,
        time: plan.orders[0].time.day_before(),
        lines: vec![line(1, None), line(2, Some(sku))],
    };
    let standing = |nth, units| Standing {
        invoice: "C6".to_owned(),
        nth,
        order: "1".to_owned(),
        lines: vec![(2, units)],
    };
    let history = History { shelves: vec![shelf], standing: vec![standing(2, 2)] };
    let matching = matching::match_returns(&plan, |_| true, history);
    let expected: [(&str, &[(u32, u32)]); 3] =
        [("1", &[(2, 3)]), ("1", &[(2, 2)]), ("5", &[(1, 1)])];
    assert_eq!(lines_of(&matching), expected);
    assert_eq!(matching.unmatched, [3], "nothing is left of either");
}

#[test]
fn an_invoice_that_stands_otherwise_in_a_second_file_is_refused_with_both_places() {
    let folder = tempfile::tempdir().unwrap();
    let first = file(&folder, "a.csv", &["1,11111,A,5,2010-12-01 12:00:00,1,1.0,France"]);
    let second = file(&folder, "b.csv", &["1,11111,A,6,2010-12-01 12:00:00,1,1.0,France"]);
    let error = plan(read_files(&[first, second]).unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("b.csv:2: invoice 1 stands otherwise in") && error.ends_with("a.csv:2"),
        "{error}"
    );
}
