//! The process: how it starts, ends and refuses.

use crate::platform::{Data, Platform, docket, text};

#[tokio::test]
async fn sigterm_ends_it_with_exit_0_and_nothing_is_lost() {
    let data = Data::new();
    let platform = Platform::start(&data).await;
    platform.sell("22423", 7).await;
    assert!(platform.terminate().await.success());
    let platform = Platform::start(&data).await;
    let stock = platform.until("/v1/stock/22423", |stock| stock["available"] == 7).await;
    assert_eq!((&stock["reserved"], &stock["on_hand"]), (&0.into(), &7.into()));
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let data = Data::new();
    let _platform = Platform::start(&data).await;
    let output = data.docket(&["dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("in use by another Docket"), "{}", text(&output));
}

#[tokio::test]
async fn what_explains_the_api_is_there() {
    let platform = Platform::fresh().await;
    let api = platform.get("/openapi.json").await.ok();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"), "{}", api["openapi"]);
    for path in
        ["/v1/orders", "/v1/sagas/{id}/explain", "/v1/reports/sales", "/v1/shipments/{id}/ship"]
    {
        assert!(api["paths"][path].is_object(), "{path} is not described");
    }
    for path in ["/", "/docs/", "/metrics", "/health/live", "/docs/errors/out_of_stock"] {
        assert!(platform.get(path).await.status.is_success(), "{path}");
    }
}

#[tokio::test]
async fn help_says_what_there_is() {
    let output = docket(&["--help"]).output().await.unwrap();
    let help = text(&output);
    for command in ["dev", "import", "replay", "status", "verify"] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(docket(&["nonsense"]).output().await.unwrap().status.code(), Some(2));
}
