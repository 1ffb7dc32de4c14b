//! What is broken: the platform's real processes over real servers, in temporary folders.

mod layout;
mod process;
mod servers;
mod services;
mod standing;

pub(crate) use layout::{Kind, Layout};
pub(crate) use process::Process;
pub(crate) use services::{Programs, Role};
pub(crate) use standing::Stack;
