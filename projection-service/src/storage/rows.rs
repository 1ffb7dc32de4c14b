//! A generation in SQL, as the runner writes it.

use ::storage::{Passed, Transaction};
use event_store::{LogIdentity, Position};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use uuid::Uuid;

use super::catalog::Catalog;
use super::checkpoint::{self, Checkpoint};
use super::generation::Generation;
use super::parked::{self, HeldEvent, Parked, ParkedKey};
use crate::model::{ReadModel, Touched};
use crate::runner::stored::{Rows, Stored, Writing};

impl Stored for Generation {
    type Catalog = Catalog;

    fn number(&self) -> u32 {
        self.number
    }

    fn place(&self) -> String {
        self.location.to_string()
    }

    fn reached(&self, kept: Position, passed: Position) {
        self.reached(kept, passed);
    }

    fn waiting<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Vec<Position>, sqlx::Error>> {
        Box::pin(async move {
            let mut reader = self.database.reader().await?;
            parked::positions(&mut reader, key).await
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.database.close().boxed()
    }

    fn discard(self) -> BoxFuture<'static, ()> {
        self.discard().boxed()
    }

    fn drop_kept<'a>(
        catalog: &'a Catalog,
        name: &'a str,
        number: u32,
    ) -> BoxFuture<'a, Result<bool, sqlx::Error>> {
        catalog.drop_kept(name, number, None).boxed()
    }
}

impl<M: ReadModel> Rows<M> for Generation {
    type Writing = Transaction;

    async fn begin(
        &self,
        from: &Checkpoint,
        to: Position,
        event_id: Uuid,
        durable: bool,
    ) -> Result<(Transaction, Passed), sqlx::Error> {
        let mut transaction = if durable {
            self.database.begin_durable().await?
        } else {
            self.database.begin().await?
        };
        let passed = checkpoint::advance(&mut transaction, &self.fence, from, to, event_id).await?;
        Ok((transaction, passed))
    }

    async fn begin_at_start(&self) -> Result<Option<Transaction>, sqlx::Error> {
        let mut transaction = self.database.begin_durable().await?;
        Ok(self.fence.pass(&mut transaction).await?.then_some(transaction))
    }

    async fn find(
        &self,
        identity: &LogIdentity,
    ) -> Result<Option<(Checkpoint, Parked)>, sqlx::Error> {
        let mut transaction = self.database.begin().await?;
        if !self.fence.pass(&mut transaction).await? {
            return Ok(None);
        }
        let checkpoint = checkpoint::find_or_begin(&mut transaction, identity).await?;
        let parked = parked::read(&mut transaction).await?;
        transaction.commit().await?;
        Ok(Some((checkpoint, parked)))
    }

    async fn stands_at(&self) -> Result<Position, sqlx::Error> {
        let mut transaction = self.database.begin().await?;
        checkpoint::position(&mut transaction).await
    }
}

impl<M: ReadModel> Writing<M> for Transaction {
    async fn load(&mut self, keys: &[&str]) -> Result<Vec<M::Row>, sqlx::Error> {
        M::load(self, keys).await
    }

    async fn write(&mut self, rows: &[Touched<M::Row>]) -> Result<(), sqlx::Error> {
        M::write(self, rows).await
    }

    async fn hold(&mut self, events: &[HeldEvent]) -> Result<(), sqlx::Error> {
        parked::hold(self, events).await
    }

    async fn park(&mut self, key: &ParkedKey) -> Result<(), sqlx::Error> {
        parked::park(self, key).await
    }

    async fn forget(&mut self, key: &str) -> Result<(), sqlx::Error> {
        parked::forget(self, key).await
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        self.commit().await
    }
}
