"""A training step of a tagger, and the first one of a process, against Transformers with torch.

python -m tests.benchmarks.ner_steps WEIGHTS [--rounds 5]

Both fine-tune the same encoder with AdamW and clipping on batches of 16 full sentences. Both run in one process, in
turns; the first step is that of a fresh process, imports and loading not counted.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import interleaved, print_machine

TAGS = ("O", *(f"{prefix}-{kind}" for kind in ("LOC", "MISC", "ORG", "PER") for prefix in "BI"))
LENGTHS = (16, 32, 64, 128)
STEPS = 5


def sentences(length):
    """Return token ids and labels (16, length)."""
    random = np.random.default_rng(length)
    return random.integers(1000, 20000, (16, length)), random.integers(0, len(TAGS), (16, length))


def our_step(weights):
    """Return a function that trains on token ids and labels, at every length the same traced step."""
    import keras
    import tensorflow as tf

    import unitools as ut

    base = ut.backbones.bert(weights)
    model = keras.Model(base.input, ut.heads.TokenTagger(len(TAGS))(base.sequence_output))
    options = {"loss": ut.losses.TokenCrossEntropy(), "metrics": [ut.metrics.EntityScores(TAGS)]}
    ut.training.compile(model, learning_rate=5e-5, steps=2600, decay="linear", verbose=False, **options)
    model.make_train_function()

    def spec(dtype):
        return tf.TensorSpec((None, None), dtype)

    shapes = ({"token_ids": spec(tf.int32), "padding_mask": spec(tf.bool)}, spec(tf.int32))

    def batch(ids, labels):
        element = {"token_ids": ids.astype("int32"), "padding_mask": np.ones_like(ids, bool)}, labels.astype("int32")
        data = tf.data.Dataset.from_generator(lambda: iter([element]), output_signature=shapes)
        return iter(data)

    def step(ids, labels):
        return float(model.train_function(batch(ids, labels))["loss"])

    return step


def their_step(weights):
    """Return the same with Transformers."""
    import torch
    from transformers import AutoModelForTokenClassification

    model = AutoModelForTokenClassification.from_pretrained(weights, num_labels=len(TAGS))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 5e-5, weight_decay=0.01)

    def step(ids, labels):
        ids, labels = torch.tensor(ids), torch.tensor(labels)
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss)

    return step


MAKERS = {"unitools": our_step, "Transformers": their_step}


def seconds(step, length):
    """Return the median seconds of a few steps."""
    times = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        step(*sentences(length))
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def first_step(name, weights):
    """Print the seconds of the first step of this process."""
    step = MAKERS[name](weights)
    begin = time.perf_counter()
    step(*sentences(32))
    print(time.perf_counter() - begin)


def first_steps(name, weights, rounds):
    """Return the median seconds of the first step over fresh processes."""
    command = [sys.executable, "-m", "tests.benchmarks.ner_steps", weights, "--first", name]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(rounds)]
    return statistics.median(float(run.split()[-1]) for run in runs)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("weights")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--first", choices=list(MAKERS))
    given = arguments.parse_args()
    if given.first:
        first_step(given.first, given.weights)
        return
    print_machine()
    table = Table("step", "unitools, s", "Transformers, s", "unitools is x times as fast", title="Batches of 16")
    pair = [first_steps(name, given.weights, 3) for name in MAKERS]
    table.add_row("first step of a process, 16 x 32", *(f"{value:.2f}" for value in pair), f"{pair[1] / pair[0]:.2f}")
    steps = {name: make(given.weights) for name, make in MAKERS.items()}
    for length in LENGTHS:
        calls = {name: lambda step=step, length=length: seconds(step, length) for name, step in steps.items()}
        pair = list(interleaved(calls, given.rounds, rate=float).values())
        table.add_row(f"16 x {length}", *(f"{value:.3f}" for value in pair), f"{pair[1] / pair[0]:.2f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
