//! `docket dev`: the whole platform in one process.
//!
//! Here alone the services meet: [`platform`] opens the files, starts the services and joins their routers. Nothing
//! else knows that they share a process.

mod banner;
mod docs;
mod error_pages;
mod history;
mod home;
mod lock;
mod platform;
mod readiness;
mod serve;

pub(crate) use docs::{DESCRIPTION, documented, explained};
pub(crate) use home::{Shown as HomePage, router as home};
pub(crate) use lock::DataLock;
pub(crate) use platform::{SEALING, order_timeouts};
pub(crate) use readiness::{
    follow_models, follow_sagas, report_models, report_notifications, report_sagas,
};
pub(crate) use serve::{install_logs, metrics_router, run};
