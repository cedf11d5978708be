"""Sentences a second through an exported tagger, from raw strings to entities, against Transformers' pipeline.

    python -m tests.benchmarks.ner_serving DATA WEIGHTS [--rounds 3] [--batch 32]

The sentences of DATA/test.iob2.txt, words joined by blanks, in the order of the file. Ours is the SavedModel, loaded
again, with what it learned in an epoch on DATA/dev.iob2.txt. Theirs is an encoder of the same size whose head says O
everywhere, so that the pipeline has no entities to put together.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

import unitools as ut
from tests.benchmarks.measure import interleaved, print_machine, print_table

OURS = "unitools, SavedModel"


def our_export(given, folder, texts):
    """Train a little, export, and return the loaded signature."""
    reader = ut.data.ColumnText(given.data / "dev.iob2.txt")
    recognizer = ut.tasks.NamedEntityRecognizer(ut.backbones.bert(given.weights), reader.tags)
    recognizer.fit(reader, epochs=1, seed=1, verbose=False)
    recognizer.export(f"{folder}/1", texts[:64])
    return tf.saved_model.load(f"{folder}/1").signatures["serving_default"]


def their_pipeline(given, batch):
    """Return a pipeline that gives words, with the first piece's tag, as ours does."""
    names = ("O", *(f"{prefix}-{kind}" for kind in ("LOC", "MISC", "ORG", "PER") for prefix in "BI"))
    labels = dict(enumerate(names))
    model = AutoModelForTokenClassification.from_pretrained(given.weights, num_labels=len(names), id2label=labels)
    with torch.no_grad():
        model.classifier.bias[0] = 100.0
    tokenizer = AutoTokenizer.from_pretrained(given.weights)
    return pipeline(
        "token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="first", batch_size=batch
    )


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("data", type=Path)
    arguments.add_argument("weights", type=Path)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--batch", type=int, default=32)
    given = arguments.parse_args()
    texts = [" ".join(words) for words, _ in ut.data.ColumnText(given.data / "test.iob2.txt").sentences]
    with tempfile.TemporaryDirectory() as folder:
        serve = our_export(given, folder, texts)

    def ours(batch):
        for start in range(0, len(texts), batch):
            serve(texts=tf.constant(texts[start : start + batch]))["starts"].numpy()

    def rate(call):
        begin = time.perf_counter()
        call()
        return len(texts) / (time.perf_counter() - begin)

    theirs = {batch: their_pipeline(given, batch) for batch in (1, given.batch)}
    contenders = {
        OURS: lambda: lambda: ours(given.batch),
        "unitools, SavedModel, 256 texts a call": lambda: lambda: ours(256),
        "Transformers pipeline, as it comes": lambda: lambda: theirs[1](texts),
        f"Transformers pipeline, batch_size={given.batch}": lambda: lambda: theirs[given.batch](texts),
    }
    print_machine()
    rates = interleaved(contenders, given.rounds, rate)
    print_table(f"{len(texts):,} sentences, {given.batch} texts a call", rates, OURS, "sentences/s")


if __name__ == "__main__":
    main()
