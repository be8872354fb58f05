"""A client made by openapi-python-client: every module of it is imported, and a model is created."""

import importlib
import pkgutil

import generated
from generated import AuthenticatedClient
from generated.api.models import create_custom_model, get_custom_model
from generated.models import (
    CreateModel,
    CreateModelBaseModel,
    CreateModelLanguage,
    CustomModel,
    Refusal,
)

for module in pkgutil.walk_packages(generated.__path__, "generated."):
    importlib.import_module(module.name)

client = AuthenticatedClient(base_url="https://api.scriptix.io", token="YOUR_API_KEY")
body = CreateModel(
    name="Medical Cardiology EN",
    language=CreateModelLanguage.EN,
    base_model=CreateModelBaseModel.MEDICAL,
)
model = create_custom_model.sync(client=client, body=body)
assert isinstance(model, CustomModel), model
print(model.id, model.model_key, int(model.training_status))
print(get_custom_model.sync(model.id, client=client).name)

refused = create_custom_model.sync_detailed(client=client, body=CreateModel(name="", language=CreateModelLanguage.EN))
assert isinstance(refused.parsed, Refusal), refused
print(int(refused.status_code), refused.parsed.message)
