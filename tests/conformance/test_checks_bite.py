"""A check that cannot turn red proves nothing: each one fails on a broken component and passes on a sound one."""

import pytest

from tests.conformance import broken_layers, broken_others
from tests.conformance.sound_components import SOUND
from unitools.testing import all_checks
from unitools.testing.checks import applicable_checks
from unitools.testing.fresh_process import reload_failures

BROKEN = broken_layers.BROKEN | broken_others.BROKEN
APART = "survives_a_fresh_process"  # run once for all sound components


def test_every_check_has_a_broken_component():
    assert set(BROKEN) == set(all_checks())


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_check_turns_red(name):
    check = all_checks()[name]
    assert check.applies(BROKEN[name])
    assert check.failure(BROKEN[name])


@pytest.mark.parametrize("specimen", SOUND, ids=lambda specimen: specimen.label)
def test_sound_component_is_green(specimen):
    failures = {check.name: check.failure(specimen) for check in applicable_checks(specimen) if check.name != APART}
    assert not {name: reason for name, reason in failures.items() if reason}


def test_sound_components_survive_a_fresh_process():
    assert reload_failures(SOUND) == [None] * len(SOUND)


def test_every_check_passes_on_a_sound_component():
    covered = {check.name for specimen in SOUND for check in applicable_checks(specimen)}
    assert covered == set(all_checks())
