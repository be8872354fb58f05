"""The endpoints of custom models as a Python team would write them: FastAPI, pydantic and SQLite.

One process, one connection, one commit a create: WAL with synchronous=FULL, so that what is answered
survives a power cut. The handlers are `async def` and call SQLite themselves: with one writer, a pool
of threads makes it slower. Run by uvicorn with one worker; the path of the database and the key come
from the environment.
"""

import hashlib
import os
import sqlite3
from datetime import datetime, timezone
from enum import Enum

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator

LANGUAGES = frozenset(
    "en nl fr de es it pt pl cs da fi el hu no ro sk sv ar he tr fa zh ja ko hi th id vi ru uk ms ta te".split()
)

database = sqlite3.connect(os.environ["DATABASE"], isolation_level=None, check_same_thread=False)
database.executescript(
    """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE organisations (
        name TEXT PRIMARY KEY, plan TEXT NOT NULL, model_limit INTEGER, models INTEGER NOT NULL
    );
    CREATE TABLE keys (
        digest BLOB PRIMARY KEY, organisation TEXT NOT NULL, scopes TEXT NOT NULL, revoked INTEGER NOT NULL
    );
    CREATE TABLE models (
        id INTEGER PRIMARY KEY AUTOINCREMENT, organisation TEXT NOT NULL, name TEXT NOT NULL,
        description TEXT, language TEXT NOT NULL, base_model TEXT NOT NULL,
        training_status INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
    );
    CREATE INDEX models_of_organisation ON models (organisation);
    """
)
database.execute("INSERT INTO organisations VALUES ('acme', 'Enterprise', NULL, 0)")
database.execute(
    "INSERT INTO keys VALUES (?, 'acme', 'custom_models:write custom_models:read', 0)",
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


app = FastAPI()


@app.exception_handler(Refused)
async def refused(_: Request, refusal: Refused) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status)


@app.exception_handler(RequestValidationError)
async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    details = {str(fault["loc"][-1]): fault["msg"] for fault in error.errors()}
    body = {"error": "Validation Error", "message": "Invalid field values", "details": details}
    return JSONResponse(body, 400)


def organisation_with(scope: str):
    async def organisation(request: Request) -> str:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        digest = hashlib.sha256(key.encode()).digest()
        row = database.execute(
            "SELECT organisation, scopes FROM keys WHERE digest = ? AND NOT revoked", (digest,)
        ).fetchone()
        if scheme.lower() != "bearer" or row is None:
            raise Refused(401, {"error": "Unauthorized", "message": "Invalid or missing API key"})
        if scope not in row[1].split():
            raise Refused(403, {"error": "Forbidden", "message": "The key lacks the scope"})
        return row[0]

    return organisation


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


@app.post("/api/v3/custom_models")
async def create(
    model: CreateModel, organisation: str = Depends(organisation_with("custom_models:write"))
) -> JSONResponse:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    database.execute("BEGIN IMMEDIATE")
    try:
        plan, limit, models = database.execute(
            "SELECT plan, model_limit, models FROM organisations WHERE name = ?", (organisation,)
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
        database.execute("UPDATE organisations SET models = models + 1 WHERE name = ?", (organisation,))
        fields = (model.name, model.description, model.language, model.base_model.value, 1, now, now)
        model_id = database.execute(
            "INSERT INTO models (organisation, name, description, language, base_model, training_status,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (organisation, *fields),
        ).lastrowid
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    return JSONResponse(shown((model_id, *fields)), 201)


@app.get("/api/v3/custom_models/{model_id}")
async def get(
    model_id: int, organisation: str = Depends(organisation_with("custom_models:read"))
) -> JSONResponse:
    row = database.execute(
        "SELECT id, name, description, language, base_model, training_status, created_at, updated_at"
        " FROM models WHERE id = ? AND organisation = ?",
        (model_id, organisation),
    ).fetchone()
    if row is None:
        body = {"error": "Not Found", "message": "Custom model not found", "error_code": "MODEL_NOT_FOUND"}
        raise Refused(404, body)
    return JSONResponse(shown(row))


@app.get("/api/v3/custom_models")
async def count(organisation: str = Depends(organisation_with("custom_models:read"))) -> JSONResponse:
    row = database.execute("SELECT models FROM organisations WHERE name = ?", (organisation,)).fetchone()
    return JSONResponse({"count": 0, "total_results": row[0], "result": []})
