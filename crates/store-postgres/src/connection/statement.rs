//! Pipelined statements: each is sent without waiting for the answer of the one before.

use std::future::Future;
use std::pin::Pin;

use deadpool_postgres::Object;
use futures_util::future::join_all;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use crate::error::Fault;

/// A statement with its parameters.
pub(crate) struct Statement<'a> {
    sql: &'static str,
    parameters: Vec<Parameter<'a>>,
}

pub(crate) type Parameter<'a> = Box<dyn ToSql + Sync + Send + 'a>;

impl<'a> Statement<'a> {
    pub(crate) fn new(
        sql: &'static str,
        parameters: impl IntoIterator<Item = Parameter<'a>>,
    ) -> Self {
        Statement { sql, parameters: parameters.into_iter().collect() }
    }

    /// Appends a parameter.
    pub(crate) fn push(&mut self, value: impl ToSql + Sync + Send + 'a) {
        self.parameters.push(Box::new(value));
    }
}

/// A parameter of a statement.
pub(crate) fn parameter<'a>(value: impl ToSql + Sync + Send + 'a) -> Parameter<'a> {
    Box::new(value)
}

type Call<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// Sends a command, statements and a command in one round trip, and returns the rows of the
/// statements. The server executes them in this order. After one that fails it refuses the rest of
/// the transaction.
///
/// At most 30 in all: up to that number [`join_all`] polls them in their order.
pub(crate) async fn pipeline(
    client: &Object,
    first: Option<&str>,
    statements: &[Statement<'_>],
    last: Option<&str>,
) -> Result<Vec<Vec<Row>>, Fault> {
    let mut prepared = Vec::with_capacity(statements.len());
    for statement in statements {
        prepared.push(client.prepare_cached(statement.sql).await?);
    }
    let mut calls: Vec<Call<'_>> = Vec::with_capacity(statements.len() + 2);
    if let Some(first) = first {
        calls.push(Box::pin(command(client, first)));
    }
    for (statement, prepared) in statements.iter().zip(&prepared) {
        calls.push(Box::pin(async move {
            let parameters: Vec<&(dyn ToSql + Sync)> =
                statement.parameters.iter().map(|it| &**it as &(dyn ToSql + Sync)).collect();
            client.query(prepared, &parameters).await
        }));
    }
    if let Some(last) = last {
        calls.push(Box::pin(command(client, last)));
    }
    let answers = join_all(calls).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let commands_before = usize::from(first.is_some());
    Ok(answers.into_iter().skip(commands_before).take(statements.len()).collect())
}

async fn command(client: &Object, command: &str) -> Result<Vec<Row>, Error> {
    client.batch_execute(command).await.map(|()| Vec::new())
}
