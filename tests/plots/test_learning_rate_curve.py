import numpy as np
import pytest
from matplotlib import pyplot

import unitools as ut

RATES, LOSSES, SMOOTHED = [1e-4, 1e-3, 1e-2], [2.0, 1.0, 3.0], [2.0, 1.5, 2.2]


def test_lines_hold_what_was_given():
    axes = ut.plots.learning_rate_curve(RATES, LOSSES, smoothed=SMOOTHED, suggestion=1e-3).axes[0]
    raw, smooth, mark = axes.lines
    np.testing.assert_array_equal(raw.get_xydata(), np.column_stack([RATES, LOSSES]))
    np.testing.assert_array_equal(smooth.get_xydata(), np.column_stack([RATES, SMOOTHED]))
    assert list(mark.get_xdata()) == [1e-3, 1e-3]
    assert (axes.get_xscale(), axes.get_xlabel(), axes.get_ylabel()) == ("log", "learning rate", "loss")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "smoothed", "suggestion 0.001"]


def test_what_is_not_given_is_not_drawn():
    assert len(ut.plots.learning_rate_curve(RATES, LOSSES).axes[0].lines) == 1


def test_no_pyplot_figure_is_left_open(tmp_path):
    before = pyplot.get_fignums()
    ut.plots.learning_rate_curve(RATES, LOSSES, suggestion=1e-3).savefig(tmp_path / "curve.svg")
    assert pyplot.get_fignums() == before and b"<svg" in (tmp_path / "curve.svg").read_bytes()


@pytest.mark.parametrize(
    ("rates", "losses", "options", "message"),
    [
        ([], [], {}, "rates"),
        ([0.1, 0.1], [1, 1], {}, "rising"),
        ([0.0, 0.1], [1, 1], {}, "rising"),
        ([0.1, 0.2], [1], {}, r"losses=\(1,\)"),
        ([0.1, 0.2], [1, 1], {"smoothed": [1]}, r"smoothed=\(1,\)"),
        ([0.1, 0.2], [1, 1], {"suggestion": 0}, "suggestion=0"),
    ],
)
def test_bad_values_are_named(rates, losses, options, message):
    with pytest.raises(ValueError, match=message):
        ut.plots.learning_rate_curve(rates, losses, **options)
