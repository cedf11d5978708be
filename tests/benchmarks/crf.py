"""What a CRF adds to a training step of a BiLSTM tagger, with XLA and without.

python -m tests.benchmarks.crf [--batch 16] [--time 32] [--tags 9] [--rounds 5]
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import time

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

import unitools as ut
from tests.benchmarks.measure import interleaved, print_machine

STEPS = 10
HEADS = {
    "TokenTagger": (ut.heads.TokenTagger, ut.losses.TokenCrossEntropy),
    "CRF": (ut.heads.CRF, ut.losses.CRFLoss),
}


def tagger(name, given, jit_compile):
    """Return a compiled model: words and two bidirectional LSTM layers of 256 units, then the head."""
    head, loss = HEADS[name]
    # No mask: the sentences are full.
    tokens = keras.Input((given.time,), dtype="int32")
    features = keras.layers.Embedding(20000, 100)(tokens)
    for _ in range(2):
        features = keras.layers.Bidirectional(keras.layers.LSTM(256, return_sequences=True))(features)
    model = keras.Model(tokens, head(given.tags)(features))
    model.compile("adam", loss(), jit_compile=jit_compile)
    return model


def seconds_a_step(model, batch):
    """Return the median over a few training steps."""
    times = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        model.train_on_batch(*batch)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def main():
    arguments = argparse.ArgumentParser()
    for name, default in [("batch", 16), ("time", 32), ("tags", 9), ("rounds", 5)]:
        arguments.add_argument(f"--{name}", type=int, default=default)
    given = arguments.parse_args()
    random = np.random.default_rng(0)
    batch = tuple(random.integers(0, top, (given.batch, given.time)) for top in (20000, given.tags))
    print_machine()
    table = Table(title=f"Training step, {given.batch} x {given.time}, {given.tags} tags")
    for column in ("step", "TokenTagger, ms", "CRF, ms", "added"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for jit_compile in (False, True):
        models = {name: tagger(name, given, jit_compile) for name in HEADS}
        steps = {name: lambda model=model: seconds_a_step(model, batch) for name, model in models.items()}
        plain, crf = interleaved(steps, given.rounds, rate=float).values()
        row = (f"{1e3 * plain:.1f}", f"{1e3 * crf:.1f}", f"{crf / plain - 1:+.1%}")
        table.add_row("XLA" if jit_compile else "no XLA", *row)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
