import io
import sys

import keras
import numpy as np
import pytest
from rich.console import Console

import unitools as ut
from unitools.cli.over_rest import ask_over_rest


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "export" / "1"
    model = keras.Sequential([keras.Input((2,), name="features"), keras.layers.Dense(1, kernel_initializer="ones")])
    ut.export.saved_model(model, path, "arrays", output_name="sums", fresh_process=False)
    return path


def asked(export, expected):
    printed = io.StringIO()
    console = Console(file=printed, width=200)
    answers = ask_over_rest(export, {"features": [[1.0, 2.0]]}, {"sums": np.array([[expected]])}, console)
    return answers, printed.getvalue()


def test_the_answer_is_compared(export):
    answers, text = asked(export, 3.0)
    assert answers["sums"].tolist() == [[3.0]]
    assert "/v1/models/export:predict: 1 examples in" in text
    with pytest.raises(ut.export.VerificationError, match="`sums` over REST"):
        asked(export, 3.1)


@pytest.mark.parametrize("package", ["uvicorn", "fastapi", "orjson", "prometheus_client"])
def test_without_the_extra_the_step_is_left_out(export, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    answers, text = asked(export, 3.0)
    assert answers is None
    assert "Not served." in text
    assert "pip install 'unitools[serve]'" in text
