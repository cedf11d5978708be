"""README.md of an export: front matter for model hubs, then what the run tells, then what its author stated."""

import platform
import re
from pathlib import Path

import keras

from unitools.core.version import VERSION
from unitools.export.contract import LABELS, read_contract, read_labels
from unitools.export.markdown import inline, paragraphs, plain, table, yaml_text
from unitools.export.model_card import ModelCard
from unitools.export.verification_report import VerificationReport
from unitools.export.warm_up_requests import RECORDS

CARD = "README.md"
_NOT_STATED = "Not stated."
_MOST_LABELS = 100
# Identifiers that the hub of Hugging Face and SPDX share but for case; any other licence is "other" with a name.
_IDENTIFIERS = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 cc-by-2.0 cc-by-2.5
cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0
cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 ecl-2.0 epl-1.0 epl-2.0 eupl-1.1
eupl-1.2 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 mit mpl-2.0 ms-pl ncsa ofl-1.1 osl-3.0 pddl unlicense wtfpl zlib
"""
_LICENCES = frozenset(_IDENTIFIERS.split())


def write_card(folder: Path, card: ModelCard | None, model: keras.Model, report: VerificationReport) -> None:
    """Write README.md into an export that holds all other files but the manifest.

    Args:
        folder: An export with signature.json.
        card: What its author states, or None.
        model: The model it was written from.
        report: The report of its verification.
    """
    card = card or ModelCard()
    contract = read_contract(folder)
    kind = contract.get("format", "saved_model")
    stated = {"Intended use": card.intended_use, "Data": card.data, "Limits": card.limits, "Licence": card.licence}
    sections = {
        "Inputs and outputs": _signatures(contract),
        "Labels": _labels(read_labels(folder, contract)),
        "Verification": _verification(folder, report),
        "Size": _size(folder, model),
        "Versions": _versions(contract),
        "Scores": _scores(card.scores),
        **{title: _NOT_STATED if text is None else paragraphs(text) for title, text in stated.items()},
        "Authors": "\n".join(f"- {inline(author)}" for author in card.authors) or _NOT_STATED,
    }
    name = card.name or model.name
    parts = [_front_matter(name, kind, card.licence), f"# {inline(name)}", _introduction(kind)]
    parts += [f"## {title}\n\n{text}" for title, text in sections.items()]
    (folder / CARD).write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _front_matter(name, kind, licence):
    tags = dict.fromkeys(("tensorflow", "keras", kind))  # none twice
    lines = ["library_name: unitools", f"model_name: {yaml_text(name)}", f"tags: [{', '.join(tags)}]"]
    if licence is not None:
        identifier = plain(licence).lower()
        lines.append(f"license: {yaml_text(identifier if identifier in _LICENCES else 'other')}")
        if identifier not in _LICENCES and (short := re.sub(r"[^a-z0-9.]+", "-", identifier).strip("-")):
            lines.append(f"license_name: {yaml_text(short)}")
    return "\n".join(["---", *lines, "---"])


def _introduction(kind):
    return (
        f"A model in the format `{kind}`, written by `unitools.export` and compared with its Keras model before it "
        'appeared. `unitools.export.load("PATH")` checks and opens it.'
    )


def _signatures(contract):
    rows = [
        [f"`{signature}`", side, f"`{name}`", tensor["dtype"], _shape(tensor["shape"])]
        for signature, sides in contract["signatures"].items()
        for side, tensors in (("input", sides["inputs"]), ("output", sides["outputs"]))
        for name, tensor in tensors.items()
    ]
    return table(["Signature", "", "Name", "Dtype", "Shape"], rows)


def _shape(shape):
    sides = ["any" if side is None else str(side) for side in shape]
    if shape and shape[0] is None:
        sides[0] = "batch"
    return f"({', '.join(sides)}{',' if len(sides) == 1 else ''})"


def _labels(labels):
    if labels is None:
        return _NOT_STATED
    shown = ", ".join(inline(label) or "(empty)" for label in labels[:_MOST_LABELS])
    more = f", and {len(labels) - _MOST_LABELS} more" if len(labels) > _MOST_LABELS else ""
    return f"{len(labels)}, in the order of the outputs, one a line in `{LABELS}`: {shown}{more}."


def _verification(folder, report):
    examples = "made of noise" if report.made_examples else "given by the author"
    where = "in a fresh process" if report.fresh_process else "in the process that wrote it"
    text = (
        f"Answers equal `predict` of the Keras model on {report.num_examples} examples {examples}, {where}, within "
        f"rtol {report.rtol:g} and atol {report.atol:g}."
    )
    if not report.made_examples and (folder / RECORDS).exists():
        text += f" The first of the examples are in `{RECORDS}`."
    rows = [[f"`{name}`", f"{difference:.2g}"] for name, difference in report.differences.items()]
    return f"{text}\n\n" + table(["Signature", "Largest absolute difference"], rows)


def _size(folder, model):
    trainable = sum(variable.shape.num_elements() for variable in (w.value for w in model.trainable_variables))
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{model.count_params():,} parameters, of which {trainable:,} are trainable; files of {files:,} bytes."


def _versions(contract):
    versions = {"unitools": VERSION, "keras": contract["keras"], "tensorflow": contract["tensorflow"]}
    versions["python"] = platform.python_version()
    return table(["Package", "Version"], [[name, inline(str(version))] for name, version in versions.items()])


def _scores(scores):
    if not scores:
        return _NOT_STATED
    return table(["Score", "Value"], [[inline(name), f"{score:.6g}"] for name, score in scores.items()])
