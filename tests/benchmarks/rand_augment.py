"""RandAugment on batches of 224 x 224 pictures in `tf.data`, against `keras.layers.RandAugment`.

python -m tests.benchmarks.rand_augment [--rounds 3]
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import unitools as ut
from tests.benchmarks.measure import interleaved, print_machine, print_table

OURS = "unitools.data.RandAugment"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--batches", type=int, default=20)
    given = arguments.parse_args()
    images = np.random.default_rng(0).integers(0, 256, (32, 224, 224, 3), np.uint8)
    batches = tf.data.Dataset.from_tensors(images).repeat(given.batches)
    ours, theirs = ut.data.RandAugment(num_ops=2, seed=1), keras.layers.RandAugment((0, 255), num_ops=2, seed=1)

    def pipeline(layer):
        mapped = batches.map(lambda images: layer(images, training=True), tf.data.AUTOTUNE)
        return lambda: mapped.map(lambda images: tf.cast(images, tf.float32), tf.data.AUTOTUNE).prefetch(2)

    print_machine()
    rates = interleaved({OURS: pipeline(ours), "keras.layers.RandAugment": pipeline(theirs)}, given.rounds)
    print_table("RandAugment, 2 operations a picture, batches of 32 at 224 x 224", rates, OURS)


if __name__ == "__main__":
    main()
