//! The statements that write rows. Each takes one array per column, so it writes any number of
//! rows.

use std::collections::{BTreeMap, BTreeSet};

use custom_models_core::access::Window;
use custom_models_core::field::Description;
use custom_models_core::model::{DataId, DataPair, NewEvent};
use custom_models_core::store::{
    Admission, Counters, IdempotencyRecord, IdempotencyScope, StoreError,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use crate::connection::statement::{Statement, parameter};
use crate::error::serialize_error;
use crate::rows::columns::{bytes, signed, status_number};
use crate::rows::idempotency::target_number;

const ADD_MODELS: &str = "INSERT INTO custom_models.models (organisation, id, revision, beats, name,
        description, training_status, course, claimable_at, updated_at, language, base_model,
        created_at)
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[],
        $6::bytea[], $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[], $11::text[], $12::text[],
        $13::bigint[])";

/// Updates models. The columns fixed at the creation of a model stay.
const UPDATE_MODELS: &str =
    "UPDATE custom_models.models m SET revision = c.revision, beats = c.beats,
        name = c.name, description = c.description, training_status = c.training_status,
        course = c.course, claimable_at = c.claimable_at, updated_at = c.updated_at
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[],
        $6::bytea[], $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[])
        AS c (organisation, id, revision, beats, name, description, training_status, course,
            claimable_at, updated_at)
    WHERE m.organisation = c.organisation AND m.id = c.id";

pub(crate) const DELETE_MODELS: &str = "DELETE FROM custom_models.models m
    USING unnest($1::bytea[], $2::bigint[]) AS gone (organisation, id)
    WHERE m.organisation = gone.organisation AND m.id = gone.id";

pub(crate) const DELETE_DATA: &str = "DELETE FROM custom_models.data d
    USING unnest($1::bytea[], $2::bigint[]) AS gone (organisation, id)
    WHERE d.organisation = gone.organisation AND d.model = gone.id";

const REMOVE_DATA: &str = "DELETE FROM custom_models.data d
    USING unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS gone (organisation, model, id)
    WHERE d.organisation = gone.organisation AND d.model = gone.model AND d.id = gone.id";

const ADD_DATA: &str = "INSERT INTO custom_models.data (organisation, model, id, record)
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bytea[])
    ON CONFLICT (organisation, model, id) DO UPDATE SET record = excluded.record";

const ADD_EVENTS: &str =
    "INSERT INTO custom_models.events (organisation, position, model, created_at,
        actor, event)
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[],
        $6::bytea[])";

const KEEP_ANSWERS: &str =
    "INSERT INTO custom_models.answers (organisation, operation, target, key,
        request, at, status, revision, body)
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bytea[], $5::bytea[],
        $6::bigint[], $7::bigint[], $8::bigint[], $9::bytea[])
    ON CONFLICT (organisation, operation, target, key) DO UPDATE SET request = excluded.request,
        at = excluded.at, status = excluded.status, revision = excluded.revision,
        body = excluded.body";

const FORGET_ADMISSIONS: &str = "DELETE FROM custom_models.admissions a
    USING unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[]) AS w (key, operation, until, most),
        LATERAL (SELECT o.at, o.number FROM custom_models.admissions o
            WHERE o.key = w.key AND o.operation = w.operation AND o.at <= w.until
            ORDER BY o.at, o.number LIMIT w.most) old
    WHERE a.key = w.key AND a.operation = w.operation AND a.at = old.at AND a.number = old.number";

const ADD_ADMISSIONS: &str = "INSERT INTO custom_models.admissions (key, operation, at, number)
    SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[])";

const COUNT: &str = "UPDATE custom_models.organisations o SET models = c.models, events = c.events
    FROM unnest($1::bytea[], $2::bigint[], $3::bigint[]) AS c (organisation, models, events)
    WHERE o.organisation = c.organisation";

/// The changes to the admissions of a window.
pub(crate) struct WindowChanges {
    /// The time up to which admissions have left the window.
    pub(crate) until: UnixMillis,
    /// The most of those to be deleted.
    pub(crate) most: i64,
    /// New admissions.
    pub(crate) new: Vec<Admission>,
}

/// No changes.
impl Default for WindowChanges {
    fn default() -> Self {
        WindowChanges { until: UnixMillis::from_unix_millis(i64::MIN), most: 0, new: Vec::new() }
    }
}

type Models = BTreeMap<(Organisation, ModelId), CustomModel>;
type Data = BTreeMap<(Organisation, ModelId, DataId), Option<DataPair>>;

pub(crate) fn insert_models(models: &Models) -> Result<Statement<'_>, StoreError> {
    let mut statement = changeable(ADD_MODELS, models)?;
    let of =
        |value: fn(&CustomModel) -> &'static str| models.values().map(value).collect::<Vec<_>>();
    statement.push(of(|model| model.language.as_str()));
    statement.push(of(|model| model.base_model.as_str()));
    let created: Vec<i64> = models.values().map(|it| it.created_at.unix_seconds()).collect();
    statement.push(created);
    Ok(statement)
}

pub(crate) fn update_models(models: &Models) -> Result<Statement<'_>, StoreError> {
    changeable(UPDATE_MODELS, models)
}

/// A statement with the columns that an update may change.
fn changeable<'a>(sql: &'static str, models: &'a Models) -> Result<Statement<'a>, StoreError> {
    let numbers = |value: fn(&CustomModel) -> i64| models.values().map(value).collect::<Vec<_>>();
    let trainings = models.values().map(|model| model.training.to_record());
    let trainings: Vec<Option<Vec<u8>>> = trainings
        .map(|training| {
            training.map(|training| training.map(String::into_bytes)).map_err(serialize_error)
        })
        .collect::<Result<_, _>>()?;
    let text = |model: &'a CustomModel| model.description.as_ref().map(Description::as_str);
    let descriptions = models.values().map(|model| text(model).map(str::as_bytes));
    let claimable =
        models.values().map(|model| model.training.claimable_at().map(UnixMillis::unix_millis));
    Ok(Statement::new(
        sql,
        [
            parameter(models.keys().map(|(of, _)| bytes(of)).collect::<Vec<_>>()),
            parameter(numbers(|model| model.id.into())),
            parameter(numbers(|model| signed(model.version.revision.get()))),
            parameter(numbers(|model| model.version.heartbeats.into())),
            parameter(models.values().map(|it| it.name.as_str().as_bytes()).collect::<Vec<_>>()),
            parameter(descriptions.collect::<Vec<_>>()),
            parameter(numbers(|model| status_number(model.training_status()))),
            parameter(trainings),
            parameter(claimable.collect::<Vec<_>>()),
            parameter(numbers(|model| model.updated_at.unix_seconds())),
        ],
    ))
}

pub(crate) fn delete_by_model<'a>(
    sql: &'static str,
    models: &'a BTreeSet<(Organisation, ModelId)>,
) -> Statement<'a> {
    let of: Vec<&[u8]> = models.iter().map(|(of, _)| bytes(of)).collect();
    let ids: Vec<i64> = models.iter().map(|(_, id)| (*id).into()).collect();
    Statement::new(sql, [parameter(of), parameter(ids)])
}

pub(crate) fn delete_pairs(data: &Data) -> Statement<'_> {
    pairs(REMOVE_DATA, data, Option::is_none)
}

pub(crate) fn insert_pairs(data: &Data) -> Result<Statement<'_>, StoreError> {
    let mut statement = pairs(ADD_DATA, data, Option::is_some);
    let records =
        data.values().flatten().map(|pair| serde_json::to_vec(pair).map_err(serialize_error));
    statement.push(records.collect::<Result<Vec<_>, _>>()?);
    Ok(statement)
}

fn pairs<'a>(
    sql: &'static str,
    data: &'a Data,
    is_meant: fn(&Option<DataPair>) -> bool,
) -> Statement<'a> {
    let meant = || data.iter().filter(|(_, pair)| is_meant(pair)).map(|(key, _)| key);
    let of: Vec<&[u8]> = meant().map(|(of, ..)| bytes(of)).collect();
    let models: Vec<i64> = meant().map(|(_, model, _)| (*model).into()).collect();
    let ids: Vec<i64> = meant().map(|(.., id)| id.get().into()).collect();
    Statement::new(sql, [parameter(of), parameter(models), parameter(ids)])
}

pub(crate) fn insert_events(
    events: &[(Organisation, u64, ModelId, NewEvent)],
) -> Result<Statement<'_>, StoreError> {
    let records = events.iter().map(|(.., event)| serde_json::to_vec(&event.event_type));
    let records: Vec<Vec<u8>> = records.collect::<Result<_, _>>().map_err(serialize_error)?;
    let times = events.iter().map(|(.., event)| event.created_at.unix_seconds());
    let actors = events.iter().map(|(.., event)| event.actor.as_str().as_bytes());
    Ok(Statement::new(
        ADD_EVENTS,
        [
            parameter(events.iter().map(|(of, ..)| bytes(of)).collect::<Vec<_>>()),
            parameter(events.iter().map(|(_, at, ..)| signed(*at)).collect::<Vec<_>>()),
            parameter(events.iter().map(|(_, _, id, _)| i64::from(*id)).collect::<Vec<_>>()),
            parameter(times.collect::<Vec<_>>()),
            parameter(actors.collect::<Vec<_>>()),
            parameter(records),
        ],
    ))
}

pub(crate) fn put_answers(
    answers: &BTreeMap<(Organisation, IdempotencyScope), IdempotencyRecord>,
) -> Statement<'_> {
    let numbers =
        |value: fn(&IdempotencyRecord) -> i64| answers.values().map(value).collect::<Vec<_>>();
    let keys = || answers.keys().map(|(_, key)| key);
    let requests = answers.values().map(|kept| kept.request.as_bytes().as_slice());
    Statement::new(
        KEEP_ANSWERS,
        [
            parameter(answers.keys().map(|(of, _)| bytes(of)).collect::<Vec<_>>()),
            parameter(keys().map(|key| key.operation.as_str()).collect::<Vec<_>>()),
            parameter(keys().map(|key| target_number(key.target)).collect::<Vec<_>>()),
            parameter(keys().map(|key| key.key.as_str().as_bytes()).collect::<Vec<_>>()),
            parameter(requests.collect::<Vec<_>>()),
            parameter(numbers(|kept| kept.at.unix_millis())),
            parameter(numbers(|kept| kept.status.into())),
            parameter(numbers(|kept| signed(kept.revision.get()))),
            parameter(answers.values().map(|kept| kept.body.as_bytes()).collect::<Vec<_>>()),
        ],
    )
}

pub(crate) fn delete_admissions(windows: &BTreeMap<Window, WindowChanges>) -> Statement<'_> {
    let keys: Vec<&[u8]> = windows.keys().map(|window| window.key.as_bytes()).collect();
    let operations: Vec<&str> = windows.keys().map(|window| window.operation.as_str()).collect();
    let until: Vec<i64> = windows.values().map(|it| it.until.unix_millis()).collect();
    let most: Vec<i64> = windows.values().map(|it| it.most).collect();
    let parameters = [parameter(keys), parameter(operations), parameter(until), parameter(most)];
    Statement::new(FORGET_ADMISSIONS, parameters)
}

pub(crate) fn insert_admissions(windows: &BTreeMap<Window, WindowChanges>) -> Statement<'_> {
    let each = || windows.iter().flat_map(|(of, it)| it.new.iter().map(move |new| (of, new)));
    let keys: Vec<&[u8]> = each().map(|(window, _)| window.key.as_bytes()).collect();
    let operations: Vec<&str> = each().map(|(window, _)| window.operation.as_str()).collect();
    let times: Vec<i64> = each().map(|(_, new)| new.at.unix_millis()).collect();
    let numbers: Vec<i64> = each().map(|(_, new)| signed(new.number)).collect();
    Statement::new(
        ADD_ADMISSIONS,
        [parameter(keys), parameter(operations), parameter(times), parameter(numbers)],
    )
}

pub(crate) fn update_counters(counters: &BTreeMap<Organisation, Counters>) -> Statement<'_> {
    let of: Vec<&[u8]> = counters.keys().map(bytes).collect();
    let models: Vec<i64> = counters.values().map(|it| signed(it.models)).collect();
    let events: Vec<i64> = counters.values().map(|it| signed(it.events)).collect();
    Statement::new(COUNT, [parameter(of), parameter(models), parameter(events)])
}
