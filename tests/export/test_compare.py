"""The comparison turns red on each kind of difference, and only then."""

import numpy as np
import pytest
import tensorflow as tf

from unitools.export.compare import compare
from unitools.export.verification_error import VerificationError

EXPECTED = {
    "probabilities": np.array([[0.9, 0.1], [0.50001, 0.49999]], "float32"),
    "label": np.array([b"a", b"a"], object),
    "score": np.array([0.9, 0.50001], "float32"),
}


def differing(**changed):
    return {key: tf.constant(value) for key, value in (EXPECTED | changed).items()}


def test_equal_answers_pass_and_the_difference_is_theirs():
    shifted = EXPECTED["probabilities"] + np.float32(2e-6)
    assert compare("s", differing(probabilities=shifted), EXPECTED, 1e-4, 1e-5) == pytest.approx(2e-6, rel=0.1)


def test_fewer_examples_are_compared_with_the_first():
    answers = {key: value[:1] for key, value in differing().items()}
    assert compare("s", answers, EXPECTED, 1e-4, 1e-5) == 0


def test_either_label_is_right_in_a_tie_only():
    compare("s", differing(label=[b"a", b"b"]), EXPECTED, 1e-4, 1e-5)
    with pytest.raises(VerificationError, match="`label`"):
        compare("s", differing(label=[b"b", b"a"]), EXPECTED, 1e-4, 1e-5)


@pytest.mark.parametrize(
    "changed",
    [
        {"score": np.array([0.9, 0.51], "float32")},
        {"score": np.array([0.9, np.nan], "float32")},
        {"score": np.array([0.9, 0.50001], "float64")},
        {"score": np.array([[0.9], [0.50001]], "float32")},
        {"more": np.zeros(2)},
    ],
)
def test_differences_are_errors(changed):
    with pytest.raises(VerificationError):
        compare("s", differing(**changed), EXPECTED, 1e-4, 1e-5)
