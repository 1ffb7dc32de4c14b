//! The bar on stderr: which phase, how far. Nothing when stderr is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// What people see while an import runs.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar that has not begun.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) =
            ProgressStyle::with_template("{msg:>14} {wide_bar} {human_pos}/{human_len} {eta:>4}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    /// The next phase begins.
    pub(crate) fn phase(&self, name: &'static str, steps: usize) {
        self.bar.reset();
        self.bar.set_length(steps as u64);
        self.bar.set_message(name);
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Which phase, how many of it are done, and of how many.
    pub(crate) fn at(&self) -> (String, u64, u64) {
        (self.bar.message(), self.bar.position(), self.bar.length().unwrap_or_default())
    }

    /// Says something on stderr, above the bar.
    pub(crate) fn say(&self, text: &str) {
        self.bar.suspend(|| output::complain(&anyhow::Error::msg(text.to_owned())));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
