//! The rows that were read for a group, updated from write to write.

use std::collections::{BTreeMap, HashMap, VecDeque};

use custom_models_core::model::{DataId, DataPair};
use custom_models_core::store::{
    Counters, IdempotencyRecord, IdempotencyScope, StoreError, StoreErrorKind,
};
use custom_models_core::{CustomModel, ModelId, Organisation};
use tokio_postgres::Row;

use crate::error::Fault;
use crate::rows::admissions::{self, WindowQuery, WindowRows};
use crate::rows::columns::{column, model_id, organisation_of, unsigned};
use crate::rows::{data, idempotency, models};
use crate::schema::NEWEST;
use crate::schema::migrate::newer;
use crate::write::read_set::RowKind;

/// The rows that were read for a group.
pub(crate) struct Snapshot {
    pub(crate) counters: HashMap<Organisation, Counters>,
    /// A damaged row is kept as an error.
    pub(crate) models: BTreeMap<(Organisation, ModelId), Result<CustomModel, &'static str>>,
    pub(crate) pairs: BTreeMap<(Organisation, ModelId, DataId), Result<DataPair, &'static str>>,
    /// The highest number of each model's pairs.
    pub(crate) last_pairs: BTreeMap<(Organisation, ModelId), DataId>,
    pub(crate) answers:
        HashMap<(Organisation, IdempotencyScope), Result<IdempotencyRecord, &'static str>>,
    pub(crate) window_rows: HashMap<WindowQuery, WindowRows>,
    /// Ids drawn for this group, the smallest first. They may exceed the largest valid id.
    ids: VecDeque<i64>,
}

impl Snapshot {
    /// Decodes the rows of the statements of a read set.
    pub(crate) fn read(
        answers: impl IntoIterator<Item = (RowKind, Vec<Row>)>,
        window_queries: &[WindowQuery],
    ) -> Result<Self, Fault> {
        let mut snapshot = Snapshot {
            counters: HashMap::new(),
            models: BTreeMap::new(),
            pairs: BTreeMap::new(),
            last_pairs: BTreeMap::new(),
            answers: HashMap::new(),
            window_rows: HashMap::new(),
            ids: VecDeque::new(),
        };
        for (kind, rows) in answers {
            for row in &rows {
                snapshot.take(kind, row, window_queries)?;
            }
        }
        snapshot.ids.make_contiguous().sort_unstable();
        Ok(snapshot)
    }

    fn take(
        &mut self,
        kind: RowKind,
        row: &Row,
        window_queries: &[WindowQuery],
    ) -> Result<(), Fault> {
        match kind {
            RowKind::Layout => {
                let newest: i64 = column(row, 0)?;
                if newest > NEWEST {
                    return Err(newer(newest).into());
                }
            }
            RowKind::Organisations => {
                let counters = Counters {
                    models: unsigned(column(row, 1)?)?,
                    events: unsigned(column(row, 2)?)?,
                };
                self.counters.insert(organisation_of(row, 0)?, counters);
            }
            RowKind::WindowLocks => {}
            RowKind::WindowRows => {
                let (place, rows) = admissions::window_row(row)?;
                let window_query = window_queries
                    .get(place)
                    .ok_or(Fault::Row("rows of an unknown window query"))?;
                self.window_rows.insert(*window_query, rows);
            }
            RowKind::Models => {
                let organisation = organisation_of(row, models::ORGANISATION)?;
                self.models
                    .insert((organisation, model_id(row, 0)?), row_or_damage(models::model(row))?);
            }
            RowKind::Pairs => {
                let (organisation, model, id) = data::owned(row)?;
                self.pairs.insert((organisation, model, id), row_or_damage(data::owned_pair(row))?);
            }
            RowKind::LastPairs => {
                let (organisation, model, id) = data::owned(row)?;
                self.last_pairs.insert((organisation, model), id);
            }
            RowKind::Answers => {
                let (organisation, key, kept) = idempotency::owned(row)?;
                self.answers.insert((organisation, key), row_or_damage(kept)?);
            }
            RowKind::Ids => self.ids.push_back(column(row, 0)?),
        }
        Ok(())
    }

    /// The next id, unless all are assigned.
    pub(crate) fn next_id(&mut self) -> Result<ModelId, StoreError> {
        let id = self.ids.pop_front().and_then(|id| ModelId::try_from(id).ok());
        id.ok_or_else(|| StoreErrorKind::IdsExhausted.into())
    }
}

/// Keeps the error of a damaged row, so that it fails only the writes that ask for it.
fn row_or_damage<T>(read: Result<T, Fault>) -> Result<Result<T, &'static str>, Fault> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(Fault::Row(what)) => Ok(Err(what)),
        Err(fault) => Err(fault),
    }
}
