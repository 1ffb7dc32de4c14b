//! Questions, answers and announcements: each gets to whoever listens, once, or never.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use messaging::jetstream::{Answer, Asked, Question};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};

use super::broker::EventBroker;
use crate::process::Process;
use crate::weather::Mishap;

/// Who listens to what.
#[derive(Default)]
pub(super) struct Post {
    /// Until then nobody hears how far the log is.
    silent_until: Option<Instant>,
    announcements: Vec<(Arc<Process>, UnboundedSender<Bytes>)>,
    heads: Vec<(Arc<Process>, UnboundedSender<Asked>)>,
    histories: Vec<(Arc<Process>, UnboundedSender<Asked>)>,
    inboxes: BTreeMap<String, Inbox>,
    asked: u64,
}

struct Inbox {
    answers: UnboundedSender<Answer>,
    /// When the last one arrives: they don't overtake each other.
    arrives: Instant,
}

impl Post {
    fn listeners(
        &mut self,
        question: Question,
    ) -> &mut Vec<(Arc<Process>, UnboundedSender<Asked>)> {
        match question {
            Question::Head => &mut self.heads,
            Question::History => &mut self.histories,
        }
    }
}

fn is_there<T>(listener: &(Arc<Process>, UnboundedSender<T>)) -> bool {
    !listener.0.is_dead() && !listener.1.is_closed()
}

/// What comes, as a process gets it: late when it sleeps.
fn coming<T: Send + 'static>(
    process: Arc<Process>,
    from: UnboundedReceiver<T>,
) -> BoxStream<'static, T> {
    let next = |(process, mut from): (Arc<Process>, UnboundedReceiver<T>)| async move {
        let one = from.recv().await?;
        process.pass().await;
        Some((one, (process, from)))
    };
    stream::unfold((process, from), next).boxed()
}

impl EventBroker {
    /// For so long nobody hears how far the log is.
    pub(crate) fn is_silent(&self, time: Duration) {
        self.state().post.silent_until = Some(Instant::now() + time);
    }

    fn tells_no_head(&self) -> bool {
        let until = self.state().post.silent_until;
        !self.weather.is_calm() && until.is_some_and(|until| until > Instant::now())
    }

    /// Whether a word that is on its way never arrives.
    fn loses_word(&self) -> bool {
        self.connection().is_err() || self.weather.strikes(Mishap::WordLost)
    }

    pub(super) fn hears_announcements(&self, process: &Arc<Process>) -> BoxStream<'static, Bytes> {
        let (sender, receiver) = unbounded_channel();
        let mut state = self.state();
        state.post.announcements.retain(is_there);
        state.post.announcements.push((Arc::clone(process), sender));
        coming(Arc::clone(process), receiver)
    }

    pub(super) fn hears_questions(
        &self,
        process: &Arc<Process>,
        question: Question,
    ) -> BoxStream<'static, Asked> {
        let (sender, receiver) = unbounded_channel();
        let mut state = self.state();
        let listeners = state.post.listeners(question);
        listeners.retain(is_there);
        listeners.push((Arc::clone(process), sender));
        coming(Arc::clone(process), receiver)
    }

    /// To everybody, each with a delay of its own.
    pub(super) fn announces(&self, text: &Bytes) {
        let listeners = self.state().post.announcements.clone();
        for (_, listener) in listeners.into_iter().filter(is_there) {
            if self.tells_no_head() || self.loses_word() {
                continue;
            }
            let (delay, text) = (self.weather.delay(), text.clone());
            tokio::spawn(async move {
                sleep(delay).await;
                // Whoever ended meanwhile hears nothing.
                drop(listener.send(text));
            });
        }
    }

    /// Asks one of those who listen.
    pub(super) fn asks(
        self: &Arc<Self>,
        process: &Arc<Process>,
        question: Question,
        text: Bytes,
    ) -> BoxStream<'static, Answer> {
        let (answers, receiver) = unbounded_channel();
        let asker = {
            let mut state = self.state();
            state.post.inboxes.retain(|_, inbox| !inbox.answers.is_closed());
            state.post.asked += 1;
            let asker = format!("inbox {}", state.post.asked);
            state.post.inboxes.insert(asker.clone(), Inbox { answers, arrives: Instant::now() });
            asker
        };
        let is_lost = self.loses_word() || (question == Question::Head && self.tells_no_head());
        if !is_lost {
            let (broker, delay) = (Arc::clone(self), self.weather.delay());
            tokio::spawn(async move {
                sleep(delay).await;
                match broker.one_who_answers(question) {
                    Some(listener) => drop(listener.send(Asked { text, asker })),
                    None => broker.put_into(&asker, Answer::Nobody),
                }
            });
        }
        coming(Arc::clone(process), receiver)
    }

    fn one_who_answers(&self, question: Question) -> Option<UnboundedSender<Asked>> {
        let mut state = self.state();
        let listeners = state.post.listeners(question);
        listeners.retain(is_there);
        let place = self.weather.draw(|rng| rng.within(0, listeners.len() as u64));
        Some(listeners.get(usize::try_from(place).ok()?)?.1.clone())
    }

    /// Sends a part of an answer.
    pub(super) fn answers(&self, asker: &str, text: Bytes) {
        if !self.loses_word() {
            self.put_into(asker, Answer::Text(text));
        }
    }

    fn put_into(&self, asker: &str, answer: Answer) {
        let delay = self.weather.delay();
        let mut state = self.state();
        let Some(inbox) = state.post.inboxes.get_mut(asker) else { return };
        let (arrives, answers) = (inbox.arrives, inbox.answers.clone());
        let arrives = (arrives + Duration::from_millis(1)).max(Instant::now() + delay);
        inbox.arrives = arrives;
        drop(state);
        tokio::spawn(async move {
            sleep_until(arrives).await;
            // Whoever does not wait any more hears nothing.
            drop(answers.send(answer));
        });
    }
}
