"""The public entry: what it runs, what it reports, and what it refuses."""

import dataclasses

import pytest

from tests.conformance.broken_layers import IgnoresMask, LosesRate
from tests.conformance.sound_components import LAYER, SoundLayer, sequences
from unitools.testing import ConformanceError, all_checks, check_component
from unitools.testing.check_component import verdict

QUICK = ["config_holds_arguments", "padding_changes_nothing"]
ARGUMENTS = {"units": 3, "rate": 0.4, "seed": 5}


def test_sound_class_passes_and_says_what_ran():
    assert sorted(check_component(SoundLayer, ARGUMENTS, inputs=sequences, checks=QUICK)) == sorted(QUICK)


def test_an_object_gives_its_arguments():
    assert check_component(SoundLayer(**ARGUMENTS), inputs=sequences, checks=["arguments_are_complete"])


def test_all_failures_are_listed_at_once():
    class Both(LosesRate, IgnoresMask):
        pass

    with pytest.raises(ConformanceError, match="Both fails 2 of 2 checks") as caught:
        check_component(Both, ARGUMENTS, inputs=sequences, checks=QUICK)
    assert set(caught.value.failures) == set(QUICK)
    assert "`rate` was given as 0.4" in str(caught.value)


def test_exception_must_be_needed():
    check = all_checks()["padding_changes_nothing"]
    excepted = dataclasses.replace(LAYER, exceptions={"padding_changes_nothing": "by design"})
    assert "it holds, although it is excepted (by design)" in verdict(check, excepted)
    assert verdict(check, dataclasses.replace(excepted, cls=IgnoresMask)) is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"checks": ["no_such_check"], "inputs": sequences}, "There is no check 'no_such_check'"),
        ({"exceptions": {"serves_two_fits": "no fit"}, "inputs": sequences}, "no check that applies"),
        ({}, "Received inputs=None"),
    ],
)
def test_wrong_use_is_refused(options, text):
    with pytest.raises(ValueError, match=text):
        check_component(SoundLayer, ARGUMENTS, **options)


def test_checks_see_what_keras_loses():
    """TRAPS 17: Keras' own harness passes on a layer whose argument is lost on both sides."""
    import keras

    with pytest.raises(ConformanceError, match="config lacks `delta`"):
        check_component(
            keras.losses.Huber,
            {"delta": 2.0},
            inputs=lambda: (sequences(), sequences() + 3),
            checks=["config_holds_arguments"],
        )
