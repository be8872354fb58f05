"""Custom models as FastAPI's documentation has endpoints that call a library which blocks: plain functions,
which FastAPI runs in threads, so that a commit of one caller holds up no other request.

They share one connection under a lock. With a connection each they wait for the one writer inside SQLite,
which does not let them in by turns.
"""

from threading import Lock

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from models import MODELS, Caller, CreateModel, caller_of, create_model, get_model, new_app

app = new_app()
lock = Lock()


def caller_with(scope: str):
    def caller(request: Request) -> Caller:
        with lock:
            return caller_of(request, scope)

    return caller


@app.post(MODELS)
def create(model: CreateModel, caller: Caller = Depends(caller_with("custom_models:write"))) -> JSONResponse:
    with lock:
        created = create_model(model, caller)
    return JSONResponse(created, 201)


@app.get(MODELS + "/{model_id}")
def get(model_id: int, caller: Caller = Depends(caller_with("custom_models:read"))) -> JSONResponse:
    with lock:
        found = get_model(model_id, caller)
    return JSONResponse(found)
