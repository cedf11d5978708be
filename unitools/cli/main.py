"""The arguments of the command line. Nothing large is imported before they are found good."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from unitools.cli.demo_settings import DemoSettings
from unitools.cli.ner_arguments import add_ner_arguments
from unitools.cli.ner_settings import NerSettings
from unitools.cli.option_types import integer_from
from unitools.cli.quiet_start import quiet_start
from unitools.cli.serve_arguments import add_serve_arguments
from unitools.cli.user_error import UserError

_DEMO = """Train, evaluate, export and serve a picture classifier on real pictures.

Without --data: handwritten digits, which scikit-learn brings. With --data: your own folder, one folder a class.
`demo ner` does the same for names in texts.
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
    try:
        if arguments.pop("command") == "serve":
            _run_serve(arguments)
        else:
            _run_demo(arguments.pop("subject"), arguments)
    except UserError as error:
        print(f"unitools: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("unitools: interrupted", file=sys.stderr)
        return 130
    return 0


def _run_demo(subject, arguments):
    """Run a demo. Imports stand here, since they load TensorFlow."""
    with quiet_start():
        if subject == "ner":
            from unitools.cli.ner_demo import run_ner_demo as run
        else:
            from unitools.cli.demo import run_demo as run
    settings = NerSettings if subject == "ner" else DemoSettings
    run(settings(**{field.name: arguments[field.name] for field in fields(settings)}))


def _run_serve(arguments):
    """Serve until a signal. The import stands here, since it loads TensorFlow."""
    with quiet_start():
        from unitools.cli.serve import run_serve
    run_serve(arguments)


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
    demo.add_argument("--epochs", type=integer_from(1), help="passes over the training pictures (default: by the data)")
    demo.add_argument("--batch-size", type=integer_from(1), default=default.batch_size, help="default: %(default)s")
    demo.add_argument("--image-size", type=integer_from(8), help="height and width in pixels (default: by the data)")
    demo.add_argument(
        "--output", type=Path, default=default.output, metavar="FOLDER", help="where results go (default: %(default)s)"
    )
    demo.add_argument("--seed", type=integer_from(0), default=default.seed, help="default: %(default)s")
    add_serve_arguments(commands)
    # After the options of pictures, whose values those of the subject replace.
    add_ner_arguments(demo.add_subparsers(dest="subject", metavar="SUBJECT"))
    return parser
