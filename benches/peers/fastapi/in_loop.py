"""Custom models in FastAPI's event loop: nothing changes hands between threads, and whatever a caller's commit
waits for, every other caller waits for too.

Against the documentation's advice, and faster where a sync takes little time.
"""

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from models import MODELS, Caller, CreateModel, caller_of, create_model, get_model, new_app

app = new_app()


def caller_with(scope: str):
    async def caller(request: Request) -> Caller:
        return caller_of(request, scope)

    return caller


@app.post(MODELS)
async def create(
    model: CreateModel, caller: Caller = Depends(caller_with("custom_models:write"))
) -> JSONResponse:
    return JSONResponse(create_model(model, caller), 201)


@app.get(MODELS + "/{model_id}")
async def get(model_id: int, caller: Caller = Depends(caller_with("custom_models:read"))) -> JSONResponse:
    return JSONResponse(get_model(model_id, caller))
