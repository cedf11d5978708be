"""README.md of an export: filled from the run, read by YAML and Markdown parsers, silent on what is not known."""

import platform
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from markdown_it import MarkdownIt

import unitools as ut
from unitools.export.manifest import check_manifest

STATED = {
    "data": "flower_photos (CC BY 2.0), 3670 pictures.\n\n# Not a heading",
    "scores": {"accuracy | val": 0.93125, "loss": 1},
    "intended_use": "To tell five flowers apart.",
    "limits": "<b>Pictures</b> by night.",
    "licence": "Apache-2.0",
    "authors": ["A. Person", "B_ _Person"],
}


def model():
    keras.utils.set_random_seed(0)
    frozen = keras.layers.Dense(4, name="frozen", trainable=False)
    layers = [keras.Input((6,), name="features"), frozen, keras.layers.Dense(2, "softmax")]
    return keras.Sequential(layers, name="two_kinds")


def export(path, **options):
    examples = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    options = {"examples": examples, "labels": ["no", "y*e*s"]} | options
    report = ut.export.saved_model(model(), path, "arrays", fresh_process=False, **options)
    return report, (path / "README.md").read_text(encoding="utf-8")


def front_matter(text):
    """Return what a hub reads: YAML between two lines of three dashes, the first at the very beginning."""
    return yaml.safe_load(re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)[1])


def sections(text):
    """Return {heading: rendered text}, and tables as lists of rows."""
    body = text.split("\n---\n", 1)[1]
    found, title, is_title = {}, None, False
    for token in MarkdownIt("commonmark").enable("table").parse(body):
        if token.type == "heading_open":
            is_title = True
        elif token.type == "tr_open":
            found[title].append([])
        elif token.type == "inline":
            content = "".join(child.content for child in token.children)
            if is_title:
                title, is_title = content, False
                found[title] = []
            elif token.level > 3:  # in a row
                found[title][-1].append(content)
            else:
                found[title].append(content)
    return found


def test_what_the_author_states(tmp_path):
    _, text = export(tmp_path / "1", card=ut.export.ModelCard("Flowers: a *test*", **STATED))
    found = sections(text)
    assert next(iter(found)) == "Flowers: a *test*"
    assert found["Data"] == ["flower_photos (CC BY 2.0), 3670 pictures.", "# Not a heading"]
    assert found["Scores"] == [["Score", "Value"], ["accuracy | val", "0.93125"], ["loss", "1"]]
    assert found["Intended use"] == ["To tell five flowers apart."]
    assert found["Limits"] == ["<b>Pictures</b> by night."]
    assert (found["Licence"], found["Authors"]) == (["Apache-2.0"], ["A. Person", "B_ _Person"])
    assert "<b>" not in MarkdownIt("commonmark").render(text)


def test_what_the_run_tells(tmp_path):
    path = tmp_path / "1"
    report, text = export(path)
    found = sections(text)
    assert next(iter(found)) == "two_kinds"
    rows = [["input", "features", "float32", "(batch, 6)"], ["output", "label", "string", "(batch,)"]]
    rows += [["output", "probabilities", "float32", "(batch, 2)"], ["output", "score", "float32", "(batch,)"]]
    expected = [[name, *row] for name in ("serving_default", "serving_arrays") for row in rows]
    assert found["Inputs and outputs"][1:] == expected
    assert found["Labels"] == ["2, in the order of the outputs, one a line in assets/labels.txt: no, y*e*s."]
    said = found["Verification"][0]
    assert "on 5 examples given by the author, in the process that wrote it, within rtol 0.0001 and atol 1e-05" in said
    assert found["Verification"][2:] == [[name, f"{value:.2g}"] for name, value in report.differences.items()]
    size = sum(size for name, size in check_manifest(path).items() if name != "README.md")
    assert found["Size"] == [f"38 parameters, of which 10 are trainable; files of {size:,} bytes."]
    versions = [["unitools", ut.__version__], ["keras", keras.__version__], ["tensorflow", tf.__version__]]
    assert found["Versions"][1:] == [*versions, ["python", platform.python_version()]]


def test_what_is_not_given_is_not_invented(tmp_path):
    for card in (None, ut.export.ModelCard()):
        _, text = export(tmp_path / "1", examples=None, labels=None, card=card, overwrite=True)
        found = sections(text)
        for title in ("Labels", "Intended use", "Data", "Limits", "Licence", "Authors", "Scores"):
            assert found[title] == ["Not stated."]
        assert "examples made of noise" in found["Verification"][0]
        assert "license" not in front_matter(text)


def test_the_first_examples_are_told_where_they_are_written(tmp_path):
    told = "The first of the examples are in"
    assert told in export(tmp_path / "1")[1]
    assert told not in export(tmp_path / "2", warm_up=0)[1]
    assert told not in export(tmp_path / "3", examples=None)[1]


@pytest.mark.parametrize(
    ("licence", "read"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("mit", {"license": "mit"}),
        ("Our Own: terms #3", {"license": "other", "license_name": "our-own-terms-3"}),
        ("自由", {"license": "other"}),
    ],
)
def test_a_hub_reads_the_front_matter(tmp_path, licence, read):
    name = 'a: "b" {c} # ü\u2028\x85 \x07'
    _, text = export(tmp_path / "1", card=ut.export.ModelCard(name, licence=licence))
    data = front_matter(text)
    assert {key: value for key, value in data.items() if key.startswith("license")} == read
    assert data["model_name"] == 'a: "b" {c} # ü \ufffd'
    assert (data["library_name"], data["tags"]) == ("unitools", ["tensorflow", "keras", "saved_model"])


def test_many_labels_are_cut_short(tmp_path):
    layers = [keras.Input((2,)), keras.layers.Dense(150, "softmax")]
    labels = [f"kind {number}" for number in range(150)]
    path = tmp_path / "1"
    ut.export.saved_model(keras.Sequential(layers), path, "arrays", labels=labels, fresh_process=False)
    said = sections((path / "README.md").read_text())["Labels"][0]
    assert re.search(r"^150, .* kind 0, .* kind 99, and 50 more\.$", said)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": ""}, "`data` must be a text"),
        ({"limits": ["night"]}, "`limits` must be a text"),
        ({"scores": {"accuracy": float("nan")}}, r"`scores\['accuracy'\]` must be a number"),
        ({"scores": {"accuracy": "93 %"}}, r"`scores\['accuracy'\]` must be a number"),
        ({"scores": [0.9]}, "`scores` must be numbers by name"),
        ({"scores": {" ": 0.9}}, "`scores` must be a text"),
        ({"authors": "A. Person"}, "`authors` must be a list"),
        ({"authors": [None]}, "`authors` must be a text"),
    ],
)
def test_bad_cards(options, message):
    with pytest.raises(ValueError, match=message):
        ut.export.ModelCard(**options)


def test_a_card_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="`card` must be a ModelCard or None"):
        export(tmp_path / "1", card={"data": "x"})
    assert list(tmp_path.iterdir()) == []
