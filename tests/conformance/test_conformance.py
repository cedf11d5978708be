"""Every registered component keeps every promise that its kind makes."""

import dataclasses
import importlib

import pytest

import unitools
from tests.conformance.specimens import all_specimens
from unitools.core import registered_components
from unitools.testing.check_component import choose_checks, verdict
from unitools.testing.checks.saving import survives_a_fresh_process
from unitools.testing.fresh_process import reload_failures

SPECIMENS = all_specimens()
BATCHED = survives_a_fresh_process.__name__  # a process of its own for each specimen would take 6 s each
CASES = [(specimen, check) for specimen in SPECIMENS for check in choose_checks(specimen)]


def _cases(batched):
    chosen = [(specimen, check) for specimen, check in CASES if (check.name == BATCHED) == batched]
    return [pytest.param(specimen, check, id=f"{specimen.label}-{check.name}") for specimen, check in chosen]


@pytest.fixture(scope="module")
def reloads():
    return dict(zip(map(id, SPECIMENS), reload_failures(SPECIMENS), strict=True))


@pytest.mark.parametrize(("specimen", "check"), _cases(batched=False))
def test_promise(specimen, check):
    reason = verdict(check, specimen)
    assert reason is None, f"{specimen.label}: {check.name}: {reason}"


@pytest.mark.parametrize(("specimen", "check"), _cases(batched=True))
def test_fresh_process(specimen, check, reloads):
    def compare(specimen):
        assert reloads[id(specimen)] is None, reloads[id(specimen)]

    reason = verdict(dataclasses.replace(check, function=compare), specimen)
    assert reason is None, f"{specimen.label}: {reason}"


def test_every_registered_class_has_a_specimen():
    for folder in unitools.__all__:
        if folder != "__version__":
            importlib.import_module(f"unitools.{folder}")
    missing = set(registered_components().values()) - {specimen.cls for specimen in SPECIMENS}
    names = sorted(f"{cls.__module__}.{cls.__name__}" for cls in missing)
    assert not names, f"no specimen in tests/conformance/specimens/ for {', '.join(names)}"
