//! From the feed to what endpoints are to be told.
//!
//! **Invariant:** what is to be told and the checkpoint are one transaction. Where nobody is to be told, nothing is written but the
//! checkpoint, now and then, and events are not even read.

mod facts;
mod notices;
mod opening;
mod reader;

pub(crate) use facts::{Facts, read as read_facts};
pub(crate) use reader::{Mailing, Reader, ReaderParts};
