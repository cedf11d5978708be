"""One seed for a whole run."""

import keras
import numpy as np
import tensorflow as tf

from unitools.core.checks import check_flag, check_integer, fail


def deterministic(seed: int, model: keras.Model | None = None) -> None:
    """Make what follows repeat: one seed for all, and operations that give the same bits every time.

    The one switch for runs that are to be equal. Python, NumPy, TensorFlow and Keras start from the seed, and
    TensorFlow takes deterministic operations only, which are slower on a GPU and switch XLA off. That lasts for the
    process, and random operations of TensorFlow without a seed are errors then. Call it before you make model and data.
    `compare_runs` says whether it was enough.

    Args:
        seed: From 0 to 2**31 - 1.
        model: A model that was made before, whose random layers are then restarted too. Default None.

    Raises:
        ValueError: `seed` is out of range.
    """
    apply_seed(model, check_integer("seed", seed, 0, 2**31 - 1), deterministic=True)


def apply_seed(model, seed, deterministic):
    """Seed Python, NumPy, TensorFlow and Keras, and restart the model's random layers, if there is a model.

    A layer with a seed of its own restarts from that.
    """
    check_flag("deterministic", deterministic)
    if seed is None:
        if deterministic:
            fail(
                "seed", seed, "an integer for deterministic=True", "TensorFlow refuses unseeded random operations then."
            )
        return
    keras.utils.set_random_seed(check_integer("seed", seed, 0, 2**31 - 1))
    for number, generator in enumerate(() if model is None else _generators(model)):
        own = generator.get_config()["seed"]
        start = np.random.SeedSequence([seed, number]).generate_state(1)[0] % 2**31 if own is None else own
        generator.state.assign(np.asarray([start, 0], "int64"))
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def describe_seed(seed, deterministic):
    """Return what the seed covers, for the report."""
    if seed is None:
        return "none: the run does not repeat"
    extra = ", deterministic operations" if deterministic else ""
    return f"{seed}: a run from these same weights repeats{extra}"


def _generators(model):
    found = {}
    for layer in model._flatten_layers():
        found |= {id(generator): generator for generator in layer._seed_generators}
    return found.values()
