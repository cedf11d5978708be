"""Verified exports, served: over REST and gRPC, and in process."""

from unitools.serving.batching import Batching
from unitools.serving.client.client import Client
from unitools.serving.client.serving_error import ServingError
from unitools.serving.limits import Limits
from unitools.serving.models.answer import Answer
from unitools.serving.models.model_store import ModelStore
from unitools.serving.models.predictor import Predictor
from unitools.serving.models.served_model import ServedModel
from unitools.serving.request_error import RequestError
from unitools.serving.security import Security
from unitools.serving.serve import serve
from unitools.serving.server import Server
from unitools.serving.server_settings import ServerSettings

__all__ = [
    "Answer",
    "Batching",
    "Client",
    "Limits",
    "ModelStore",
    "Predictor",
    "RequestError",
    "Security",
    "ServedModel",
    "Server",
    "ServerSettings",
    "ServingError",
    "serve",
]
