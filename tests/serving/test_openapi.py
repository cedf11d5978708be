"""The interface that /openapi.json promises, asked at random: no server error, no status that is not promised."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks

from unitools.serving import ModelStore, ServerSettings
from unitools.serving.metrics import Metrics

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
SERVED = {"texts": "3", "pairs": "1", "pictures": "1"}
FEW, MANY = 30, 300  # requests of every operation


@pytest.fixture(scope="module")
def interface(exports):
    from unitools.serving.rest.application import application

    store = ModelStore(exports)
    store.start()
    yield schemathesis.openapi.from_asgi("/openapi.json", application(store, ServerSettings(), Metrics()))
    store.close()


def ask(case):
    """Ask as generated, then of models that are served: an invented name is refused before the body is looked at."""
    case.call_and_validate(checks=CHECKS)
    for model, version in SERVED.items() if "model" in case.path_parameters else ():
        case.path_parameters["model"] = model
        if "version" in case.path_parameters:
            case.path_parameters["version"] = version
        case.call_and_validate(checks=CHECKS)


def ask_all(interface, count):
    """Ask `count` requests of every operation, the same each time; return how many operations there are."""
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(max_examples=count, derandomize=True, deadline=None, database=None, suppress_health_check=quiet)
    operations = [found.ok() for found in interface.get_all_operations()]
    for operation in operations:
        chosen(given(case=operation.as_strategy())(ask))()
    return len(operations)


def test_no_surprise(interface):
    assert ask_all(interface, FEW) >= 20


@pytest.mark.slow
def test_no_surprise_in_many(interface):
    assert ask_all(interface, MANY) >= 20
