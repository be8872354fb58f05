//! A group of nothing but creates, which is what callers wait for most: one statement, in one round trip,
//! and a transaction of its own without commands around it, which would cost as much as it does.
//!
//! The statement counts for each organisation what it creates if that is within the limit, and writes
//! models and events of those that it has counted. Whoever is left over is judged as all others are.
//!
//! It makes nothing at an isolation level for which it was not thought. How long it waits for locks is
//! said to its connection; a time-out of statements, which an operator may have set, ends before the commit
//! begins to wait for a disk or a second server.

use std::collections::BTreeMap;

use custom_models_core::{
    Change, Course, CustomModel, Description, ModelId, NewEvent, NewModel, Organisation, Write,
};
use custom_models_group_commit::Job;
use tokio_postgres::Row;

use crate::fault::Fault;
use crate::group::unwritable;
use crate::rows::{bytes, column, model_id, signed, status_number};
use crate::schema::NEWEST;
use crate::statement::{Statement, parameter};

const CREATE: &str = "WITH wanted AS (
        SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[])
            AS w (organisation, creates, events, places)
    ), counted AS (
        INSERT INTO custom_models.organisations AS o (organisation, models, events, writes)
        SELECT organisation, creates, events, 1 FROM wanted
        WHERE creates <= places AND $5 >= (SELECT max(version) FROM custom_models.migrations)
            AND (SELECT current_setting('transaction_isolation')) IN ('read committed', 'serializable')
        ORDER BY organisation
        ON CONFLICT (organisation) DO UPDATE SET models = o.models + excluded.models,
            events = o.events + excluded.events, writes = o.writes + 1
        WHERE o.models + excluded.models
            <= ($4::bigint[])[array_position($1::bytea[], o.organisation)]
        RETURNING organisation, events
    ), numbered AS (
        SELECT r.*, nextval('custom_models.model_ids') AS id FROM (
            SELECT m.*, counted.events - m.behind AS position
            FROM unnest($6::bytea[], $7::bigint[], $8::bytea[], $9::bytea[], $10::text[],
                $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bytea[],
                $16::bytea[])
                AS m (organisation, number, name, description, language, base_model, created_at,
                    behind, happened_at, actor, event)
            JOIN counted ON counted.organisation = m.organisation
            ORDER BY m.number
        ) r
    ), added AS (
        INSERT INTO custom_models.models (organisation, id, revision, beats, name, description,
            language, base_model, training_status, created_at, updated_at)
        SELECT organisation, id, 1, 0, name, description, language, base_model, $17, created_at,
            created_at FROM numbered
    ), logged AS (
        INSERT INTO custom_models.events (organisation, position, model, created_at, actor, event)
        SELECT organisation, position, id, happened_at, actor, event FROM numbered
        WHERE event IS NOT NULL
    )
    SELECT number, id FROM numbered";

/// The same for a create that is alone, which is planned and made sooner.
const CREATE_ONE: &str = "WITH counted AS (
        INSERT INTO custom_models.organisations AS o (organisation, models, events, writes)
        SELECT $1::bytea, 1, $2::bigint, 1
        WHERE $3::bigint > 0 AND $4 >= (SELECT max(version) FROM custom_models.migrations)
            AND current_setting('transaction_isolation') IN ('read committed', 'serializable')
        ON CONFLICT (organisation) DO UPDATE SET models = o.models + 1,
            events = o.events + excluded.events, writes = o.writes + 1
        WHERE o.models < $3
        RETURNING organisation, events
    ), added AS (
        INSERT INTO custom_models.models (organisation, id, revision, beats, name, description,
            language, base_model, created_at, updated_at, training_status)
        SELECT organisation, nextval('custom_models.model_ids'), 1, 0, $5::bytea, $6::bytea,
            $7::text, $8::text, $9::bigint, $9, $13::bigint FROM counted
        RETURNING id
    ), logged AS (
        INSERT INTO custom_models.events (organisation, position, model, created_at, actor, event)
        SELECT counted.organisation, counted.events, added.id, $10::bigint, $11::bytea, $12::bytea
        FROM counted, added WHERE $12 IS NOT NULL
    )
    SELECT 0::bigint AS number, id FROM added";

/// The creates of a group.
pub(crate) struct Creates<'a> {
    rows: Vec<Create<'a>>,
    wanted: BTreeMap<&'a Organisation, Wanted>,
}

struct Create<'a> {
    organisation: &'a Organisation,
    model: &'a NewModel,
    event: Option<&'a NewEvent>,
    /// How many events of its organisation were before it in the group, it included.
    position: i64,
}

/// What an organisation wants in all.
struct Wanted {
    creates: i64,
    events: i64,
    /// The lowest of the limits: within it every create is made.
    places: i64,
}

impl<'a> Creates<'a> {
    /// The creates, if the group is nothing else, and none has an answer that was perhaps kept.
    pub(crate) fn of(jobs: &[&'a Job]) -> Option<Self> {
        let mut creates = Creates { rows: Vec::with_capacity(jobs.len()), wanted: BTreeMap::new() };
        for job in jobs {
            let Job::Model(write) = job else { return None };
            let Write { organisation, change, event, answer: None } = write else { return None };
            let Change::Create { model, limit } = change else { return None };
            let wanted = creates.wanted.entry(organisation).or_insert(Wanted {
                creates: 0,
                events: 0,
                places: i64::MAX,
            });
            wanted.creates += 1;
            wanted.events += i64::from(event.is_some());
            wanted.places = wanted.places.min(limit.map_or(i64::MAX, signed));
            let (event, position) = (event.as_ref(), wanted.events);
            creates.rows.push(Create { organisation, model, event, position });
        }
        Some(creates)
    }

    pub(crate) fn statement(&self) -> Result<Statement<'a>, Fault> {
        if let ([row], Some(wanted)) = (self.rows.as_slice(), self.wanted.values().next()) {
            return one(row, wanted);
        }
        let wanted =
            |value: fn(&Wanted) -> i64| self.wanted.values().map(value).collect::<Vec<_>>();
        let of: Vec<&[u8]> = self.wanted.keys().map(|it| bytes(it)).collect();
        let mut statement = Statement::new(
            CREATE,
            [
                parameter(of),
                parameter(wanted(|it| it.creates)),
                parameter(wanted(|it| it.events)),
                parameter(wanted(|it| it.places)),
                parameter(NEWEST),
            ],
        );
        self.push_models(&mut statement);
        self.push_events(&mut statement)?;
        statement.push(status_number(Course::default().status()));
        Ok(statement)
    }

    fn push_models(&self, statement: &mut Statement<'a>) {
        let text = |model: &'a NewModel| model.description.as_ref().map(Description::as_str);
        let models = || self.rows.iter().map(|row| row.model);
        statement.push(self.rows.iter().map(|it| bytes(it.organisation)).collect::<Vec<_>>());
        statement.push((0..).take(self.rows.len()).collect::<Vec<i64>>());
        statement.push(models().map(|it| it.name.as_str().as_bytes()).collect::<Vec<_>>());
        statement.push(models().map(|it| text(it).map(str::as_bytes)).collect::<Vec<_>>());
        statement.push(models().map(|it| it.language.as_str()).collect::<Vec<_>>());
        statement.push(models().map(|it| it.base_model.as_str()).collect::<Vec<_>>());
        statement.push(models().map(|it| it.created_at.unix_seconds()).collect::<Vec<_>>());
    }

    fn push_events(&self, statement: &mut Statement<'a>) -> Result<(), Fault> {
        let behind = self.rows.iter().map(|row| {
            let all = self.wanted.get(row.organisation).map_or(0, |wanted| wanted.events);
            all - row.position
        });
        let events = || self.rows.iter().map(|row| row.event);
        statement.push(behind.collect::<Vec<i64>>());
        let times = events().map(|event| event.map(|event| event.created_at.unix_seconds()));
        statement.push(times.collect::<Vec<Option<i64>>>());
        let actors = events().map(|event| event.map(|event| event.actor.as_str().as_bytes()));
        statement.push(actors.collect::<Vec<_>>());
        let records = events()
            .map(|event| event.map(|event| serde_json::to_vec(&event.event_type)).transpose());
        statement.push(records.collect::<Result<Vec<_>, _>>().map_err(unwritable)?);
        Ok(())
    }

    /// The models that were created, each at the place of its job; `None` for what is left over.
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

fn one<'a>(row: &Create<'a>, wanted: &Wanted) -> Result<Statement<'a>, Fault> {
    let Create { organisation, model, event, position: _ } = *row;
    let record = event.map(|event| serde_json::to_vec(&event.event_type)).transpose();
    let description = model.description.as_ref().map(Description::as_str);
    Ok(Statement::new(
        CREATE_ONE,
        [
            parameter(bytes(organisation)),
            parameter(wanted.events),
            parameter(wanted.places),
            parameter(NEWEST),
            parameter(model.name.as_str().as_bytes()),
            parameter(description.map(str::as_bytes)),
            parameter(model.language.as_str()),
            parameter(model.base_model.as_str()),
            parameter(model.created_at.unix_seconds()),
            parameter(event.map(|event| event.created_at.unix_seconds())),
            parameter(event.map(|event| event.actor.as_str().as_bytes())),
            parameter(record.map_err(unwritable)?),
            parameter(status_number(Course::default().status())),
        ],
    ))
}
