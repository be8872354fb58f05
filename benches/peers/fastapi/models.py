"""What every way of serving custom models in Python shares: the layout, the judging, the statements.

One connection, one commit a create: WAL with synchronous=FULL, so that what is answered survives a power
cut. A create checks the quota, and keeps the model and the event of its creation in one transaction. The
path of the database and the key come from the environment.
"""

import hashlib
import os
import sqlite3
from datetime import datetime, timezone
from enum import Enum

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator

MODELS = "/api/v3/custom_models"
LANGUAGES = frozenset(
    "en nl fr de es it pt pl cs da fi el hu no ro sk sv ar he tr fa zh ja ko hi th id vi ru uk ms ta te".split()
)

database = sqlite3.connect(os.environ["DATABASE"], isolation_level=None, check_same_thread=False)
database.executescript(
    """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
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
    """
)
database.execute("INSERT INTO organisations VALUES ('acme', 'Enterprise', NULL, 0, 0)")
database.execute(
    "INSERT INTO keys VALUES (?, 'key_1', 'acme', 'custom_models:write custom_models:read', 0)",
    (hashlib.sha256(os.environ["API_KEY"].encode()).digest(),),
)


class BaseModelName(str, Enum):
    general = "general"
    medical = "medical"
    legal = "legal"
    technical = "technical"


class CreateModel(BaseModel):
    name: str = Field(max_length=200)
    language: str
    base_model: BaseModelName = BaseModelName.general
    description: str | None = Field(default=None, max_length=1000)

    @field_validator("name")
    @classmethod
    def name_is_not_blank(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("Name cannot be empty")
        return name

    @field_validator("language")
    @classmethod
    def language_is_supported(cls, language: str) -> str:
        if language not in LANGUAGES:
            raise ValueError(f"Language '{language}' is not supported")
        return language


class Refused(Exception):
    def __init__(self, status: int, body: dict):
        self.status = status
        self.body = body


def new_app() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(Refused)
    async def refused(_: Request, refusal: Refused) -> JSONResponse:
        return JSONResponse(refusal.body, refusal.status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        details = {str(fault["loc"][-1]): fault["msg"] for fault in error.errors()}
        body = {"error": "Validation Error", "message": "Invalid field values", "details": details}
        return JSONResponse(body, 400)

    return app


class Caller:
    def __init__(self, key: str, organisation: str):
        self.key = key
        self.organisation = organisation


def caller_of(request: Request, scope: str) -> Caller:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    digest = hashlib.sha256(key.encode()).digest()
    row = database.execute(
        "SELECT id, organisation, scopes FROM keys WHERE digest = ? AND NOT revoked", (digest,)
    ).fetchone()
    if scheme.lower() != "bearer" or row is None:
        raise Refused(401, {"error": "Unauthorized", "message": "Invalid or missing API key"})
    if scope not in row[2].split():
        raise Refused(403, {"error": "Forbidden", "message": "The key lacks the scope"})
    return Caller(row[0], row[1])


def shown(row: tuple) -> dict:
    model_id, name, description, language, base_model, status, created_at, updated_at = row
    return {
        "id": model_id,
        "model_key": f"custom_model_{model_id}",
        "name": name,
        "description": description,
        "language": language,
        "base_model": base_model,
        "training_status": status,
        "status_message": "Model created. Upload training data to begin.",
        "created_at": created_at,
        "updated_at": updated_at,
    }


def create_model(model: CreateModel, caller: Caller) -> dict:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    organisation = caller.organisation
    database.execute("BEGIN IMMEDIATE")
    try:
        plan, limit, models, events = database.execute(
            "SELECT plan, model_limit, models, events FROM organisations WHERE name = ?", (organisation,)
        ).fetchone()
        if limit is not None and models >= limit:
            details = {"current_models": models, "plan_limit": limit, "plan": plan}
            body = {
                "error": "Quota Exceeded",
                "message": "Custom model limit reached for your plan",
                "error_code": "MODEL_LIMIT_EXCEEDED",
                "details": details,
            }
            raise Refused(402, body)
        fields = (model.name, model.description, model.language, model.base_model.value, 1, now, now)
        model_id = database.execute(
            "INSERT INTO models (organisation, name, description, language, base_model, training_status,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (organisation, *fields),
        ).lastrowid
        database.execute(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            (organisation, events + 1, model_id, now, caller.key, '{"type":"model.created"}'),
        )
        database.execute(
            "UPDATE organisations SET models = models + 1, events = events + 1 WHERE name = ?",
            (organisation,),
        )
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    return shown((model_id, *fields))


def get_model(model_id: int, caller: Caller) -> dict:
    row = database.execute(
        "SELECT id, name, description, language, base_model, training_status, created_at, updated_at"
        " FROM models WHERE id = ? AND organisation = ?",
        (model_id, caller.organisation),
    ).fetchone()
    if row is None:
        body = {"error": "Not Found", "message": "Custom model not found", "error_code": "MODEL_NOT_FOUND"}
        raise Refused(404, body)
    return shown(row)
