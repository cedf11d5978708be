"""The last step of a demo: the export is served, and asked over REST."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unitools.export import VerificationError
from unitools.export.verify import TOLERANCES
from unitools.serving import Client, Server

_RTOL, _ATOL = TOLERANCES["float32"]


def ask_over_rest(
    export: Path, inputs: Mapping[str, list], expected: Mapping[str, np.ndarray], console: Console
) -> dict[str, np.ndarray] | None:
    """Serve the folder that `export` is a version in, ask it in one request, and compare the answer.

    Args:
        export: Folder of a SavedModel, whose name is its version: `runs/demo/export/1`.
        inputs: The examples by the name of the input.
        expected: What must come back, by the name of the output: within the tolerances of `unitools.export.verify`.
        console: Where to print what was asked.

    Returns:
        The outputs by name; None where the packages of the extra `serve` are missing, which is printed.

    Raises:
        VerificationError: The answer differs.
    """
    try:
        made = Server(export.parent, port=0)
    except ImportError as error:
        console.print(f"Not served. {error}", highlight=False, markup=False, soft_wrap=True)
        return None
    name = export.parent.name
    with made as server, Client(server.url) as client:
        begin = time.perf_counter()
        answers = client.predict(name, inputs)
        milliseconds = 1000 * (time.perf_counter() - begin)
    console.print(
        f"served, and asked by POST {server.url}/v1/models/{name}:predict: "
        f"{len(next(iter(inputs.values())))} examples in {milliseconds:.0f} ms",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for key, value in expected.items():
        if not np.allclose(answers[key], value, _RTOL, _ATOL):
            raise VerificationError(
                f"`{key}` over REST must be what `predict` gives. It differs by up to "
                f"{np.abs(answers[key] - value).max():.2g}. Do not serve {export}, and report the case."
            )
    return answers


def print_answers(console: Console, columns: Iterable[str], rows: Iterable[Iterable[Any]], export: Path) -> None:
    """Print the answers as a table, and the command that serves the export for longer."""
    table = Table(*columns, title="Answers over REST", title_justify="left")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console.print(table)
    command = f"python -m unitools serve {export.parent}"
    console.print(f"to go on: {command}", highlight=False, markup=False, soft_wrap=True)
