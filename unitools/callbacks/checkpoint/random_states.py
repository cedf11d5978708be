"""The random states of the process, besides those of layers."""

import random
from typing import Any

import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR, global_seed_generator


def read_random_states() -> dict[str, Any]:
    """Return the states of Python's and NumPy's generators, and of Keras' own one if it is in use."""
    # The one that code without a generator of its own uses.
    name, keys, place, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    version, internal, gauss = random.getstate()
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    return {
        "python": [version, list(internal), gauss],
        "numpy": [name, keys.tolist(), place, has_gauss, cached],
        "keras": None if generator is None else generator.state.numpy().tolist(),
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Go back to what `read_random_states` returned."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, *others = states["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *others))  # noqa: NPY002
    if states["keras"] is not None:
        global_seed_generator().state.assign(states["keras"])
