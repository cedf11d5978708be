import numpy as np
import pytest
import tensorflow as tf

from unitools.data.image.operations import movement

STILL = dict.fromkeys(("rotate", "shear_x", "shear_y", "translate_x", "translate_y"), 0.0)
SIZE = (21, 41)  # centre (x, y) = (20, 10)


def source_of(point, **changes):
    """Return where the pixel at a point, relative to the centre, is fetched from."""
    amounts = {name: tf.constant([value], tf.float32) for name, value in (STILL | changes).items()}
    matrix = movement(**amounts, size=SIZE).numpy()[0]
    return matrix @ [point[0] + 20, point[1] + 10, 1] - [20, 10]


def test_nothing_moves_at_zero():
    np.testing.assert_array_equal(source_of((3, 4)), [3, 4])


def test_a_quarter_turn_is_counter_clockwise():
    # y points down: what is seen above the centre comes from the right of it.
    np.testing.assert_allclose(source_of((0, -5), rotate=90.0), [5, 0], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"shear_x": 0.3}, (3 + 0.3 * 4, 4)),
        ({"shear_y": 0.3}, (3, 4 + 0.3 * 3)),
        ({"translate_x": 0.25}, (3 + 0.25 * 41, 4)),
        ({"translate_y": -0.5}, (3, 4 - 0.5 * 21)),
    ],
)
def test_shear_and_shift(change, expected):
    np.testing.assert_allclose(source_of((3, 4), **change), expected, atol=1e-5)
