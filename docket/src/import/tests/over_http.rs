//! A plan is carried out over HTTP: every command once, whatever the network does.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use super::fake_platform::{Platform, Seen, start};
use super::rules::plan_of;
use crate::connect::ConnectArgs;
use crate::import::args::OpeningStock;
use crate::import::client::{Client, Patience};
use crate::import::progress::Progress;
use crate::import::report::Report;
use crate::import::run::Import;

const ROWS: [&str; 8] = [
    "1,11111,TEA SET,5,2010-12-01 12:00:00,1.5,1.0,France",
    "1,TAKEN,other details,1,2010-12-01 12:00:00,0.85,1.0,France",
    "2,11111,TEA SET,2,2010-12-01 13:00:00,1.5,,United Kingdom",
    "3,11111,damaged,-3,2010-12-01 14:00:00,0,,United Kingdom",
    "4,11111,,-300,2010-12-01 14:00:00,0,,United Kingdom",
    "5,BANK CHARGES,,1,2010-12-01 14:00:00,0,,United Kingdom",
    "C6,11111,TEA SET,-2,2010-12-01 15:00:00,1.5,1.0,France",
    "C6,11111,TEA SET,-4,2010-12-01 15:00:00,1.5,1.0,France",
];

fn impatient() -> Patience {
    let short = Duration::from_millis(1);
    Patience {
        first_pause: short,
        first_look: short,
        longest_pause: short,
        away: Duration::from_secs(20),
        arrival: short,
        standstill: Duration::from_secs(20),
        completion: Duration::from_secs(20),
    }
}

fn import_of(url: &str, rows: &[&str], patience: Patience) -> Import {
    let client = Client::new(url, &ConnectArgs::default(), patience).unwrap();
    Import { client, plan: plan_of(rows), progress: Progress::new(), concurrency: 4 }
}

async fn import(url: &str) -> Report {
    import_of(url, &ROWS, impatient()).carry_out(OpeningStock::Cover).await.unwrap()
}

fn paths(platform: &Platform) -> Vec<String> {
    platform.lock().unwrap().done.iter().map(|sent| sent.path.clone()).collect()
}

#[tokio::test]
async fn every_row_becomes_what_the_report_says() {
    let (url, platform) = start(Seen::default()).await;
    let report = import(&url).await;
    assert_eq!(report.outcomes["completed"], 2);
    assert_eq!((report.rows.sale, report.rows.correction, report.refused_corrections), (3, 3, 2));
    assert_eq!((report.rows.returned, report.returns), (1, 300));
    assert_eq!((report.rows.unmatched_return, report.unmatched_returns), (1, 600));
    assert_eq!((report.refused_returns, report.returns_in_attention), (0, 0));
    let paths = paths(&platform);
    let received = ["orders/1/returns", "orders/1/returns/1-r1/receive"];
    assert_eq!(paths[paths.len() - 2..], received, "returns come after all orders");
    let delivered = paths.iter().filter(|path| path.ends_with("/deliver")).count();
    assert_eq!(delivered, 2);
}

#[tokio::test]
async fn an_order_carries_its_own_prices_time_and_country() {
    let (url, platform) = start(Seen::default()).await;
    import(&url).await;
    let seen = platform.lock().unwrap();
    let order = seen.done.iter().find(|sent| sent.key == "online-retail/order/1").unwrap();
    let expected = json!({
        "order_id": "1",
        "reference": "1",
        "customer_id": "1",
        "currency": "GBP",
        "lines": [
            { "sku": "11111", "quantity": 5, "unit_price": { "amount": 150, "currency": "GBP" } },
            { "sku": "TAKEN", "quantity": 1, "unit_price": { "amount": 85, "currency": "GBP" } },
        ],
        "payment_method": "pm_ok",
        "shipping_address": { "country": "France" },
        "occurred_at": "2010-12-01T12:00:00Z",
    });
    assert_eq!(order.body, expected);
}

#[tokio::test]
async fn running_it_again_changes_nothing() {
    let (url, platform) = start(Seen::default()).await;
    let first = import(&url).await;
    let done = platform.lock().unwrap().done.clone();
    let again = import(&url).await;
    assert_eq!(platform.lock().unwrap().done, done);
    assert_eq!(again, first);
}

#[tokio::test]
async fn a_command_that_was_turned_away_is_sent_again_with_the_same_key() {
    for status in
        [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY]
    {
        let (url, platform) = start(Seen { turn_away: Some((2, status)), ..Seen::default() }).await;
        let one = &ROWS[..1];
        let import = Import { concurrency: 1, ..import_of(&url, one, impatient()) };
        let report = import.carry_out(OpeningStock::Cover).await.unwrap();
        assert_eq!(report.outcomes["completed"], 1, "{status}");
        let keys = platform.lock().unwrap().keys.clone();
        assert_eq!(keys[..3], ["online-retail/product/11111"; 3], "{status}");
    }
}

#[tokio::test]
async fn a_rejected_order_is_an_outcome_and_takes_no_returns() {
    let (url, platform) = start(Seen { rejects: vec!["1".to_owned()], ..Seen::default() }).await;
    let report = import(&url).await;
    assert_eq!((report.outcomes["completed"], report.outcomes["rejected"]), (1, 1));
    assert_eq!(report.outcomes_by_reason["rejected"]["out_of_stock"], 1);
    assert_eq!((report.rows.returned, report.rows.unmatched_return), (0, 2));
    assert!(!paths(&platform).iter().any(|path| path.contains("1-s1") || path.contains("returns")));
}

#[tokio::test]
async fn opening_stock_of_n_is_received_once_per_stocked_code() {
    let (url, platform) = start(Seen::default()).await;
    for units in [50, 60] {
        let import = import_of(&url, &ROWS, impatient());
        import.carry_out(OpeningStock::Units(units)).await.unwrap();
    }
    let seen = platform.lock().unwrap();
    let received: Vec<_> = seen
        .done
        .iter()
        .filter(|sent| sent.path.ends_with("/receive") && sent.path.starts_with("stock"))
        .collect();
    assert_eq!(received.len(), 1);
    let reason = "opening stock of the imported files";
    assert_eq!(received[0].body, json!({ "quantity": 50, "reason": reason }));
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_an_error_that_names_it() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let ended = import_of(&url, &ROWS, impatient()).carry_out(OpeningStock::Cover).await;
    let error = format!("{:#}", ended.unwrap_err());
    assert!(error.contains(&format!("no platform is ready at {url}")), "{error}");
}

#[tokio::test]
async fn a_platform_that_goes_away_is_given_up_and_the_error_says_how_to_go_on() {
    let away = Some((u32::MAX, StatusCode::SERVICE_UNAVAILABLE));
    let (url, _) = start(Seen { turn_away: away, ..Seen::default() }).await;
    let patience = Patience { away: Duration::from_millis(50), ..impatient() };
    let ended = import_of(&url, &ROWS, patience).carry_out(OpeningStock::Cover).await;
    let error = format!("{:#}", ended.unwrap_err());
    for part in [url.as_str(), "has not answered for", "run the same command again", "503"] {
        assert!(error.contains(part), "no `{part}` in {error}");
    }
}

#[tokio::test]
async fn a_product_that_is_there_without_name_and_price_gets_them() {
    let (url, platform) = start(Seen::default()).await;
    import(&url).await;
    let described = platform.lock().unwrap().products["TAKEN"].clone();
    assert_eq!(described, ("other details".to_owned(), 85));
    let other = ["9,TAKEN,third name,1,2010-12-02 12:00:00,0.99,1.0,France"];
    import_of(&url, &other, impatient()).carry_out(OpeningStock::Cover).await.unwrap();
    assert_eq!(platform.lock().unwrap().products["TAKEN"], described, "the first ones hold");
}

/// What the platform has in the end, whatever way led there.
fn state(platform: &Platform) -> impl PartialEq + std::fmt::Debug + use<> {
    let seen = platform.lock().unwrap();
    let returns = seen.returns.iter().map(|(order, asked)| {
        let asked: Vec<_> =
            asked.iter().map(|sent| (sent.key.clone(), sent.body.clone())).collect();
        (order.clone(), asked)
    });
    let returns: Vec<_> = returns.collect();
    (seen.products.clone(), seen.orders.clone(), seen.status.clone(), returns)
}

const MONTHS: [&[&str]; 3] = [
    &[
        "1,11111,,-1,2010-12-01 08:00:00,0,,France",
        "2,11111,TEA SET,5,2010-12-01 12:00:00,1.5,1.0,France",
        "3,22222,CUP,2,2010-12-01 12:00:00,2,1.0,France",
        "4,33333,,1,2010-12-01 12:00:00,0,1.0,France",
        "C5,11111,TEA SET,-1,2010-12-02 12:00:00,1.5,1.0,France",
    ],
    &[
        "6,33333,SPOON,1,2011-01-01 12:00:00,0.85,2.0,France",
        "C7,11111,TEA SET,-3,2011-01-02 12:00:00,1.5,1.0,France",
        "C7,11111,TEA SET,-2,2011-01-02 12:00:00,1.5,1.0,France",
        "C7,11111,TEA SET,-1,2011-01-02 12:00:00,1.5,1.0,France",
    ],
    &[
        "8,22222,CUP,1,2011-02-01 12:00:00,2,1.0,France",
        "C9,22222,CUP,-2,2011-02-02 12:00:00,2,1.0,France",
        "C9,22222,CUP,-1,2011-02-02 12:00:00,2,1.0,France",
        "C9,22222,CUP,-1,2011-02-02 12:00:00,2,1.0,France",
    ],
];

#[tokio::test]
async fn months_one_by_one_come_to_the_same_as_all_at_once() {
    let (url, at_once) = start(Seen::default()).await;
    let all: Vec<&str> = MONTHS.concat();
    let whole = import_of(&url, &all, impatient()).carry_out(OpeningStock::Cover).await.unwrap();
    assert_eq!((whole.rows.returned, whole.rows.unmatched_return), (5, 2));
    let (url, one_by_one) = start(Seen::default()).await;
    // Twice: each again, with the others there, changes nothing.
    for _ in 0..2 {
        let (mut returned, mut unmatched, mut sales) = (0, 0, 0);
        for month in MONTHS {
            let import = import_of(&url, month, impatient());
            let report = import.carry_out(OpeningStock::Cover).await.unwrap();
            assert_eq!(report.refused, 0, "{report:#?}");
            returned += report.rows.returned;
            unmatched += report.rows.unmatched_return;
            sales += report.sales;
        }
        assert_eq!((returned, unmatched, sales), (5, 2, whole.sales));
        assert_eq!(state(&one_by_one), state(&at_once));
    }
}

#[tokio::test]
async fn an_order_that_was_imported_otherwise_is_named_and_all_else_is_done() {
    let (url, _) = start(Seen::default()).await;
    import(&url).await;
    let mut changed = ROWS;
    changed[0] = "1,11111,TEA SET,6,2010-12-01 12:00:00,1.5,1.0,France";
    changed[3] = "3,11111,damaged,-4,2010-12-01 14:00:00,0,,United Kingdom";
    let report =
        import_of(&url, &changed, impatient()).carry_out(OpeningStock::Cover).await.unwrap();
    assert_eq!((report.outcomes["refused"], report.outcomes["completed"]), (1, 1));
    assert_eq!(report.refused, 2);
    let named: Vec<_> =
        report.refusals.iter().map(|one| (one.line, one.what, one.order.as_str())).collect();
    assert_eq!(named, [(2, "order", "1"), (5, "correction", "3")]);
    let words = report.refused_in_words().unwrap();
    assert!(words.contains("a.csv:2: order 1: idempotency_key_reused"), "{words}");
    assert_eq!(
        import_of(&url, &ROWS, impatient())
            .carry_out(OpeningStock::Cover)
            .await
            .unwrap()
            .refused_in_words(),
        None
    );
}

#[tokio::test]
async fn opening_stock_that_is_refused_is_named_and_all_else_is_done() {
    for stock in [OpeningStock::Cover, OpeningStock::Units(50)] {
        let not_stocked = vec!["11111".to_owned()];
        let (url, _) = start(Seen { not_stocked, ..Seen::default() }).await;
        let report = import_of(&url, &ROWS, impatient()).carry_out(stock).await.unwrap();
        assert_eq!((report.outcomes["completed"], report.rows.returned), (2, 1));
        assert_eq!((report.refused_corrections, report.refused), (3, 1));
        let words = report.refused_in_words().unwrap();
        assert!(words.contains("a.csv:2: opening stock 11111: not_stocked"), "{words}");
    }
}

#[test]
fn what_is_no_url_is_refused() {
    for url in ["localhost:8080", "not a url", "ftp://127.0.0.1"] {
        assert!(Client::new(url, &ConnectArgs::default(), impatient()).is_err(), "{url}");
    }
}
