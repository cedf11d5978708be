"""The arguments of the command line. Nothing large is imported before they are found good."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from unitools.cli.demo_settings import DemoSettings
from unitools.cli.quiet_start import quiet_start
from unitools.cli.user_error import UserError

_DEMO = """Train, evaluate, export and serve a picture classifier on real pictures.

Without --data: handwritten digits, which scikit-learn brings. With --data: your own folder, one folder a class.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: The arguments after the program's name. Default None: those of the process.

    Returns:
        The exit status: 0, 2 for what the user can mend, 130 after an interrupt.

    Raises:
        SystemExit: argparse's, for `--help` (0) and for arguments that cannot be read (2).

    Example:
    >>> from unitools.cli import main
    >>> main(["demo", "--data", "no/such/folder"])
    2
    """
    arguments = vars(_parser().parse_args(argv))
    arguments.pop("command")
    try:
        with quiet_start():
            # Here, since it imports TensorFlow.
            from unitools.cli.demo import run_demo
        run_demo(DemoSettings(**arguments))
    except UserError as error:
        print(f"unitools: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("unitools: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser():
    parser = argparse.ArgumentParser("unitools", description="Components from base model to served application.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="a picture classifier from training to verified export",
        description=_DEMO,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = DemoSettings()
    demo.add_argument("--data", type=Path, metavar="FOLDER", help="pictures to train on, one folder a class")
    demo.add_argument(
        "--validation",
        type=Path,
        metavar="FOLDER",
        help="pictures to evaluate on (default: the folder 'val' beside a --data folder named 'train', "
        "else a fifth of each class)",
    )
    demo.add_argument(
        "--weights",
        metavar="WEIGHTS",
        help="a pretrained base model: a folder, a file or a name (default: a small network from random weights)",
    )
    demo.add_argument("--epochs", type=_number(1), help="passes over the training pictures (default: by the data)")
    demo.add_argument("--batch-size", type=_number(1), default=default.batch_size, help="default: %(default)s")
    demo.add_argument("--image-size", type=_number(8), help="height and width in pixels (default: by the data)")
    demo.add_argument(
        "--output", type=Path, default=default.output, metavar="FOLDER", help="where results go (default: %(default)s)"
    )
    demo.add_argument("--seed", type=_number(0), default=default.seed, help="default: %(default)s")
    return parser


def _number(low):
    """Return a reader of integers from `low` to 2^31 - 1."""

    def read(text):
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not low <= number < 2**31:
            raise argparse.ArgumentTypeError(f"must be an integer from {low} to {2**31 - 1}, not {text!r}")
        return number

    return read
