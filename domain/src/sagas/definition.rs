//! A saga as a table of typed steps: what may be undone, the one point of no return, what is retried until it is done.
//!
//! **Invariant**, held by the types: a step before the pivot has an undo, there is exactly one pivot, and after it
//! stand only steps that are retried.
//!
//! ```
//! use domain::sagas::definition::{Answer, Ask, Definition, Row};
//! # fn ask(_: &u8, _: domain::sagas::definition::Did) -> Ask { Ask::Nothing }
//! # fn answer(_: &u8, _: &domain::sagas::definition::Heard<'_>) -> Option<Answer> { None }
//! let row = |name| Row::<u8>::new(name, ask, answer);
//! Definition::begin()
//!     .compensatable(row("reserve").undone_by(row("release")))
//!     .pivot(row("confirm"))
//!     .retriable(row("pack"))
//!     .build();
//! ```
//!
//! A step that can be undone can't be declared without its undo:
//! ```compile_fail
//! # use domain::sagas::definition::{Answer, Ask, Definition, Row};
//! # fn ask(_: &u8, _: domain::sagas::definition::Did) -> Ask { Ask::Nothing }
//! # fn answer(_: &u8, _: &domain::sagas::definition::Heard<'_>) -> Option<Answer> { None }
//! # let row = |name| Row::<u8>::new(name, ask, answer);
//! Definition::begin().compensatable(row("reserve")).pivot(row("confirm")).build();
//! ```
//!
//! After the pivot nothing can be undone any more:
//! ```compile_fail
//! # use domain::sagas::definition::{Answer, Ask, Definition, Row};
//! # fn ask(_: &u8, _: domain::sagas::definition::Did) -> Ask { Ask::Nothing }
//! # fn answer(_: &u8, _: &domain::sagas::definition::Heard<'_>) -> Option<Answer> { None }
//! # let row = |name| Row::<u8>::new(name, ask, answer);
//! Definition::begin().pivot(row("confirm")).compensatable(row("a").undone_by(row("b"))).build();
//! ```
//!
//! There is one pivot, not two:
//! ```compile_fail
//! # use domain::sagas::definition::{Answer, Ask, Definition, Row};
//! # fn ask(_: &u8, _: domain::sagas::definition::Did) -> Ask { Ask::Nothing }
//! # fn answer(_: &u8, _: &domain::sagas::definition::Heard<'_>) -> Option<Answer> { None }
//! # let row = |name| Row::<u8>::new(name, ask, answer);
//! Definition::begin().pivot(row("confirm")).pivot(row("again")).build();
//! ```
//!
//! And not none:
//! ```compile_fail
//! # use domain::sagas::definition::{Answer, Ask, Definition, Row};
//! # fn ask(_: &u8, _: domain::sagas::definition::Did) -> Ask { Ask::Nothing }
//! # fn answer(_: &u8, _: &domain::sagas::definition::Heard<'_>) -> Option<Answer> { None }
//! # let row = |name| Row::<u8>::new(name, ask, answer);
//! Definition::begin().compensatable(row("a").undone_by(row("b"))).build();
//! ```

use std::borrow::Cow;
use std::marker::PhantomData;

use crate::command::Command;
use crate::event::Event;

/// What a step wants, seen the saga's data.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Nothing is to be done: on to the next step.
    Nothing,
    /// It is not time yet; what it waits for, in words.
    Wait(Cow<'static, str>),
    /// This is to be sent.
    Send(Box<Command>),
}

impl Ask {
    /// Waits for this.
    pub fn wait(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Wait(what.into())
    }

    /// Asks for this command.
    pub fn send(command: impl Into<Command>) -> Self {
        Self::Send(Box::new(command.into()))
    }
}

/// What an event says about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// A part of it is done: the step asks again for the rest.
    Again,
    /// It was refused.
    Refused {
        /// A stable code.
        code: String,
        /// True when a further attempt may succeed.
        retriable: bool,
    },
    /// Whether it was done is not known yet.
    Unknown,
    /// The same, and the provider says that it did something else: a person has to look.
    Differs,
}

/// What became of the step that an undo undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It was never asked for.
    Never,
    /// It was asked for and the outcome is not known.
    Asked,
    /// It was refused: there is nothing to undo.
    Refused,
    /// It was done.
    Done,
}

/// An event as a step hears it.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'e> {
    /// What happened.
    pub event: &'e Event,
    /// True when this very step's command caused it.
    pub is_ours: bool,
}

/// What to send, seen the data and, for an undo, what its do came to.
pub type AskFn<D> = fn(&D, Did) -> Ask;
/// What an event says about the step.
pub type AnswerFn<D> = fn(&D, &Heard<'_>) -> Option<Answer>;

/// One row of a saga's table: a name, what it sends, and what ends it.
pub struct Row<D> {
    /// The step's name.
    pub name: &'static str,
    pub(super) ask: AskFn<D>,
    pub(super) answer: AnswerFn<D>,
    /// For an undo: the index of the step that it undoes.
    pub(super) undoes: Option<usize>,
}

impl<D> Clone for Row<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Row<D> {}

impl<D> Row<D> {
    /// A row of this name.
    pub fn new(name: &'static str, ask: AskFn<D>, answer: AnswerFn<D>) -> Self {
        Self { name, ask, answer, undoes: None }
    }

    /// With what undoes it.
    pub fn undone_by(self, undo: Self) -> Compensatable<D> {
        Compensatable { step: self, undo }
    }
}

/// A step and its undo.
pub struct Compensatable<D> {
    step: Row<D>,
    undo: Row<D>,
}

impl<D> Clone for Compensatable<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Compensatable<D> {}

/// Typestate: the pivot is still to come.
#[derive(Debug)]
pub struct BeforePivot;
/// Typestate: the pivot stands.
#[derive(Debug)]
pub struct AfterPivot;

/// A table under construction.
pub struct Builder<D, At> {
    steps: Vec<Row<D>>,
    undos: Vec<Row<D>>,
    pivot: usize,
    at: PhantomData<At>,
}

/// A saga's table.
pub struct Definition<D> {
    steps: Vec<Row<D>>,
    undos: Vec<Row<D>>,
    pivot: usize,
}

impl<D> Definition<D> {
    /// A new table.
    pub fn begin() -> Builder<D, BeforePivot> {
        Builder { steps: vec![], undos: vec![], pivot: 0, at: PhantomData }
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Row<D>] {
        &self.steps
    }

    /// The undos, last step first, and then `finish`, which says that all is undone.
    pub fn undos(&self, finish: Row<D>) -> Vec<Row<D>> {
        self.undos.iter().rev().copied().chain([finish]).collect()
    }

    /// True when the step at this index may still be undone, or is the pivot itself.
    pub fn is_up_to_pivot(&self, index: usize) -> bool {
        index <= self.pivot
    }
}

impl<D> Builder<D, BeforePivot> {
    /// A step that can be undone.
    #[must_use]
    pub fn compensatable(mut self, step: Compensatable<D>) -> Self {
        self.undos.push(Row { undoes: Some(self.steps.len()), ..step.undo });
        self.steps.push(step.step);
        self
    }

    /// The point of no return.
    pub fn pivot(mut self, step: Row<D>) -> Builder<D, AfterPivot> {
        let pivot = self.steps.len();
        self.steps.push(step);
        Builder { steps: self.steps, undos: self.undos, pivot, at: PhantomData }
    }
}

impl<D> Builder<D, AfterPivot> {
    /// A step that is retried until it is done.
    #[must_use]
    pub fn retriable(mut self, step: Row<D>) -> Self {
        self.steps.push(step);
        self
    }

    /// The table.
    pub fn build(self) -> Definition<D> {
        Definition { steps: self.steps, undos: self.undos, pivot: self.pivot }
    }
}
