//! What a person sees when the platform is up.

use std::path::Path;
use std::time::Duration;

/// How a command shows a token, where one is asked for.
pub(super) const TOKEN: &str = " -H \"Authorization: Bearer $DOCKET_TOKEN\"";

/// The address, where the data is, and three commands to try; the order is paid by this method.
pub(crate) fn text(
    url: &str,
    data: &Path,
    took: Duration,
    open: bool,
    payment_method: &str,
) -> String {
    let (entrance, token) = if open {
        ("open: nobody is asked who they are; only this machine reaches it", "")
    } else {
        ("whoever has a token that --auth-file takes; `docket token` makes one", TOKEN)
    };
    format!(
        r#"
Docket is up on {url}   (ready in {} ms)
Data: {}
API:  {url}/docs
Entrance: {entrance}

Try it:
  curl -s{token} {url}/v1/products -H 'Idempotency-Key: 1' -H 'Content-Type: application/json' \
    -d '{{"sku":"22423","name":"Cakestand","unit_price":{{"amount":1275,"currency":"GBP"}},"stocked":true}}'
  curl -s{token} {url}/v1/stock/22423/receive -H 'Idempotency-Key: 2' -H 'Content-Type: application/json' \
    -d '{{"quantity":10,"reason":"a first delivery"}}'
  curl -s{token} {url}/v1/orders -H 'Idempotency-Key: an-order' -H 'Content-Type: application/json' -H 'Prefer: wait=5' \
    -d '{{"currency":"GBP","lines":[{{"sku":"22423","quantity":2}}],"payment_method":"{payment_method}","shipping_address":{{"country":"United Kingdom"}}}}'

Ctrl-C stops it.
"#,
        took.as_millis(),
        data.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_to_try_is_paid_by_the_method_that_is_named() {
        let said = text("http://a", Path::new("data"), Duration::ZERO, true, "pm_card_visa");
        assert!(said.contains(r#""payment_method":"pm_card_visa""#), "{said}");
        assert!(!said.contains("pm_ok"), "{said}");
    }
}
