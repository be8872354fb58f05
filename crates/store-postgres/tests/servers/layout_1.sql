-- The first layout, as it was released, with an organisation whose first two events are purged.
CREATE SCHEMA custom_models;
CREATE TABLE custom_models.migrations (
    version bigint NOT NULL PRIMARY KEY,
    mark text NOT NULL
);
INSERT INTO custom_models.migrations VALUES (1, 'custom-models');
CREATE TABLE custom_models.organisations (
    organisation bytea NOT NULL PRIMARY KEY,
    models bigint NOT NULL CHECK (models >= 0),
    events bigint NOT NULL CHECK (events >= 0),
    writes bigint NOT NULL
);
CREATE SEQUENCE custom_models.model_ids CACHE 1;
CREATE TABLE custom_models.models (
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
CREATE INDEX claimable_models ON custom_models.models (claimable_at, id)
    WHERE claimable_at IS NOT NULL;
CREATE TABLE custom_models.data (
    organisation bytea NOT NULL,
    model bigint NOT NULL,
    id bigint NOT NULL CHECK (id > 0),
    record bytea NOT NULL,
    PRIMARY KEY (organisation, model, id)
);
CREATE TABLE custom_models.events (
    organisation bytea NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    model bigint NOT NULL,
    created_at bigint NOT NULL,
    actor bytea NOT NULL,
    event bytea NOT NULL,
    PRIMARY KEY (organisation, position)
);
CREATE INDEX events_in_time ON custom_models.events (created_at);
CREATE TABLE custom_models.answers (
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
CREATE INDEX answers_in_time ON custom_models.answers (at);
CREATE TABLE custom_models.registrations (
    organisation bytea NOT NULL PRIMARY KEY,
    plan bytea NOT NULL
);
CREATE TABLE custom_models.keys (
    id bytea NOT NULL PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,
    organisation bytea NOT NULL,
    scopes text NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    revoked_at bigint
);
CREATE INDEX keys_of_organisation ON custom_models.keys (organisation, id);
CREATE TABLE custom_models.windows (
    key bytea NOT NULL,
    operation text NOT NULL,
    writes bigint NOT NULL,
    PRIMARY KEY (key, operation)
);
CREATE TABLE custom_models.admissions (
    key bytea NOT NULL,
    operation text NOT NULL,
    at bigint NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (key, operation, at, number)
);
SELECT setval('custom_models.model_ids', 7);
INSERT INTO custom_models.organisations VALUES ('acme', 1, 4, 9), ('empty', 0, 2, 5), ('whole', 0, 1, 2);
INSERT INTO custom_models.models VALUES ('acme', 3, 4, 0, 'old', NULL, 'nl', 'general', 1, NULL, NULL,
    1700000000, 1700000009);
INSERT INTO custom_models.events VALUES
    ('acme', 3, 3, 1700000008, 'somebody', '{"type":"updated"}'),
    ('acme', 4, 3, 1700000009, 'somebody', '{"type":"updated"}'),
    ('whole', 1, 7, 1700000009, 'somebody', '{"type":"deleted"}');
INSERT INTO custom_models.registrations VALUES ('acme', 'Gold');
