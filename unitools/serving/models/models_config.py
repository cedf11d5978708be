"""TensorFlow Serving's models.config: the same file names the models here and in production."""

from pathlib import Path

from unitools.core.checks import fail
from unitools.core.optional import require
from unitools.serving.models.served_model import ServedModel


def read_models_config(file: Path) -> list[ServedModel]:
    """Return the models that a `model_config_list` in text form names; a relative base_path starts at the file.

    Raises:
        ValueError: The file is not of that form, or holds no model.
        ImportError: The extra `serve` is missing.
    """
    protos = require("tensorflow_serving.config.model_server_config_pb2", "serve", "A models.config")
    from google.protobuf import text_format

    try:
        config = text_format.Parse(Path(file).read_text(encoding="utf-8"), protos.ModelServerConfig())
    except text_format.ParseError as error:
        fail("models_config", f"{file}: {error}", "a model_config_list in text form")
    models = [_model(one, Path(file).parent) for one in config.model_config_list.config]
    if not models:
        fail("models_config", str(file), "a model_config_list with at least one config")
    if len({model.name for model in models}) != len(models):
        fail("models_config", [model.name for model in models], "of distinct names")
    return models


def _model(config, beside):
    if not config.name or not config.base_path:
        fail("models_config", str(config), "a name and a base_path for every model")
    policy = config.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    newest = 0 if kind == "all" else policy.latest.num_versions or 1
    versions = tuple(policy.specific.versions) if kind == "specific" else ()
    return ServedModel(config.name, beside / config.base_path, versions, newest, dict(config.version_labels))
