//! How much everybody may, at the entrance of a real platform with tokens.

use reqwest::StatusCode;

use crate::access::{Shop, Tokens, Who};
use crate::platform::{Data, Platform, docket};

/// A platform in one process that takes these tokens, with small limits and the test before it as its proxy.
async fn limited(tokens: &Tokens, data: &Data) -> Platform {
    let mut command = docket(&["dev", "--listen", "127.0.0.1:0"]);
    command.env("DOCKET_AUTH_FILE", tokens.settings()).arg("--data-dir").arg(data.path());
    command.args(["--customer-rate", "1:100", "--address-rate", "1:30"]);
    command.args(["--trusted-proxies", "127.0.0.1"]);
    Platform::of(command).await
}

#[tokio::test]
async fn a_customer_who_asks_too_much_is_told_when_to_come_again_and_no_other_is() {
    let (tokens, data) = (Tokens::new().await, Data::new());
    let platform = limited(&tokens, &data).await;
    let shop = Shop::of(&platform, &tokens);
    let first = shop.get(Who::Owner, "/v1/products").await;
    assert_eq!(first.header("ratelimit-policy"), "\"customer\";q=100;w=100");
    assert_eq!(first.header("ratelimit"), "\"customer\";r=99;t=1");
    let mut answers = 1;
    let refused = loop {
        let answer = shop.get(Who::Owner, "/v1/products").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        answers += 1;
    };
    assert!(answers >= 100, "{answers}");
    assert_eq!(refused.problem(), (429, "rate_limited"));
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.header("ratelimit").starts_with("\"customer\";r=0;t="), "{refused:?}");
    for other in [Who::Other, Who::Support, Who::Service] {
        shop.get(other, "/v1/products").await.ok();
    }
    let metrics = shop.get_text(Who::Operator, "/metrics").await;
    assert!(
        metrics.contains("docket_gateway_rate_limited_total{limit=\"customer\"} 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn whoever_shows_no_token_is_counted_by_the_last_hop_that_is_not_ours() {
    let (tokens, data) = (Tokens::new().await, Data::new());
    let platform = limited(&tokens, &data).await;
    let mut asked = 0;
    let mut refused = 0;
    // Another beginning of the header each time, as somebody writes who wants to be many.
    for forged in 0..60 {
        let hops = format!("203.0.113.{forged}, 198.51.100.7");
        let headers = [("x-forwarded-for", hops.as_str()), ("authorization", "Bearer forged")];
        let answer = platform.get_with("/v1/orders", &headers).await;
        match answer.problem() {
            (401, "unauthenticated") => asked += 1,
            (429, "rate_limited") => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(asked >= 30 && refused >= 20, "{asked} {refused}");
    let another = platform.get_with("/v1/orders", &[("x-forwarded-for", "198.51.100.8")]).await;
    assert_eq!(another.problem(), (401, "unauthenticated"));
    // Whoever shares the address and shows a good token is not shut out, known or new; who shows none is.
    let shop = Shop::of(&platform, &tokens);
    for who in [Who::Owner, Who::Owner, Who::Support] {
        shop.get_from(who, "/v1/products", "198.51.100.7").await.ok();
    }
    let none = platform.get_with("/v1/orders", &[("x-forwarded-for", "198.51.100.7")]).await;
    assert_eq!(none.problem(), (429, "rate_limited"));
    // The question how the platform does is answered to everybody.
    platform.get("/health/ready").await.ok();
}
