"""Verified exports, served: over REST and gRPC, and in process."""

from unitools.serving.batching import Batching
from unitools.serving.models.answer import Answer
from unitools.serving.models.model_store import ModelStore
from unitools.serving.models.predictor import Predictor
from unitools.serving.models.served_model import ServedModel
from unitools.serving.request_error import RequestError

__all__ = ["Answer", "Batching", "ModelStore", "Predictor", "RequestError", "ServedModel"]
