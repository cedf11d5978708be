"""Texts to word pieces with offsets, in the graph: unitools against `tensorflow_text`.

python -m tests.benchmarks.tokenizer FOLDER FILE [--batch 256] [--rounds 3]

FOLDER holds vocab.txt, FILE one text a line. Needs tensorflow-text.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import tensorflow_text

import unitools as ut
from tests.benchmarks.measure import interleaved, print_machine, print_table

OURS = "unitools"


def contenders(folder):
    tokenizer = ut.data.WordPieceTokenizer.from_folder(folder)
    vocabulary = list(tokenizer.vocabulary)
    table = str(Path(folder) / "vocab.txt")
    slow = tensorflow_text.BertTokenizer(table, lower_case=True, token_out_type=tf.int32)
    fast = tensorflow_text.FastBertTokenizer(vocabulary, lower_case_nfd_strip_accents=True, token_out_type=tf.int32)
    return {
        OURS: lambda texts: tokenizer.tokenize(texts)["offsets"].flat_values,
        "BertTokenizer": lambda texts: slow.tokenize_with_offsets(texts)[1].flat_values,
        "FastBertTokenizer": lambda texts: fast.tokenize_with_offsets(texts)[1].flat_values,
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("file")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    lines = [line for line in Path(given.file).read_text(encoding="utf-8").split("\n") if line][:20_000]
    batches = [tf.constant(lines[at : at + given.batch]) for at in range(0, len(lines), given.batch)]

    def rate(function):
        function(batches[0])
        begin = time.perf_counter()
        for batch in batches:
            function(batch).numpy()
        return len(lines) / (time.perf_counter() - begin)

    functions = {name: tf.function(call, reduce_retracing=True) for name, call in contenders(given.folder).items()}
    print_machine()
    rates = interleaved({name: lambda call=call: call for name, call in functions.items()}, given.rounds, rate)
    print_table(f"{len(lines):,} lines of {given.file}, batches of {given.batch}", rates, OURS, "lines/s")


if __name__ == "__main__":
    main()
