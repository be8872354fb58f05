//! The layout of the file, and the migrations from earlier ones.
//!
//! Models are stored by id, so that a group of creates fills a few pages at the end of one tree.
//! Clustered by organisation, each create would touch pages of its own. An index serves the pages
//! of a list. The counters of an organisation and the last id are rows that a group reads and
//! writes once.
//!
//! Events and answers are appended too, and found through an index: events by organisation and
//! position, answers by a hash of their key. Data is clustered by model, since it is written pair
//! by pair and read as a whole.

/// The application id in SQLite's header that marks a file as ours: `CMDL`.
pub(crate) const APPLICATION_ID: i32 = 0x434D_444C;

/// The steps from an empty file to the current layout. `user_version` counts the applied ones. A
/// released step never changes.
pub(crate) const MIGRATIONS: [&str; 7] = [
    // INVARIANT: `organisations.models` is the number of the organisation's rows in `models`.
    // `sequence.last_id` is at least every id that was ever acknowledged.
    "CREATE TABLE organisations (
        organisation TEXT NOT NULL PRIMARY KEY,
        models INTEGER NOT NULL CHECK (models >= 0)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE models (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
        organisation TEXT NOT NULL,
        revision INTEGER NOT NULL CHECK (revision > 0),
        name TEXT NOT NULL,
        description TEXT,
        language TEXT NOT NULL,
        base_model TEXT NOT NULL,
        training_status INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX models_of_organisation ON models (organisation);
    CREATE TABLE sequence (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        last_id INTEGER NOT NULL CHECK (last_id >= 0)
    ) STRICT;
    INSERT INTO sequence (only, last_id) VALUES (1, 0);",
    // `organisations` has a row for every organisation with models, registered or not.
    // Registrations are a table of their own. `admissions.number` distinguishes admissions of one
    // millisecond.
    "CREATE TABLE registrations (
        organisation TEXT NOT NULL PRIMARY KEY,
        plan TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE keys (
        id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 6),
        digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
        organisation TEXT NOT NULL REFERENCES registrations (organisation),
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER
    ) STRICT;
    CREATE INDEX keys_of_organisation ON keys (organisation, id);
    CREATE TABLE admissions (
        key BLOB NOT NULL,
        operation TEXT NOT NULL,
        at INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (key, operation, at, number)
    ) STRICT, WITHOUT ROWID;",
    // INVARIANT: `claimable_at` equals that of `course`. The positions of an organisation's rows
    // in `events` are consecutive and end at `organisations.events`. `course` is NULL in
    // a new model.
    "ALTER TABLE models ADD COLUMN beats INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE models ADD COLUMN course TEXT;
    ALTER TABLE models ADD COLUMN claimable_at INTEGER;
    CREATE INDEX claimable_models ON models (claimable_at) WHERE claimable_at IS NOT NULL;
    ALTER TABLE organisations ADD COLUMN events INTEGER NOT NULL DEFAULT 0 CHECK (events >= 0);
    CREATE TABLE events (
        organisation TEXT NOT NULL,
        position INTEGER NOT NULL CHECK (position > 0),
        model INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        event TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_of_organisation ON events (organisation, position);
    CREATE TABLE data (
        organisation TEXT NOT NULL,
        model INTEGER NOT NULL,
        id INTEGER NOT NULL CHECK (id > 0),
        record TEXT NOT NULL,
        PRIMARY KEY (organisation, model, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE answers (
        number INTEGER NOT NULL PRIMARY KEY,
        hash INTEGER NOT NULL,
        organisation TEXT NOT NULL,
        operation TEXT NOT NULL,
        target INTEGER,
        key TEXT NOT NULL,
        request BLOB NOT NULL CHECK (length(request) = 32),
        at INTEGER NOT NULL,
        status INTEGER NOT NULL,
        revision INTEGER NOT NULL CHECK (revision > 0),
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX answers_of_hash ON answers (hash);
    CREATE INDEX answers_in_time ON answers (at);",
    // INVARIANT: `organisations.purged` is the position up to which events were purged, so the
    // first stored event has the next one. `store.erased_events` is the sum of
    // `organisations.events` over all erased rows. The identity is drawn here (PLACE-2). A checksum
    // covers the other columns of its row; older rows have none.
    "CREATE TABLE store (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        identity BLOB NOT NULL CHECK (length(identity) = 16),
        erased_events INTEGER NOT NULL CHECK (erased_events >= 0)
    ) STRICT;
    INSERT INTO store (only, identity, erased_events) VALUES (1, randomblob(16), 0);
    ALTER TABLE organisations ADD COLUMN purged INTEGER NOT NULL DEFAULT 0
        CHECK (purged BETWEEN 0 AND events);
    UPDATE organisations SET purged = max(0, min(events, coalesce(
        (SELECT min(position) - 1 FROM events
            WHERE events.organisation = organisations.organisation),
        events)));
    ALTER TABLE registrations ADD COLUMN checksum INTEGER;
    ALTER TABLE keys ADD COLUMN checksum INTEGER;
    ALTER TABLE models ADD COLUMN checksum INTEGER;
    ALTER TABLE data ADD COLUMN checksum INTEGER;
    ALTER TABLE events ADD COLUMN checksum INTEGER;
    ALTER TABLE answers ADD COLUMN checksum INTEGER;",
    "ALTER TABLE store ADD COLUMN lineage INTEGER;",
    // INVARIANT: the admissions of a window have consecutive numbers, in the order of their times.
    // In earlier layouts numbers distinguished admissions of one millisecond.
    "ALTER TABLE admissions RENAME TO admissions_before;
    CREATE TABLE admissions (
        key BLOB NOT NULL CHECK (length(key) BETWEEN 1 AND 64),
        operation TEXT NOT NULL,
        at INTEGER NOT NULL,
        number INTEGER NOT NULL CHECK (number > 0),
        PRIMARY KEY (key, operation, at, number)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO admissions (key, operation, at, number) SELECT key, operation, at,
        row_number() OVER (PARTITION BY key, operation ORDER BY at, number) FROM admissions_before;
    DROP TABLE admissions_before;",
    // INVARIANT: `windows` has the newest admissions of every window. A row of either table has up
    // to eight: the number and the time of the last one, and the times of those before it (8 bytes
    // each, big-endian). So an admission changes one page of a small table.
    "ALTER TABLE admissions RENAME TO admissions_before;
    CREATE TABLE windows (
        key BLOB NOT NULL CHECK (length(key) BETWEEN 1 AND 64),
        operation TEXT NOT NULL,
        at INTEGER NOT NULL,
        number INTEGER NOT NULL CHECK (number > 0),
        earlier BLOB NOT NULL,
        PRIMARY KEY (key, operation)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE admissions (
        key BLOB NOT NULL CHECK (length(key) BETWEEN 1 AND 64),
        operation TEXT NOT NULL,
        at INTEGER NOT NULL,
        number INTEGER NOT NULL CHECK (number > 0),
        earlier BLOB NOT NULL,
        PRIMARY KEY (key, operation, at, number)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO admissions (key, operation, at, number, earlier)
        SELECT key, operation, max(at), max(number),
            unhex(substr(group_concat(printf('%016x', at), '' ORDER BY number), 1, 16 * count(*) - 16))
        FROM admissions_before GROUP BY key, operation, number / 8;
    INSERT INTO windows (key, operation, at, number, earlier)
        SELECT key, operation, at, max(number), earlier FROM admissions GROUP BY key, operation;
    DELETE FROM admissions WHERE (key, operation, number) IN
        (SELECT key, operation, number FROM windows);
    DROP TABLE admissions_before;",
];
