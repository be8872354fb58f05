//! The layout and the statements, as the peer in Python has them.

/// Creates the layout.
pub const LAYOUT: &str = "
    CREATE TABLE organisations (
        name TEXT PRIMARY KEY, plan TEXT NOT NULL, model_limit INTEGER, models INTEGER NOT NULL,
        events INTEGER NOT NULL
    );
    CREATE TABLE keys (
        digest BLOB PRIMARY KEY, id TEXT NOT NULL, organisation TEXT NOT NULL, scopes TEXT NOT NULL,
        revoked INTEGER NOT NULL
    );
    CREATE TABLE models (
        id INTEGER PRIMARY KEY AUTOINCREMENT, organisation TEXT NOT NULL, name TEXT NOT NULL,
        description TEXT, language TEXT NOT NULL, base_model TEXT NOT NULL,
        training_status INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
    );
    CREATE INDEX models_of_organisation ON models (organisation);
    CREATE TABLE events (
        organisation TEXT NOT NULL, position INTEGER NOT NULL, model_id INTEGER NOT NULL,
        created_at TEXT NOT NULL, actor TEXT NOT NULL, event TEXT NOT NULL
    );
    CREATE UNIQUE INDEX events_of_organisation ON events (organisation, position);
    INSERT INTO organisations VALUES ('acme', 'Enterprise', NULL, 0, 0);
";

/// Adds a key by its digest.
pub const ADD_KEY: &str =
    "INSERT INTO keys VALUES (?, 'key_1', 'acme', 'custom_models:write custom_models:read', 0)";

/// Finds a key by its digest: its id, its organisation, its scopes.
pub const FIND_KEY: &str =
    "SELECT id, organisation, scopes FROM keys WHERE digest = ? AND NOT revoked";

/// Reads what the quota of an organisation is judged by: its plan, the limit, its models, its events.
pub const READ_QUOTA: &str =
    "SELECT plan, model_limit, models, events FROM organisations WHERE name = ?";

/// Adds a model.
pub const ADD_MODEL: &str = "INSERT INTO models (organisation, name, description, language, base_model, \
    training_status, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/// Adds an event.
pub const ADD_EVENT: &str = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)";

/// The event of a creation.
pub const MODEL_CREATED: &str = r#"{"type":"model.created"}"#;

/// Counts a model and its event.
pub const COUNT_MODEL: &str =
    "UPDATE organisations SET models = models + 1, events = events + 1 WHERE name = ?";

/// Reads a model of an organisation.
pub const READ_MODEL: &str = "SELECT id, name, description, language, base_model, training_status, created_at, \
    updated_at FROM models WHERE id = ? AND organisation = ?";
