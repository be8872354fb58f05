//! The layout of the database, and the migrations from earlier ones.
//!
//! All tables are in a schema of their own. Texts of callers are stored as bytes: PostgreSQL's
//! `text` cannot hold U+0000, and its order and encoding depend on the settings of the database.
//! Primary keys begin with the organisation, so that a distributed database can keep the rows of
//! one organisation together. Ids come from one sequence without a cache.

pub(crate) mod ids;
pub(crate) mod migrate;

/// The number of the newest layout, and of the last step.
pub(crate) const NEWEST: i64 = 4;

/// The first layout with an identity, and with the positions up to which histories were purged.
pub(crate) const WITH_IDENTITY: i64 = 2;

/// The first layout with a lineage.
pub(crate) const WITH_LINEAGE: i64 = 3;

/// The placeholder in a step for the hexadecimal digits of a new identity.
pub(crate) const IDENTITY: &str = "{identity}";

/// The steps from nothing to the current layout. `migrations` has a row for each applied one. A
/// released step never changes. Each step can be repeated after it was applied in part, since not
/// all servers have transactional DDL.
pub(crate) const MIGRATIONS: [(i64, &str); 4] = [(1, FIRST), (2, SECOND), (3, THIRD), (4, FOURTH)];

const FIRST: &str =
    // INVARIANT: `organisations.models` is the number of the organisation's rows in `models`. The
    // positions of its rows in `events` are consecutive and end at `organisations.events`. A
    // transaction that changes anything of an organisation updates its row, and `writes` counts
    // these updates. `windows` is locked in the same way for `admissions`, whose `number`
    // distinguishes those of one millisecond. `claimable_at` equals that of `course`, which is
    // NULL in a new model.
    "CREATE TABLE IF NOT EXISTS custom_models.organisations (
        organisation bytea NOT NULL PRIMARY KEY,
        models bigint NOT NULL CHECK (models >= 0),
        events bigint NOT NULL CHECK (events >= 0),
        writes bigint NOT NULL
    );
    CREATE SEQUENCE IF NOT EXISTS custom_models.model_ids CACHE 1;
    CREATE TABLE IF NOT EXISTS custom_models.models (
        organisation bytea NOT NULL,
        id bigint NOT NULL CHECK (id BETWEEN 1 AND 9007199254740991),
        revision bigint NOT NULL CHECK (revision > 0),
        beats bigint NOT NULL CHECK (beats >= 0),
        name bytea NOT NULL,
        description bytea,
        language text NOT NULL,
        base_model text NOT NULL,
        training_status bigint NOT NULL,
        course bytea,
        claimable_at bigint,
        created_at bigint NOT NULL,
        updated_at bigint NOT NULL,
        PRIMARY KEY (organisation, id)
    );
    CREATE INDEX IF NOT EXISTS claimable_models ON custom_models.models (claimable_at, id)
        WHERE claimable_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS custom_models.data (
        organisation bytea NOT NULL,
        model bigint NOT NULL,
        id bigint NOT NULL CHECK (id > 0),
        record bytea NOT NULL,
        PRIMARY KEY (organisation, model, id)
    );
    CREATE TABLE IF NOT EXISTS custom_models.events (
        organisation bytea NOT NULL,
        position bigint NOT NULL CHECK (position > 0),
        model bigint NOT NULL,
        created_at bigint NOT NULL,
        actor bytea NOT NULL,
        event bytea NOT NULL,
        PRIMARY KEY (organisation, position)
    );
    CREATE INDEX IF NOT EXISTS events_in_time ON custom_models.events (created_at);
    CREATE TABLE IF NOT EXISTS custom_models.answers (
        organisation bytea NOT NULL,
        operation text NOT NULL,
        target bigint NOT NULL,
        key bytea NOT NULL,
        request bytea NOT NULL,
        at bigint NOT NULL,
        status bigint NOT NULL,
        revision bigint NOT NULL CHECK (revision > 0),
        body bytea NOT NULL,
        PRIMARY KEY (organisation, operation, target, key)
    );
    CREATE INDEX IF NOT EXISTS answers_in_time ON custom_models.answers (at);
    CREATE TABLE IF NOT EXISTS custom_models.registrations (
        organisation bytea NOT NULL PRIMARY KEY,
        plan bytea NOT NULL
    );
    CREATE TABLE IF NOT EXISTS custom_models.keys (
        id bytea NOT NULL PRIMARY KEY,
        digest bytea NOT NULL UNIQUE,
        organisation bytea NOT NULL,
        scopes text NOT NULL,
        created_at bigint NOT NULL,
        expires_at bigint,
        revoked_at bigint
    );
    CREATE INDEX IF NOT EXISTS keys_of_organisation ON custom_models.keys (organisation, id);
    CREATE TABLE IF NOT EXISTS custom_models.windows (
        key bytea NOT NULL,
        operation text NOT NULL,
        writes bigint NOT NULL,
        PRIMARY KEY (key, operation)
    );
    CREATE TABLE IF NOT EXISTS custom_models.admissions (
        key bytea NOT NULL,
        operation text NOT NULL,
        at bigint NOT NULL,
        number bigint NOT NULL,
        PRIMARY KEY (key, operation, at, number)
    )";

// INVARIANT: `store` has one row. `erased_events` is the number of events of all erased histories.
// `organisations.purged` is the position of the last purged event, so the stored events begin after
// it.
const SECOND: &str = "CREATE TABLE IF NOT EXISTS custom_models.store (
        number bigint NOT NULL PRIMARY KEY CHECK (number = 1),
        identity bytea NOT NULL CHECK (octet_length(identity) = 16),
        erased_events bigint NOT NULL CHECK (erased_events >= 0)
    );
    INSERT INTO custom_models.store (number, identity, erased_events)
    VALUES (1, decode('{identity}', 'hex'), 0) ON CONFLICT (number) DO NOTHING;
    ALTER TABLE custom_models.organisations ADD COLUMN IF NOT EXISTS
        purged bigint NOT NULL DEFAULT 0 CHECK (purged >= 0);
    UPDATE custom_models.organisations o SET purged = coalesce((SELECT min(position)
        FROM custom_models.events e WHERE e.organisation = o.organisation) - 1, o.events)
    WHERE o.events > 0 AND NOT EXISTS (SELECT 1 FROM custom_models.events e
        WHERE e.organisation = o.organisation AND e.position = 1)";

const THIRD: &str = "ALTER TABLE custom_models.store ADD COLUMN IF NOT EXISTS lineage bigint";

// INVARIANT: the admissions of a window have consecutive numbers, in the order of their times. In
// earlier layouts numbers distinguished admissions of one millisecond. Two updates, since the
// server checks the key of each row at once.
const FOURTH: &str = "UPDATE custom_models.admissions a SET number = -n.dense
    FROM (SELECT key, operation, at, number, row_number() OVER (
            PARTITION BY key, operation ORDER BY at, number) AS dense
        FROM custom_models.admissions) n
    WHERE a.key = n.key AND a.operation = n.operation AND a.at = n.at AND a.number = n.number;
    UPDATE custom_models.admissions SET number = -number WHERE number < 0";
