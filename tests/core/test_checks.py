import math

import pytest

from unitools.core.checks import check_choice, check_flag, check_integer, check_number, check_span


@pytest.mark.parametrize("value", [True, "1", None, math.nan, math.inf, -0.1, 1.1])
def test_number_refuses(value):
    with pytest.raises(ValueError, match="`rate` must be .*Received rate="):
        check_number("rate", value, 0, 1)


def test_number_bounds():
    assert check_number("rate", 1, 0, 1) == 1.0
    assert isinstance(check_number("rate", 1, 0, 1), float)
    with pytest.raises(ValueError, match=r"\[0, 1\).*rate=1\. Turn it off"):
        check_number("rate", 1, 0, 1, open_high=True, advice="Turn it off.")
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        check_number("rate", 0, 0, 1, open_low=True)


@pytest.mark.parametrize("value", [True, 1.0, "1", 0, 6])
def test_integer_refuses(value):
    with pytest.raises(ValueError, match="`units` must be an integer from 1 to 5"):
        check_integer("units", value, 1, 5)


def test_flag_and_choice():
    assert check_flag("shuffle", False) is False
    assert check_choice("mode", "a", ("a", "b")) == "a"
    with pytest.raises(ValueError, match="`shuffle` must be True or False. Received shuffle=1"):
        check_flag("shuffle", 1)
    with pytest.raises(ValueError, match="one of 'a', 'b'. Received mode='c'"):
        check_choice("mode", "c", ("a", "b"))


def test_span_from_pair_and_number():
    assert check_span("zoom", [0.5, 2], 0) == (0.5, 2.0)
    assert check_span("zoom", 0.25, 0, around=1) == (0.75, 1.25)


@pytest.mark.parametrize("value", [(2, 1), (1,), (-1, 1), "ab", 3, None])
def test_span_refuses(value):
    with pytest.raises(ValueError, match="`zoom` must be a pair .*Received zoom="):
        check_span("zoom", value, 0)
