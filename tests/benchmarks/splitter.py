"""Texts to words with offsets, in the graph: `WordSplitter` and `WordTokenizer` against `WordPieceTokenizer`.

python -m tests.benchmarks.splitter FOLDER FILE [--batch 256] [--rounds 5]

FOLDER holds vocab.txt or tokenizer.json, FILE tagged sentences, a word a line.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

import unitools as ut
from tests.benchmarks.measure import interleaved, print_machine, print_table

OURS = "WordSplitter"


def contenders(folder, reader):
    splitter, words = ut.data.WordSplitter(), ut.data.WordTokenizer.from_reader(reader)
    pieces = ut.data.WordPieceTokenizer.from_folder(folder)
    return {
        OURS: lambda texts: [part.flat_values for part in splitter.split(texts).values()],
        "WordTokenizer with characters": lambda texts: [part.flat_values for part in words.tokenize(texts).values()],
        "WordPieceTokenizer": lambda texts: [part.flat_values for part in pieces.tokenize(texts).values()],
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("file")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    reader = ut.data.ColumnText(given.file)
    lines = [" ".join(words) for words, _ in reader.sentences]
    batches = [tf.constant(lines[at : at + given.batch]) for at in range(0, len(lines), given.batch)]

    def rate(function):
        function(batches[0])
        begin = time.perf_counter()
        for batch in batches:
            function(batch)[0].numpy()
        return len(lines) / (time.perf_counter() - begin)

    functions = {
        name: tf.function(call, reduce_retracing=True) for name, call in contenders(given.folder, reader).items()
    }
    print_machine()
    rates = interleaved({name: lambda call=call: call for name, call in functions.items()}, given.rounds, rate)
    print_table(f"{len(lines):,} lines of {given.file}, batches of {given.batch}", rates, OURS, "lines/s")


if __name__ == "__main__":
    main()
