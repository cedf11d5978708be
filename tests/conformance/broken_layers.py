"""For every check of layers, a component that breaks this one promise: `BROKEN`, by the check's name."""

import itertools
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from tests.conformance.sound_components import LAYER, SoundLayer


class LosesRate(SoundLayer):
    def __init__(self, units, rate=0.1, seed=None, **kwargs):
        super().__init__(units, rate, seed, **kwargs)
        self.rate = 0.1


class DropsSeedOnReading(SoundLayer):
    @classmethod
    def from_config(cls, config, custom_objects=None):
        return super().from_config({**config, "seed": None}, custom_objects)


class KnowsOwnArgumentsOnly(SoundLayer):
    def get_config(self):
        return {**keras.layers.Layer.get_config(self), "units": self.units, "rate": self.rate, "seed": self.seed}


class MakesWeightsInConstructor(SoundLayer):
    def __init__(self, units, **kwargs):
        super().__init__(units, **kwargs)
        self.offset = self.add_weight(shape=(units,), name="offset")


class StatesWrongShape(SoundLayer):
    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units + 1)


class DoublesInGraph(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        return super().call(inputs) * (1.0 if tf.executing_eagerly() else 2.0)


class LeavesTensorFlow(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        outputs = super().call(inputs)
        return tf.ensure_shape(tf.numpy_function(np.tanh, [outputs], tf.float32), outputs.shape)


class FixesBatchSize(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        outputs = super().call(inputs)
        return keras.ops.reshape(outputs, (int(inputs.shape[0]), *outputs.shape[1:]))


class LooksAtNeighbours(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        outputs = super().call(inputs)
        return outputs - keras.ops.mean(outputs, axis=0, keepdims=True)


class IgnoresMask(SoundLayer):
    def mean(self, values, mask):
        return super().mean(values, None)


class RandomAtServing(SoundLayer):
    def call(self, inputs, training=True, mask=None):
        return super().call(inputs, training=training)


class DrawsUnseeded(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        outputs = super().call(inputs)
        return outputs + tf.random.normal(tf.shape(outputs)) if training else outputs


class DrawsTheSame(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        outputs = super().call(inputs)
        return keras.random.dropout(outputs, self.rate, seed=self.seed) if training else outputs


class StopsGradient(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        return keras.ops.stop_gradient(super().call(inputs))


class MovesWhenFrozen(SoundLayer):
    def call(self, inputs, training=False, mask=None):
        if training:
            self.kernel.assign(self.kernel * 0.9)
        return super().call(inputs)


class HalvesItsWeights(SoundLayer):
    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel", dtype=self.compute_dtype)


class RefusesWithoutReason(SoundLayer):
    def __init__(self, units, rate=0.1, seed=None, **kwargs):
        if units < 1:
            raise ValueError("bad value")
        super().__init__(units, rate, seed, **kwargs)


class LacksArgument(SoundLayer):
    """Do what the other one does.

    Args:
        units: Number of features.
        seed: Seed of the draws, where the rate: of drops is above 0.
    """


class HasWrongExample(SoundLayer):
    """Add.

    >>> 1 + 1
    3
    """


def broken_by_hidden_state():
    made = itertools.count()

    class HidesState(SoundLayer):
        """Defined in a function, so that it is read again in this process, which is quicker."""

        def __init__(self, units, rate=0.1, seed=None, **kwargs):
            super().__init__(units, rate, seed, **kwargs)
            self._offset = float(next(made))

        def call(self, inputs, training=False, mask=None):
            return super().call(inputs) + self._offset

    return HidesState


BROKEN = {
    "arguments_are_complete": replace(LAYER, arguments={"units": 3, "rate": 0.4}),
    "output_shape_is_as_stated": replace(LAYER, output_shape=(4, 6, 2)),
}
BROKEN |= {
    name: replace(LAYER, cls=cls)
    for name, cls in {
        "config_holds_arguments": LosesRate,
        "config_survives_json": DropsSeedOnReading,
        "subclass_argument_survives": KnowsOwnArgumentsOnly,
        "weights_are_made_in_build": MakesWeightsInConstructor,
        "symbolic_equals_eager": StatesWrongShape,
        "graph_equals_eager": DoublesInGraph,
        "saved_model_equals_component": DoublesInGraph,
        "xla_equals_eager": LeavesTensorFlow,
        "batch_is_dynamic": FixesBatchSize,
        "example_alone_equals_in_batch": LooksAtNeighbours,
        "padding_changes_nothing": IgnoresMask,
        "inference_repeats": RandomAtServing,
        "seeded_training_repeats": DrawsUnseeded,
        "training_draws_anew": DrawsTheSame,
        "step_moves_trainable_weights": StopsGradient,
        "frozen_weights_stay": MovesWhenFrozen,
        "mixed_precision_keeps_dtypes": HalvesItsWeights,
        "bad_values_are_named": RefusesWithoutReason,
        "arguments_are_documented": LacksArgument,
        "example_runs": HasWrongExample,
        "survives_a_fresh_process": broken_by_hidden_state(),
    }.items()
}
