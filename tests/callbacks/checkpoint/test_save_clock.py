"""Whatever writing takes, no kill costs more than `every` steps."""

import random

import pytest

from unitools.callbacks.checkpoint.save_clock import SaveClock


def trained(every, stride, writing):
    """Return the most steps that were ever at risk, and how often training waited.

    Args:
        writing: Function that returns the steps until the next checkpoint is on the disk.
    """
    clock, on_disk, pending, waits, risk = SaveClock(every), 0, None, 0, 0
    for step in range(stride, 2000, stride):
        risk = max(risk, step - on_disk)
        if pending is not None and step >= pending[1]:
            on_disk, pending = pending[0], None
        clock.advance(stride, pending is not None)
        if clock.is_due(stride):
            if pending is not None:
                on_disk, waits = pending[0], waits + 1
            pending = step, step + writing()
            clock.begin()
        if clock.must_wait(stride):
            on_disk, pending, waits = (pending or (step,))[0], None, waits + 1
            clock.written()
    return risk, waits


@pytest.mark.parametrize("every", [1, 2, 3, 10, 50])
@pytest.mark.parametrize("stride", [1, 4])
@pytest.mark.parametrize("slowest", [0, 3, 30, 200])
def test_steps_at_risk(every, stride, slowest):
    """A disk of changing speed. Several steps a call cannot be cut."""
    random_ = random.Random(every)
    assert trained(every, stride, lambda: random_.randint(0, slowest))[0] <= max(every, stride)


@pytest.mark.parametrize("steps", [0, 1, 7, 20])
def test_a_disk_that_keeps_up_is_not_waited_for(steps):
    assert trained(50, 1, lambda: steps) == (50, 0)
