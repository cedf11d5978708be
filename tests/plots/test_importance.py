import pytest

import unitools as ut


def test_bars_are_the_shares_largest_on_top(tmp_path):
    figure = ut.plots.importance({"$a": 0.1, "b_c": 0.6, "d": 0.3}, title="of $5")
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b_c", "d", "$a"]
    assert [bar.get_width() for bar in axes.patches] == [0.6, 0.3, 0.1]
    assert axes.yaxis_inverted()
    figure.savefig(tmp_path / "importance.png")  # a name read as mathematics would raise here
    assert (tmp_path / "importance.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("shares", [{}, [0.5], {"a": -0.1}, {"a": float("nan")}, {"a": "much"}])
def test_what_is_no_share_is_refused(shares):
    with pytest.raises(ValueError, match="`shares` must be"):
        ut.plots.importance(shares)
