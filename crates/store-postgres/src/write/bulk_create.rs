//! Groups of creates alone, the most frequent kind: one statement in one round trip, and without
//! `BEGIN` and `COMMIT`, which would cost as much as the statement.
//!
//! The statement raises the counters of each organisation whose creates are all within the limit,
//! and inserts their models and events. The creates of other organisations are decided like all
//! other writes.
//!
//! The statement inserts nothing unless the isolation level is READ COMMITTED or SERIALIZABLE. Its
//! lock timeout is a setting of the connection. A statement timeout that an operator may have set
//! ends before the commit waits for a disk or a standby.

use std::collections::BTreeMap;

use custom_models_core::field::Description;
use custom_models_core::model::{EventType, NewModel, TrainingState};
use custom_models_core::store::{Change, Job, Write};
use custom_models_core::tenant::Actor;
use custom_models_core::{CustomModel, ModelId, Organisation};
use tokio_postgres::Row;

use crate::connection::statement::{Statement, parameter};
use crate::error::{Fault, serialize_error};
use crate::rows::columns::{bytes, column, model_id, signed, status_number};
use crate::schema::NEWEST;

const CREATE: &str = "WITH wanted AS (
        SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[])
            AS w (organisation, creates, places)
    ), counted AS (
        INSERT INTO custom_models.organisations AS o (organisation, models, events, writes)
        SELECT organisation, creates, creates, 1 FROM wanted
        WHERE creates <= places AND $4 >= (SELECT max(version) FROM custom_models.migrations)
            AND (SELECT current_setting('transaction_isolation')) IN ('read committed', 'serializable')
        ORDER BY organisation
        ON CONFLICT (organisation) DO UPDATE SET models = o.models + excluded.models,
            events = o.events + excluded.events, writes = o.writes + 1
        WHERE o.models + excluded.models
            <= ($3::bigint[])[array_position($1::bytea[], o.organisation)]
        RETURNING organisation, events
    ), numbered AS (
        SELECT r.*, nextval('custom_models.model_ids') AS id FROM (
            SELECT m.*, counted.events - m.behind AS position
            FROM unnest($5::bytea[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[],
                $10::bytea[], $11::text[], $12::text[], $13::bigint[])
                AS m (organisation, number, behind, actor, name, description, language, base_model,
                    created_at)
            JOIN counted ON counted.organisation = m.organisation
            ORDER BY m.number
        ) r
    ), added AS (
        INSERT INTO custom_models.models (organisation, id, revision, beats, name, description,
            language, base_model, training_status, created_at, updated_at)
        SELECT organisation, id, 1, 0, name, description, language, base_model, $14, created_at,
            created_at FROM numbered
    ), logged AS (
        INSERT INTO custom_models.events (organisation, position, model, created_at, actor, event)
        SELECT organisation, position, id, created_at, actor, $15::bytea FROM numbered
    )
    SELECT number, id FROM numbered";

/// The same for a single create, which is faster to plan and execute.
const CREATE_ONE: &str = "WITH counted AS (
        INSERT INTO custom_models.organisations AS o (organisation, models, events, writes)
        SELECT $1::bytea, 1, 1, 1
        WHERE $2::bigint > 0 AND $3 >= (SELECT max(version) FROM custom_models.migrations)
            AND current_setting('transaction_isolation') IN ('read committed', 'serializable')
        ON CONFLICT (organisation) DO UPDATE SET models = o.models + 1, events = o.events + 1,
            writes = o.writes + 1
        WHERE o.models < $2
        RETURNING organisation, events
    ), added AS (
        INSERT INTO custom_models.models (organisation, id, revision, beats, name, description,
            language, base_model, created_at, updated_at, training_status)
        SELECT organisation, nextval('custom_models.model_ids'), 1, 0, $4::bytea, $5::bytea,
            $6::text, $7::text, $8::bigint, $8, $9::bigint FROM counted
        RETURNING id
    ), logged AS (
        INSERT INTO custom_models.events (organisation, position, model, created_at, actor, event)
        SELECT counted.organisation, counted.events, added.id, $8, $10::bytea, $11::bytea
        FROM counted, added
    )
    SELECT 0::bigint AS number, id FROM added";

/// The creates of a group.
pub(crate) struct BulkCreate<'a> {
    rows: Vec<Create<'a>>,
    wanted: BTreeMap<&'a Organisation, OrganisationCreates>,
}

struct Create<'a> {
    organisation: &'a Organisation,
    model: &'a NewModel,
    actor: &'a Actor,
    /// The position among the creates of its organisation in the group, from 1.
    position: i64,
}

/// The number of an organisation's creates, and their limit.
struct OrganisationCreates {
    creates: i64,
    /// The lowest of their limits.
    places: i64,
}

impl<'a> BulkCreate<'a> {
    /// Collects the creates of a group. Returns `None` if the group has other writes, or a create
    /// with an idempotency key or a rate limit.
    pub(crate) fn of(jobs: &[&'a Job]) -> Option<Self> {
        let mut creates =
            BulkCreate { rows: Vec::with_capacity(jobs.len()), wanted: BTreeMap::new() };
        for job in jobs {
            let Job::Model(write) = job else { return None };
            let Write { organisation, actor, at: _, change, idempotency: None, admission: None } =
                write
            else {
                return None;
            };
            let Change::Create { model, limit } = change else { return None };
            let nothing = OrganisationCreates { creates: 0, places: i64::MAX };
            let wanted = creates.wanted.entry(organisation).or_insert(nothing);
            wanted.creates += 1;
            wanted.places = wanted.places.min(limit.map_or(i64::MAX, signed));
            let position = wanted.creates;
            creates.rows.push(Create { organisation, model, actor, position });
        }
        Some(creates)
    }

    pub(crate) fn statement(&self) -> Result<Statement<'a>, Fault> {
        let event = serde_json::to_vec(&EventType::Created).map_err(serialize_error)?;
        let mut statement = match (self.rows.as_slice(), self.wanted.values().next()) {
            ([row], Some(wanted)) => one(row, wanted),
            _ => self.several(),
        };
        statement.push(event);
        Ok(statement)
    }

    fn several(&self) -> Statement<'a> {
        let wanted = |value: fn(&OrganisationCreates) -> i64| {
            self.wanted.values().map(value).collect::<Vec<_>>()
        };
        let of: Vec<&[u8]> = self.wanted.keys().map(|it| bytes(it)).collect();
        let mut statement = Statement::new(
            CREATE,
            [
                parameter(of),
                parameter(wanted(|it| it.creates)),
                parameter(wanted(|it| it.places)),
                parameter(NEWEST),
            ],
        );
        self.push_rows(&mut statement);
        statement.push(status_number(TrainingState::default().status()));
        statement
    }

    fn push_rows(&self, statement: &mut Statement<'a>) {
        let text = |model: &'a NewModel| model.description.as_ref().map(Description::as_str);
        let models = || self.rows.iter().map(|row| row.model);
        let behind = self.rows.iter().map(|row| {
            let all = self.wanted.get(row.organisation).map_or(0, |wanted| wanted.creates);
            all - row.position
        });
        statement.push(self.rows.iter().map(|it| bytes(it.organisation)).collect::<Vec<_>>());
        statement.push((0..).take(self.rows.len()).collect::<Vec<i64>>());
        statement.push(behind.collect::<Vec<_>>());
        statement.push(self.rows.iter().map(|it| it.actor.as_str().as_bytes()).collect::<Vec<_>>());
        statement.push(models().map(|it| it.name.as_str().as_bytes()).collect::<Vec<_>>());
        statement.push(models().map(|it| text(it).map(str::as_bytes)).collect::<Vec<_>>());
        statement.push(models().map(|it| it.language.as_str()).collect::<Vec<_>>());
        statement.push(models().map(|it| it.base_model.as_str()).collect::<Vec<_>>());
        statement.push(models().map(|it| it.created_at.unix_seconds()).collect::<Vec<_>>());
    }

    /// The created models, in the order of their jobs; `None` for a create that is left over.
    pub(crate) fn created(&self, rows: &[Row]) -> Result<Vec<Option<CustomModel>>, Fault> {
        let mut ids: Vec<Option<ModelId>> = vec![None; self.rows.len()];
        for row in rows {
            let number: i64 = column(row, 0)?;
            let place = usize::try_from(number).ok().and_then(|number| ids.get_mut(number));
            *place.ok_or(Fault::Row("a create of another group"))? = Some(model_id(row, 1)?);
        }
        let created = self.rows.iter().zip(ids);
        Ok(created.map(|(row, id)| id.map(|id| row.model.clone().with_id(id))).collect())
    }
}

fn one<'a>(row: &Create<'a>, wanted: &OrganisationCreates) -> Statement<'a> {
    let Create { organisation, model, actor, position: _ } = *row;
    let description = model.description.as_ref().map(Description::as_str);
    Statement::new(
        CREATE_ONE,
        [
            parameter(bytes(organisation)),
            parameter(wanted.places),
            parameter(NEWEST),
            parameter(model.name.as_str().as_bytes()),
            parameter(description.map(str::as_bytes)),
            parameter(model.language.as_str()),
            parameter(model.base_model.as_str()),
            parameter(model.created_at.unix_seconds()),
            parameter(status_number(TrainingState::default().status())),
            parameter(actor.as_str().as_bytes()),
        ],
    )
}
