//! What the health says of the payment provider.

use service_kit::health::Health;
use tokio::sync::watch;

const PART: &str = "payment_provider";

/// Tells of it as long as the service is there that asks it. Without it payments wait, and everything else goes on.
pub(crate) async fn follow_provider(health: Health, mut answers: watch::Receiver<bool>) {
    loop {
        if *answers.borrow_and_update() {
            health.up(PART);
        } else {
            health.degraded(PART, "degraded: it does not answer; payments wait until it does");
        }
        if answers.changed().await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_does_not_answer_makes_it_less_good_and_not_unready() {
        let health = Health::default();
        health.up("service");
        let (tells, answers) = watch::channel(true);
        let following = tokio::spawn(follow_provider(health.clone(), answers));
        for (is_there, said) in [(false, "payments wait"), (true, "up")] {
            tells.send_replace(is_there);
            while !health.says(PART).is_some_and(|says| says.contains(said)) {
                tokio::task::yield_now().await;
            }
            assert!(health.is_ready());
        }
        drop(tells);
        following.await.unwrap();
    }
}
