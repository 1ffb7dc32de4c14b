//! From a span's end to the collector: a bounded queue, and one task that sends what waits in it.
//!
//! **Invariant:** whoever ends a span never waits. What does not fit, or is not taken, is counted and forgotten; it is
//! never sent twice.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

/// How much waits, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Spans that wait, at most.
    queue: usize,
    /// Spans that are sent at once, at most.
    batch: usize,
    /// How long spans are collected.
    delay: Duration,
}

impl Limits {
    /// From the variables of OpenTelemetry's batch processor.
    pub(super) fn from(number: impl Fn(&str) -> Option<usize>) -> Self {
        let number = |name, usual| number(name).filter(|number| *number > 0).unwrap_or(usual);
        let queue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2_048);
        let delay = number("OTEL_BSP_SCHEDULE_DELAY", 5_000);
        Self {
            queue,
            batch: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512).min(queue),
            delay: Duration::from_millis(delay as u64),
        }
    }
}

/// What the task is told.
#[derive(Debug)]
enum Message {
    Ended(Box<SpanData>),
    /// Send what waits, and say so.
    Flush(oneshot::Sender<()>),
}

/// Takes ended spans.
#[derive(Debug)]
pub(super) struct Processor {
    queue: mpsc::Sender<Message>,
    about: mpsc::UnboundedSender<Resource>,
}

/// The other end: what can be asked of the task.
#[derive(Debug)]
pub(super) struct Exporting {
    queue: mpsc::Sender<Message>,
}

impl Exporting {
    /// Starts the task that sends.
    pub(super) fn start<E: SpanExporter + 'static>(
        exporter: E,
        limits: Limits,
    ) -> (Processor, Self) {
        let (queue, waiting) = mpsc::channel(limits.queue);
        let (about, abouts) = mpsc::unbounded_channel();
        tokio::spawn(Task { exporter, limits, waiting, abouts, failing: false }.run());
        (Processor { queue: queue.clone(), about }, Self { queue })
    }

    /// Sends what waits; gives up after this time.
    pub(super) async fn flush(&self, within: Duration) {
        let (done, told) = oneshot::channel();
        let flushed = async {
            self.queue.send(Message::Flush(done)).await.ok()?;
            told.await.ok()
        };
        if timeout(within, flushed).await.is_err() {
            tracing::warn!("the last spans did not get to the collector in time");
        }
    }
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled()
            && self.queue.try_send(Message::Ended(Box::new(span))).is_err()
        {
            metrics::counter!("docket_trace_spans_dropped_total", "reason" => "queue_full")
                .increment(1);
        }
    }

    /// Nothing waits here for anybody: see [`Exporting::flush`].
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        // The task lives as long as this.
        let _ = self.about.send(resource.clone());
    }
}

struct Task<E> {
    exporter: E,
    limits: Limits,
    waiting: mpsc::Receiver<Message>,
    abouts: mpsc::UnboundedReceiver<Resource>,
    failing: bool,
}

impl<E: SpanExporter> Task<E> {
    async fn run(mut self) {
        let mut flushes = Vec::new();
        loop {
            let Some(first) = self.waiting.recv().await else { return };
            let mut batch = Vec::new();
            sort(first, &mut batch, &mut flushes);
            let until = Instant::now() + self.limits.delay;
            while batch.len() < self.limits.batch && flushes.is_empty() {
                match timeout_at(until, self.waiting.recv()).await {
                    Ok(Some(message)) => sort(message, &mut batch, &mut flushes),
                    Ok(None) | Err(_) => break,
                }
            }
            self.send(batch).await;
            flushes.drain(..).for_each(|done: oneshot::Sender<()>| {
                // Who asked may have given up.
                let _ = done.send(());
            });
        }
    }

    async fn send(&mut self, batch: Vec<SpanData>) {
        while let Ok(resource) = self.abouts.try_recv() {
            self.exporter.set_resource(&resource);
        }
        if batch.is_empty() {
            return;
        }
        let spans = batch.len() as u64;
        match self.exporter.export(batch).await {
            Ok(()) => {
                metrics::counter!("docket_trace_spans_sent_total").increment(spans);
                if std::mem::take(&mut self.failing) {
                    tracing::warn!("the collector takes spans again");
                }
            }
            Err(error) => {
                metrics::counter!("docket_trace_spans_dropped_total", "reason" => "not_taken")
                    .increment(spans);
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(%error, "the collector does not take spans; they are dropped until it does");
                }
            }
        }
    }
}

fn sort(message: Message, batch: &mut Vec<SpanData>, flushes: &mut Vec<oneshot::Sender<()>>) {
    match message {
        Message::Ended(span) => batch.push(*span),
        Message::Flush(done) => flushes.push(done),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::error::OTelSdkError;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tokio::sync::Semaphore;

    use super::*;

    /// A collector that takes a batch for each permit, and none without.
    #[derive(Debug, Clone)]
    struct Collector {
        permits: std::sync::Arc<Semaphore>,
        taken: std::sync::Arc<Mutex<Vec<usize>>>,
        refuses: bool,
    }

    impl Collector {
        fn new(permits: usize, refuses: bool) -> Self {
            let permits = Semaphore::new(permits).into();
            Self { permits, taken: std::sync::Arc::default(), refuses }
        }

        fn taken(&self) -> Vec<usize> {
            self.taken.lock().unwrap().clone()
        }
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.permits.acquire().await.unwrap().forget();
            self.taken.lock().unwrap().push(batch.len());
            if self.refuses {
                return Err(OTelSdkError::InternalFailure("no".into()));
            }
            Ok(())
        }
    }

    fn limits() -> Limits {
        Limits { queue: 4, batch: 2, delay: Duration::from_hours(1) }
    }

    fn end_spans(processor: Processor, spans: usize) -> SdkTracerProvider {
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        let tracer = provider.tracer("test");
        (0..spans).for_each(|_| drop(tracer.start("span")));
        provider
    }

    #[tokio::test]
    async fn at_the_end_what_waits_is_sent_though_its_batch_is_not_full() {
        let collector = Collector::new(9, false);
        let (processor, exporting) = Exporting::start(collector.clone(), limits());
        let _provider = end_spans(processor, 3);
        exporting.flush(Duration::from_secs(30)).await;
        assert_eq!(collector.taken(), [2, 1]);
    }

    #[tokio::test]
    async fn a_collector_that_refuses_is_asked_once_for_each_span() {
        let collector = Collector::new(9, true);
        let (processor, exporting) = Exporting::start(collector.clone(), limits());
        let _provider = end_spans(processor, 4);
        exporting.flush(Duration::from_secs(30)).await;
        assert_eq!(collector.taken(), [2, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_hangs_keeps_nobody_waiting_and_what_does_not_fit_is_dropped() {
        let collector = Collector::new(0, false);
        let (processor, exporting) = Exporting::start(collector.clone(), limits());
        let _provider = end_spans(processor, 1_000);
        exporting.flush(Duration::from_secs(2)).await;
        assert!(collector.taken().is_empty());
        collector.permits.add_permits(9);
        exporting.flush(Duration::from_secs(2)).await;
        assert_eq!(collector.taken().iter().sum::<usize>(), 4, "what the queue holds");
    }

    #[test]
    fn limits_are_opentelemetry_s_and_a_batch_fits_the_queue() {
        let usual = Limits::from(|_| None);
        assert_eq!((usual.queue, usual.batch, usual.delay.as_secs()), (2_048, 512, 5));
        let small = Limits::from(|name| (name == "OTEL_BSP_MAX_QUEUE_SIZE").then_some(10));
        assert_eq!((small.queue, small.batch), (10, 10));
        assert_eq!(Limits::from(|_| Some(0)), usual, "nothing can wait in no room");
    }
}
