//! The real shop's numbers come out, to the penny.

use std::path::{Path, PathBuf};

use crate::import::matching::{History, match_returns};
use crate::import::order_way::Outcome;
use crate::import::plan::Plan;
use crate::import::planner::plan;
use crate::import::report::{Report, Results, Rows};
use crate::import::rows::read_files;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The committed example day.
pub(super) fn example_day() -> PathBuf {
    workspace().join("examples/online-retail/2010-12-01.csv")
}

fn report_of(files: &[PathBuf]) -> (Plan, Report) {
    let plan = plan(read_files(files).unwrap()).unwrap();
    let matching = match_returns(&plan, |_| true, History::default());
    let completed = Outcome { status: "completed".to_owned(), reason: None, has_returns: false };
    let outcomes = vec![completed; plan.orders.len()];
    let results =
        Results { missing: Vec::new(), outcomes, corrected: Vec::new(), returned: Vec::new() };
    let report = Report::new(&plan, &matching, &results);
    (plan, report)
}

#[test]
fn the_example_day_has_127_orders_of_58960_pounds_79() {
    let (plan, report) = report_of(&[example_day()]);
    assert_eq!((report.orders, report.sales), (127, 5_896_079));
    let Rows { sale, free, correction, returned, unmatched_return, not_an_order } = report.rows;
    assert_eq!(
        (sale, free, correction, returned + unmatched_return, not_an_order),
        (3072, 0, 10, 26, 0)
    );
    assert_eq!(report.outcomes["completed"], 127);
    assert_eq!(report.outcome_amounts["completed"], 5_896_079);
    let lines: usize = plan.orders.iter().map(|order| order.lines.len()).sum();
    assert_eq!(lines, 3072, "two rows of one SKU are two lines");
}

#[test]
fn the_four_months_reconcile_to_the_penny() {
    let months = ["2010-12", "2011-01", "2011-02", "2011-03"];
    let folder = workspace().join("../shared/data/online-retail");
    let files = months.map(|month| folder.join(format!("{month}.csv.gz")));
    if !files.iter().all(|file| file.exists()) {
        println!("left out: the four months are not beside this workspace");
        return;
    }
    let (plan, report) = report_of(&files);
    let rows = Rows {
        sale: 138_694,
        free: 9,
        correction: 777,
        returned: 1590,
        unmatched_return: 1013,
        not_an_order: 0,
    };
    assert_eq!(report.rows, rows);
    assert_eq!((report.orders, report.sales), (5200, 275_638_195));
    assert_eq!((report.returns, report.unmatched_returns), (11_165_526, 15_443_968));
    assert!(plan.orders.iter().all(|order| order.lines.len() <= 2000), "every order can be placed");
}

#[test]
fn a_file_covers_the_same_stock_alone_or_beside_itself() {
    let alone = plan(read_files(&[example_day()]).unwrap()).unwrap();
    let twice = plan(read_files(&[example_day(), example_day()]).unwrap()).unwrap();
    assert_eq!(twice.files[0].hash, twice.files[1].hash);
    assert_eq!(twice.cover[..alone.cover.len()], alone.cover[..]);
    assert_eq!(twice.orders, alone.orders, "an invoice that stands in both files is one order");
    assert_eq!(twice.corrections, alone.corrections);
    assert_eq!(twice.returns.len(), alone.returns.len());
    assert_eq!(twice.rows.sale, 2 * alone.rows.sale, "but every row that was read is counted");
}
