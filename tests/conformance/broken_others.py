"""For every check of losses, metrics, callbacks and augmenters, a component that breaks this one promise."""

from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf

from tests.conformance.sound_components import (
    AUGMENTER,
    CALLBACK,
    LOSS,
    METRIC,
    SoundAugmenter,
    SoundCallback,
    SoundLoss,
    SoundMetric,
)


class HalvesWeighted(SoundLoss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred, sample_weight) * (1.0 if sample_weight is None else 0.5)


class IgnoresWeights(SoundLoss):
    def __call__(self, y_true, y_pred, sample_weight=None):
        return super().__call__(y_true, y_pred)


class BlocksGradient(SoundLoss):
    def call(self, y_true, y_pred):
        return super().call(y_true, keras.ops.round(y_pred))


class Remembers(SoundMetric):
    def reset_state(self):
        return None


class SeesLastBatchOnly(SoundMetric):
    def update_state(self, y_true, y_pred, sample_weight=None):
        self.reset_state()
        super().update_state(y_true, y_pred, sample_weight)


class ServesOneFit(SoundCallback):
    def on_train_begin(self, logs=None):
        return None


class ForgetsState(SoundCallback):
    def set_state(self, state):
        self._seen = 0


class ForgetsArrays(SoundCallback):
    def set_arrays(self, arrays):
        self._start = arrays["start"] * 0


class BeginsAnew(SoundCallback):
    """Takes its state back, and loses it as soon as the fit goes on."""

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._fresh = True

    def on_epoch_begin(self, epoch, logs=None):
        if self._fresh:
            self._seen, self._fresh = 0, False


class BrightensAlways(SoundAugmenter):
    def augment(self, batch, seeds):
        return {**batch, "images": tf.cast(batch["images"], "int32") // 2}


class WritesToInput(SoundAugmenter):
    def augment(self, batch, seeds):
        batch["images"] = self.mirrored(batch["images"], seeds)
        return batch


class ReturnsFloats(SoundAugmenter):
    def augment(self, batch, seeds):
        return {**batch, "images": tf.cast(batch["images"], "float32")}


class IgnoresSeeds(SoundAugmenter):
    def chosen(self, seeds):
        return tf.random.uniform(tf.shape(seeds)[:1]) < self.probability


class MixesByPosition(SoundAugmenter):
    def augment(self, batch, seeds):
        return {**batch, "images": tf.roll(batch["images"], 1, axis=0)}


class NeedsEagerTensors(SoundAugmenter):
    def chosen(self, seeds):
        return tf.constant(super().chosen(seeds).numpy())


class CannotBeCompiled(SoundAugmenter):
    def chosen(self, seeds):
        return tf.ensure_shape(tf.numpy_function(np.copy, [super().chosen(seeds)], tf.bool), [None])


class LeavesMasksBehind(SoundAugmenter):
    def augment(self, batch, seeds):
        return {**batch, "images": self.mirrored(batch["images"], seeds)}


class LeavesBoxesBehind(SoundAugmenter):
    def augment(self, batch, seeds):
        return {**super().augment(batch, seeds), "boxes": batch["boxes"]}


BROKEN = {
    name: replace(specimen, cls=cls)
    for name, specimen, cls in [
        ("equal_weights_change_nothing", LOSS, HalvesWeighted),
        ("weight_zero_removes_an_example", LOSS, IgnoresWeights),
        ("gradient_reaches_predictions", LOSS, BlocksGradient),
        ("reset_forgets", METRIC, Remembers),
        ("batches_add_up", METRIC, SeesLastBatchOnly),
        ("serves_two_fits", CALLBACK, ServesOneFit),
        ("state_survives_json", CALLBACK, ForgetsState),
        ("arrays_survive_npz", CALLBACK, ForgetsArrays),
        ("resumes_as_if_uninterrupted", CALLBACK, BeginsAnew),
        ("identity_when_switched_off", AUGMENTER, BrightensAlways),
        ("input_is_not_written", AUGMENTER, WritesToInput),
        ("dtype_and_range_are_kept", AUGMENTER, ReturnsFloats),
        ("same_seeds_same_result", AUGMENTER, IgnoresSeeds),
        ("order_does_not_matter", AUGMENTER, MixesByPosition),
        ("works_in_tf_data", AUGMENTER, NeedsEagerTensors),
        ("augments_under_xla", AUGMENTER, CannotBeCompiled),
        ("boxes_move_with_masks", AUGMENTER, LeavesBoxesBehind),
        ("masks_move_with_pictures", AUGMENTER, LeavesMasksBehind),
    ]
}
