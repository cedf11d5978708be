import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.metrics import confusion_matrix as oracle

import unitools as ut

LABELS = np.random.default_rng(0).integers(0, 4, 60)
PREDICTIONS = np.random.default_rng(1).integers(0, 4, 60)
NAMES = ["a", "b", "c", "d"]


def shown(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def numbers(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("normalize", [False, True])
def test_cells_are_scikit_learns(normalize):
    expected = oracle(LABELS, PREDICTIONS, normalize="true" if normalize else None)
    figure = ut.plots.confusion_matrix(LABELS, PREDICTIONS, NAMES, normalize=normalize)
    np.testing.assert_allclose(shown(figure), expected)
    assert numbers(figure) == [f"{value:.2f}" if normalize else str(value) for value in expected.ravel()]


def test_rows_are_true_classes_and_names_are_literal(tmp_path):
    figure = ut.plots.confusion_matrix([0, 0], [1, 1], ["$5", "a_b$^"])
    assert shown(figure).tolist() == [[0, 2], [0, 0]]
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("predicted", "true")
    figure.savefig(tmp_path / "matrix.png")  # a name read as mathematics would raise here
    assert (tmp_path / "matrix.png").read_bytes().startswith(b"\x89PNG")


def test_a_class_without_examples_has_shares_of_zero():
    assert shown(ut.plots.confusion_matrix([0], [0], ["a", "b"], normalize=True)).tolist() == [[1, 0], [0, 0]]


def test_no_pyplot_figure_is_left_open():
    before = pyplot.get_fignums()
    ut.plots.confusion_matrix(LABELS, PREDICTIONS, NAMES)
    assert pyplot.get_fignums() == before


def test_many_classes_have_no_numbers():
    assert numbers(ut.plots.confusion_matrix([0], [30], [str(number) for number in range(31)])) == []


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([0, 1], [0], "predictions"),
        ([0, 2], [0, 0], "labels=2"),
        ([0, 0], [0, -1], "predictions=-1"),
        ([[0, 1]], [0], "labels"),
        ([0.5], [0], "argmax"),
    ],
)
def test_bad_values_are_named(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        ut.plots.confusion_matrix(labels, predictions, ["a", "b"])
