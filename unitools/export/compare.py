"""Compare what an export answers with what its model predicts."""

import numpy as np

from unitools.core.checks import fail
from unitools.export.ties import by_class, equal_but_for_ties
from unitools.export.verification_error import VerificationError

_BLANKS = (b"", "", -1, 0)


def compare(signature, answers, expected, rtol, atol):
    """Return the largest absolute difference between float outputs.

    Args:
        signature: Its name, for messages.
        answers: {output name: tensor or array} of the export.
        expected: {output name: array}; where the export was given the first examples only, longer, and padded to the
            longest of all.
        rtol: Relative tolerance.
        atol: Absolute tolerance.

    Raises:
        VerificationError: Names, dtypes, shapes or values differ.
        ValueError: An output called `probabilities` leaves [0, 1].
    """
    if set(answers) != set(expected):
        raise VerificationError(f"Signature {signature} must return {sorted(expected)}. It returned {sorted(answers)}.")
    values = {key: np.asarray(tensor) for key, tensor in answers.items()}
    expected = {key: _first_examples(reference, values[key].shape) for key, reference in expected.items()}
    for key, reference in expected.items():
        _check_kind(signature, key, values[key], reference)
    floats = [key for key, value in values.items() if np.issubdtype(value.dtype, np.floating)]
    largest = max((_difference(values[key], expected[key]) for key in floats), default=0.0)
    for key, reference in expected.items():
        if key in floats:
            equal = np.allclose(values[key], reference, rtol, atol, equal_nan=True)
        elif _names_classes(key, expected):
            scores = by_class(expected["probabilities"])
            equal = equal_but_for_ties(values[key], reference, scores, 2 * (rtol + atol))
        else:
            equal = np.array_equal(values[key], reference)
        if not equal:
            raise VerificationError(
                f"`{key}` of signature {signature} must equal predict within rtol={rtol}, atol={atol}. Numbers differ "
                f"by up to {largest:.3g}. Look for layers that are random or keep state at inference."
            )
    return largest


def _names_classes(key, expected):
    """Return whether an output is of those that labels bring; models of others use these names too."""
    brought = {"label": "score", "labels": "scores"}.get(key) in expected
    return brought and "probabilities" in expected and expected["probabilities"].ndim == 2


def _first_examples(reference, shape):
    """Return the first examples, without what pads them to the longest of the rest."""
    if reference.ndim != len(shape) or not shape:
        return reference
    reference = reference[: shape[0]]
    for axis, size in enumerate(shape[1:], start=1):
        kept, cut = np.split(reference, [min(size, reference.shape[axis])], axis=axis)
        if any(np.all(cut == blank) for blank in _BLANKS):
            reference = kept
    return reference


def _check_kind(signature, key, value, reference):
    if value.dtype != reference.dtype or value.shape != reference.shape:
        raise VerificationError(
            f"`{key}` of signature {signature} must be {reference.dtype} {reference.shape}. "
            f"It is {value.dtype} {value.shape}. Look for layers that fix the batch size."
        )
    if key == "probabilities" and not np.all((value >= 0) & (value <= 1)):
        advice = "End the model with softmax or sigmoid, or give `output_name`."
        fail(key, value.ravel()[:4].tolist(), "in [0, 1]", advice)


def _difference(value, reference):
    return float(np.max(np.abs(value - reference), initial=0.0))
