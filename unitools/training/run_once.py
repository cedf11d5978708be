"""One run of `compare_runs` in a process of its own: `python -m unitools.training.run_once FILE`."""

import pickle
import sys
from pathlib import Path

from unitools.training.compare_runs import flat_values


def run_once(path: str) -> None:
    """Replace the pickled function in a file by the pickled values that it returns.

    Args:
        path: Path of the file.
    """
    run = pickle.loads(Path(path).read_bytes())
    Path(path).write_bytes(pickle.dumps(flat_values(run())))


if __name__ == "__main__":
    run_once(sys.argv[1])
