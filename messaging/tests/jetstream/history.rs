//! History by request, and questions between services.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::connection::State;
use futures::StreamExt;
use futures::future::BoxFuture;
use messaging::feed::{Feed, Freshness};
use messaging::jetstream::{AskError, HistoryClient, HistoryError, Names, Question, ask, serve};
use tokio_util::sync::CancellationToken;

use crate::platform::{PATIENCE, Platform, retaining, settings};

#[tokio::test]
async fn an_answer_is_a_beginning_without_holes_and_bounded() {
    let Some(platform) = Platform::start(12_000, retaining(10)).await else { return };
    let history = HistoryClient::new(platform.carrier());
    let feed = platform.feed().await;
    let page = history.read_all(100, 100_000).await.unwrap();
    assert_eq!(page.head, 12_000);
    assert_eq!(page.events.len(), 5_000);
    assert_eq!(page.events[0].position, 101);
    assert!(history.read_all(12_000, 10).await.unwrap().events.is_empty());
    let stream = "stock-x y".into();
    assert_eq!(feed.read_stream(&stream, 10, 2).await.unwrap().len(), 2);
    assert_eq!(feed.read_stream(&stream, 0, 100_000).await.unwrap().len(), 4_000);
    assert_eq!(feed.read_all(3, 2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn without_the_logs_owner_questions_end_and_freshness_is_unknown() {
    let Some(mut platform) = Platform::start(10, settings()).await else { return };
    let feed = platform.feed().await;
    let mut freshness = feed.freshness();
    assert_eq!(*freshness.borrow(), Freshness::Known);
    platform.owner = None;
    let waited = freshness.wait_for(|freshness| *freshness == Freshness::Unknown);
    tokio::time::timeout(PATIENCE, waited).await.unwrap().unwrap();
    let history = HistoryClient::new(platform.carrier());
    assert!(matches!(history.read_all(0, 1).await, Err(HistoryError::Nobody)));
    let owner = crate::platform::Owner::start(&platform.client, &platform.log, settings());
    let waited = freshness.wait_for(|freshness| *freshness == Freshness::Known);
    tokio::time::timeout(PATIENCE, waited).await.unwrap().unwrap();
    drop(owner);
}

#[tokio::test]
async fn whoever_was_replaced_and_is_silent_swallows_no_question() {
    let Some(platform) = Platform::start(10, settings()).await else { return };
    let _there = platform.feed().await;
    let paused = platform.carrier();
    let heads = paused.questions(Question::Head).await.unwrap();
    let histories = paused.questions(Question::History).await.unwrap();
    let history = HistoryClient::new(platform.carrier());
    for _ in 0..20 {
        assert_eq!(history.head().await.unwrap().head, 10);
        assert_eq!(history.read_all(3, 2).await.unwrap().events.len(), 2);
    }
    drop((heads, histories));
}

#[tokio::test]
async fn two_that_have_the_log_may_both_answer() {
    let Some(platform) = Platform::start(12_000, retaining(10)).await else { return };
    let _there = platform.feed().await;
    let other = crate::platform::Owner::start(&platform.client, &platform.log, retaining(10));
    let history = HistoryClient::new(platform.carrier());
    for _ in 0..5 {
        assert_eq!(history.read_all(100, 100_000).await.unwrap().events.len(), 5_000);
    }
    drop(other);
}

#[tokio::test]
async fn services_ask_each_other_and_always_hear_something() {
    let Some(platform) = Platform::start(0, settings()).await else { return };
    let (client, names) = (platform.client.clone(), Names::default());
    let within = Duration::from_secs(2);
    let asked = ask::<u32, u32>(&client, &names, "double", &4, within).await;
    assert!(matches!(asked, Err(AskError::Nobody)), "{asked:?}");
    let stop = CancellationToken::new();
    let double = |number: u32| -> BoxFuture<'static, Result<u32, String>> {
        Box::pin(async move {
            match number {
                0 => Err("not for nothing".to_owned()),
                1 => futures::future::pending().await,
                _ => Ok(number * 2),
            }
        })
    };
    tokio::spawn(serve(client.clone(), names.clone(), "double", double, stop.clone()));
    crate::platform::until("the service is there", || async {
        ask::<u32, u32>(&client, &names, "double", &4, within).await.is_ok_and(|answer| answer == 8)
    })
    .await;
    let refused = ask::<u32, u32>(&client, &names, "double", &0, within).await;
    assert!(matches!(refused, Err(AskError::Refused(why)) if why == "not for nothing"));
    let silent = ask::<u32, u32>(&client, &names, "double", &1, Duration::from_millis(50)).await;
    assert!(matches!(silent, Err(AskError::Silent)));
    let misfit = ask::<&str, u32>(&client, &names, "double", &"x", within).await;
    assert!(matches!(misfit, Err(AskError::Refused(_))));
    let _keep = Arc::new(stop.drop_guard());
}

#[tokio::test]
async fn a_reader_that_does_not_read_holds_little() {
    const EVENTS: u64 = 30_000;
    let Some(platform) = Platform::start(EVENTS, settings()).await else { return };
    platform.published(EVENTS).await;
    let feed = platform.feed().await;
    let mut subscription = feed.subscribe(0).await.unwrap();
    let first = tokio::time::timeout(PATIENCE, subscription.next(1)).await.unwrap().unwrap();
    assert_eq!(first[0].position, 1);
    // What the server has sent stops growing far below the end of the stream.
    let sent = || async {
        let mut consumers = platform.stream().await.unwrap().consumers();
        let consumer = consumers.next().await.unwrap().unwrap();
        consumer.delivered.stream_sequence
    };
    let mut looks = tokio::time::interval(Duration::from_millis(100));
    let (mut last, mut same) = (0, 0);
    while same < 5 {
        looks.tick().await;
        let now = sent().await;
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    assert!(last < EVENTS / 3, "{last} events were sent to a reader that read one");
}

#[tokio::test]
async fn while_nats_is_known_to_be_away_nobody_who_asks_waits_for_it() {
    let Some(mut platform) = Platform::start(0, settings()).await else { return };
    let (client, names) = (platform.client.clone(), Names::default());
    let history = HistoryClient::new(platform.carrier());
    let becomes = async |state: State| {
        crate::platform::until("the client hears of it", || async {
            client.connection_state() == state
        })
        .await;
    };
    becomes(State::Connected).await;
    platform.nats.stop().unwrap();
    becomes(State::Disconnected).await;
    let begun = Instant::now();
    for _ in 0..10 {
        let asked = ask::<u32, u32>(&client, &names, "double", &4, PATIENCE).await;
        assert!(matches!(asked, Err(AskError::Unreachable(_))), "{asked:?}");
        let asked = history.read_all(0, 10).await;
        assert!(matches!(asked, Err(HistoryError::Unreachable(_))), "{asked:?}");
        let asked = history.head().await;
        assert!(matches!(asked, Err(HistoryError::Unreachable(_))), "{asked:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn one_that_was_replaced_and_is_silent_swallows_no_question_of_services() {
    let Some(platform) = Platform::start(0, settings()).await else { return };
    let (client, names) = (platform.client.clone(), Names::default());
    let stop = CancellationToken::new();
    let begins = |answers: bool| {
        let double = move |number: u32| -> BoxFuture<'static, Result<u32, String>> {
            Box::pin(async move {
                if answers { Ok(number * 2) } else { futures::future::pending().await }
            })
        };
        tokio::spawn(serve(client.clone(), names.clone(), "double", double, stop.clone()));
    };
    let asked =
        async |within_s| ask(&client, &names, "double", &4, Duration::from_secs(within_s)).await;
    // As one that is paused: its questions are taken, and nothing comes of them.
    begins(false);
    crate::platform::until("it hears questions", || async {
        matches!(asked(1).await, Err::<u32, _>(AskError::Silent))
    })
    .await;
    begins(true);
    crate::platform::until("the other answers", || async {
        asked(1).await.is_ok_and(|it: u32| it == 8)
    })
    .await;
    for _ in 0..20 {
        assert_eq!(asked(10).await.unwrap(), 8_u32);
    }
    stop.cancel();
}
