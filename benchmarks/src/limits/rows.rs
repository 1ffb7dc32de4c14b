//! Which limit is measured how.

use anyhow::{Result, bail};

use super::postgres::Writes::{Event, EventAndAnswer};
use super::{fsync, http, postgres, publish, sqlite};
use crate::harness::{Measurement, numbered};
use crate::subjects::{
    AXUM_ECHO, AXUM_GROUP, Asked, DISK, GROUP, GROUP_ANSWERED, INSERT, JETSTREAM, SQLITE_BATCHES,
    UNNEST,
};

/// Measures one row of a limit.
pub(crate) async fn measure(asked: &Asked) -> Result<Vec<Measurement>> {
    let number = numbered(&asked.row).map_or(1, |(_, number)| number);
    let measured = match asked.subject.as_str() {
        DISK => fsync::measure(asked)?,
        INSERT => postgres::singly(asked, number).await?,
        GROUP => postgres::in_groups(asked, number, Event).await?,
        GROUP_ANSWERED => postgres::in_groups(asked, number, EventAndAnswer).await?,
        UNNEST => postgres::bulk(asked, number).await?,
        SQLITE_BATCHES => sqlite::bulk(asked, number).await?,
        JETSTREAM => publish::measure(asked, number).await?,
        AXUM_ECHO => http::echo(asked, number).await?,
        AXUM_GROUP => http::group(asked, number).await?,
        other => bail!("there is no limit {other}"),
    };
    Ok(vec![measured])
}
