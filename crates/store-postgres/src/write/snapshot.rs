//! The rows by which a group is judged, and how they change from write to write.

use std::collections::{BTreeMap, HashMap, VecDeque};

use custom_models_core::model::{DataId, DataPair};
use custom_models_core::store::{
    Counters, IdempotencyRecord, IdempotencyScope, StoreError, StoreErrorKind,
};
use custom_models_core::{CustomModel, ModelId, Organisation};
use tokio_postgres::Row;

use crate::error::Fault;
use crate::rows::admissions::{self, Ask, Look};
use crate::rows::columns::{column, model_id, organisation_of, unsigned};
use crate::rows::{data, idempotency, models};
use crate::schema::NEWEST;
use crate::schema::migrate::newer;
use crate::write::read_set::Asked;

/// The rows that were read for a group.
pub(crate) struct Known {
    pub(crate) counters: HashMap<Organisation, Counters>,
    /// A row that is damaged is known as such.
    pub(crate) models: BTreeMap<(Organisation, ModelId), Result<CustomModel, &'static str>>,
    pub(crate) pairs: BTreeMap<(Organisation, ModelId, DataId), Result<DataPair, &'static str>>,
    /// The highest numbers of the pairs of models.
    pub(crate) last_pairs: BTreeMap<(Organisation, ModelId), DataId>,
    pub(crate) answers:
        HashMap<(Organisation, IdempotencyScope), Result<IdempotencyRecord, &'static str>>,
    pub(crate) looks: HashMap<Ask, Look>,
    /// Ids that nobody else has, the smallest first. What is beyond the last id of all is none.
    ids: VecDeque<i64>,
}

impl Known {
    /// Makes sense of the answers.
    pub(crate) fn read(
        answers: impl IntoIterator<Item = (Asked, Vec<Row>)>,
        asks: &[Ask],
    ) -> Result<Self, Fault> {
        let mut known = Known {
            counters: HashMap::new(),
            models: BTreeMap::new(),
            pairs: BTreeMap::new(),
            last_pairs: BTreeMap::new(),
            answers: HashMap::new(),
            looks: HashMap::new(),
            ids: VecDeque::new(),
        };
        for (asked, rows) in answers {
            for row in &rows {
                known.take(asked, row, asks)?;
            }
        }
        known.ids.make_contiguous().sort_unstable();
        Ok(known)
    }

    fn take(&mut self, asked: Asked, row: &Row, asks: &[Ask]) -> Result<(), Fault> {
        match asked {
            Asked::Layout => {
                let newest: i64 = column(row, 0)?;
                if newest > NEWEST {
                    return Err(newer(newest).into());
                }
            }
            Asked::Organisations => {
                let counters = Counters {
                    models: unsigned(column(row, 1)?)?,
                    events: unsigned(column(row, 2)?)?,
                };
                self.counters.insert(organisation_of(row, 0)?, counters);
            }
            Asked::WindowLocks => {}
            Asked::Looks => {
                let (place, look) = admissions::look(row)?;
                let ask = asks.get(place).ok_or(Fault::Row("a look at nothing"))?;
                self.looks.insert(*ask, look);
            }
            Asked::Models => {
                let organisation = organisation_of(row, models::ORGANISATION)?;
                self.models.insert((organisation, model_id(row, 0)?), judged(models::model(row))?);
            }
            Asked::Pairs => {
                let (organisation, model, id) = data::owned(row)?;
                self.pairs.insert((organisation, model, id), judged(data::owned_pair(row))?);
            }
            Asked::LastPairs => {
                let (organisation, model, id) = data::owned(row)?;
                self.last_pairs.insert((organisation, model), id);
            }
            Asked::Answers => {
                let (organisation, key, kept) = idempotency::owned(row)?;
                self.answers.insert((organisation, key), judged(kept)?);
            }
            Asked::Ids => self.ids.push_back(column(row, 0)?),
        }
        Ok(())
    }

    /// The next id, unless they are all given away.
    pub(crate) fn next_id(&mut self) -> Result<ModelId, StoreError> {
        let id = self.ids.pop_front().and_then(|id| ModelId::try_from(id).ok());
        id.ok_or_else(|| StoreErrorKind::IdsExhausted.into())
    }
}

/// A row against the rules is the trouble of the writes that ask for it, and of no other.
fn judged<T>(read: Result<T, Fault>) -> Result<Result<T, &'static str>, Fault> {
    match read {
        Ok(found) => Ok(Ok(found)),
        Err(Fault::Row(what)) => Ok(Err(what)),
        Err(fault) => Err(fault),
    }
}
