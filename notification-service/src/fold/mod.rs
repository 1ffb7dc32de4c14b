//! From the feed to what endpoints and customers are to be told, and to what customers find.
//!
//! **Invariant:** what is to be told or found and the checkpoint are one transaction. Where nobody waits to be told, it is made now and
//! then, and most events are not even read.

mod facts;
mod notices;
mod opening;
mod reader;

pub(crate) use facts::{Facts, read as read_facts};
pub(crate) use reader::{Mailing, Reader, ReaderParts};
