"""The options of `demo ner`."""

import argparse
from pathlib import Path

from unitools.cli.ner_settings import NerSettings
from unitools.cli.option_types import integer_from, rate

_ABOUT = """Train, evaluate, export and ask a tagger of names in your own column files.

FOLDER holds a file for each part: "train" is part of the name of the first, "dev", "valid" or "testa" of the second,
"test" or "testb" of the third. One word a line with its tag in the last column, sentences parted by blank lines. It may
be a single file, too, of which two tenths are held out.
"""


def add_ner_arguments(subjects) -> None:
    """Add the command `ner` to those of `demo`."""
    parser = subjects.add_parser(
        "ner",
        help="names in texts, from column files",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = NerSettings(data=Path())
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="column files, or one file")
    parser.add_argument(
        "--weights",
        metavar="WEIGHTS",
        help="a pretrained BERT: a folder or a name (default: a BiLSTM-CRF from random weights)",
    )
    parser.add_argument(
        "--crf",
        action=argparse.BooleanOptionalAction,
        help="choose the tags of a sentence together (default: without weights only)",
    )
    parser.add_argument(
        "--epochs", type=integer_from(1), help="passes over the sentences (default: 5, without weights 15)"
    )
    parser.add_argument("--learning-rate", type=rate, help="peak rate (default: 2e-5, without weights 3e-3)")
    parser.add_argument("--batch-size", type=integer_from(1), default=default.batch_size, help="default: %(default)s")
    parser.add_argument(
        "--max-length",
        type=integer_from(8),
        default=default.max_length,
        help="tokens given to the model at once; longer texts become windows (default: %(default)s)",
    )
    parser.add_argument(
        "--output", type=Path, default=default.output, metavar="FOLDER", help="where results go (default: %(default)s)"
    )
    parser.add_argument("--seed", type=integer_from(0), default=default.seed, help="default: %(default)s")
