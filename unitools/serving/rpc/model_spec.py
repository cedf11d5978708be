"""Which model a message means."""

from unitools.serving.request_error import RequestError


def model_of(spec):
    """Return (name, version, label) of a ModelSpec."""
    if not spec.name:
        raise RequestError(400, "`model_spec.name` must be given.")
    kind = spec.WhichOneof("version_choice")
    version = spec.version.value if kind == "version" else None
    if version is not None and version < 0:
        raise RequestError(400, f"`model_spec.version` must be >= 0. Received {version}.")
    return spec.name, version, spec.version_label if kind == "version_label" else None
