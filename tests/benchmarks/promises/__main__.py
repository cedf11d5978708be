"""Draw each promise of training as it was seen to hold, for docs/training.md.

    python -m tests.benchmarks.promises DATA WEIGHTS [--only NAME ...] [--folder docs/pictures]

DATA is the folder of the sets, of which banking77 is used, WEIGHTS a BERT folder of Transformers. What took hours is
drawn from the tables in docs/ that its benchmark printed; all else is run anew. About ten minutes on two cores.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tests.benchmarks.measure import print_machine
from tests.benchmarks.promises import (
    adapter_scores,
    adapters_that_go_on,
    exact_resume,
    faults,
    kills,
    regularizers,
    search,
    workers,
)

PICTURES = {
    module.__name__.rpartition(".")[2]: module.draw
    for module in (exact_resume, kills, faults, workers, adapters_that_go_on, adapter_scores, regularizers, search)
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("weights", type=Path)
    arguments.add_argument("--only", nargs="*", choices=tuple(PICTURES), default=tuple(PICTURES))
    arguments.add_argument("--folder", type=Path, default=Path("docs/pictures"))
    arguments.add_argument("--kills", type=int, default=100)
    given = arguments.parse_args()
    print_machine()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name in given.only:
        path = given.folder / f"{name}.png"
        PICTURES[name](given).savefig(path, dpi=110, metadata={"Software": None})
        print(f"{path}: {path.stat().st_size / 1024:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
