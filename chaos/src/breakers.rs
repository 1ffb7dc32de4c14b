//! The circuit breakers of the entrance, by its own metrics: how often they opened, and that each is closed again once all is well.

use std::time::Duration;

use anyhow::Result;

use crate::awake::Awake;
use crate::client::Client;
use crate::load::Tally;
use crate::patience::patience;
use crate::stack::Stack;

const OPENS: &str = "docket_gateway_breaker_opens_total{";
const STATE: &str = "docket_gateway_breaker_state{";
/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Counts the times that a breaker opened, and names those that stay shut out though their processes run. One that answers no
/// request may be left alone for a while before it is tried again.
pub(crate) async fn left_open(stack: &Stack, tally: &Tally) -> Result<Vec<String>> {
    let client = Client::new(stack.entrance().url())?;
    let running = stack.processes().filter_map(|one| one.pid().map(|_| one.url()));
    let running: Vec<&str> = running.collect();
    let begun = Awake::now();
    loop {
        let metrics = client.text("/metrics").await?;
        let open = open(&metrics, &running);
        if open.is_empty() || begun.elapsed() > patience() / 6 {
            tally.add("breakers opened", opened(&metrics));
            return Ok(open);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The series of a metric, with their values.
fn series<'m>(metrics: &'m str, metric: &'static str) -> impl Iterator<Item = (&'m str, u64)> {
    let of_metric = metrics.lines().filter_map(move |line| line.strip_prefix(metric));
    of_metric.filter_map(|line| {
        let (labels, value) = line.rsplit_once("} ")?;
        Some((labels, value.parse().ok()?))
    })
}

fn opened(metrics: &str) -> u64 {
    series(metrics, OPENS).map(|(_, times)| times).sum()
}

fn open(metrics: &str, running: &[&str]) -> Vec<String> {
    let shut_out = series(metrics, STATE).filter(|(labels, state)| {
        *state != 0 && running.iter().any(|url| labels.contains(&format!("instance=\"{url}\"")))
    });
    shut_out.map(|(labels, _)| format!("I12: the breaker of {labels} stays open")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "# TYPE docket_gateway_breaker_state gauge\n\
        docket_gateway_breaker_state{upstream=\"a\",instance=\"http://h:1\"} 0\n\
        docket_gateway_breaker_state{upstream=\"b\",instance=\"http://h:2\"} 2\n\
        docket_gateway_breaker_state{upstream=\"b\",instance=\"http://h:3\"} 2\n\
        docket_gateway_breaker_opens_total{upstream=\"a\"} 1\n\
        docket_gateway_breaker_opens_total{upstream=\"b\"} 4\n";

    #[test]
    fn one_that_stays_open_is_found_unless_its_process_is_gone() {
        assert_eq!(opened(METRICS), 5);
        let running = ["http://h:1", "http://h:2"];
        assert_eq!(
            open(METRICS, &running),
            ["I12: the breaker of upstream=\"b\",instance=\"http://h:2\" stays open"]
        );
        assert!(open(METRICS, &["http://h:1"]).is_empty());
    }
}
