//! A progress bar a model, on stderr; nothing is drawn when stderr is no terminal.

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use projection_service::Projector;

const STYLE: &str =
    "{prefix:<10} {bar:30} {human_pos:>10}/{human_len} events  {per_sec:>14}  {eta} to go";

/// The bars, by the model's name.
#[derive(Debug, Clone)]
pub(super) struct Bars(HashMap<&'static str, ProgressBar>);

impl Bars {
    /// A bar for each of these.
    pub(super) fn new(projectors: &[Projector], target: u64) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template(STYLE);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = |projector: &Projector| {
            let bar = all.add(ProgressBar::new(target)).with_style(style.clone());
            (projector.name(), bar.with_prefix(projector.name()))
        };
        Self(projectors.iter().map(bar).collect())
    }

    /// A model has come so far.
    pub(super) fn at(&self, name: &str, position: u64) {
        if let Some(bar) = self.0.get(name) {
            bar.set_position(position);
        }
    }

    /// A model has come so far, of so much.
    pub(super) fn of(&self, name: &str, position: u64, target: u64) {
        if let Some(bar) = self.0.get(name) {
            bar.set_length(target);
            bar.set_position(position);
        }
    }

    /// Everything is done; what was drawn stays.
    pub(super) fn done(&self) {
        self.0.values().for_each(ProgressBar::abandon);
    }
}
