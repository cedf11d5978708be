"""The base class of augmenters: sampling apart from applying."""

import keras
import tensorflow as tf

from unitools.core import Component
from unitools.core.checks import check_integer
from unitools.core.layers.counter_random import fold_in

KEYS = ("images", "labels", "boxes", "box_labels", "masks")


class Augmenter(Component, keras.layers.Layer):
    """Changes pictures at random in training, and hands them through otherwise.

    Why: one object serves in `tf.data`, inside a model and under XLA; moves boxes, masks and labels with the picture;
    keeps dtypes; is off unless `training=True`, so that nothing is random at serving.

    A subclass overrides `sample`, which draws parameters, and those of `apply_to_images`, `apply_to_masks`,
    `apply_to_boxes` and `apply_to_labels` that its parameters concern; what it does not override stays as it is.
    Parameters depend on the seed of their example alone, not on its place in the batch.

    Args:
        seed: Integer that fixes the draws of `call`. Default: drawn from Keras' global generator.

    Call arguments:
        inputs: `(batch, height, width, channels)` of any dtype, one such picture without the batch axis, or a
            dictionary with "images" and any of "labels", "boxes" `(batch, boxes, 4)` (absolute x1, y1, x2, y2),
            "box_labels", "masks" `(batch, height, width)` or `(batch, height, width, 1)`.
        training: Whether to change anything. Default False.

    Input shape and output shape: the same.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.core.layers import uniform
    >>> from unitools.data.image import Augmenter
    >>> class Dim(Augmenter):
    ...     def sample(self, seeds, size):
    ...         return {"factor": uniform(seeds, 1, 0.5, 1.0)[:, :, None, None]}
    ...     def apply_to_images(self, images, parameters):
    ...         return images * parameters["factor"]
    >>> images = tf.ones((2, 4, 4, 3))
    >>> dim = Dim(seed=1)
    >>> bool(tf.reduce_all(dim(images) == images)), bool(tf.reduce_all(dim(images, training=True) < images))
    (True, True)
    """

    def __init__(self, *, seed: int | None = None, **kwargs):
        # float32 whatever the global policy: half precision would round box edges and labels.
        kwargs.setdefault("dtype", "float32")
        super().__init__(autocast=False, **kwargs)
        self.seed = seed if seed is None else check_integer("seed", seed, 0)
        self._seed_generator = keras.random.SeedGenerator(seed)

    def sample(self, seeds, size):
        """Draw the parameters of a batch.

        Args:
            seeds: int32 `(batch, 2)`.
            size: (height, width) of the pictures, integers or scalar tensors.

        Returns:
            A dictionary of tensors with the batch axis first.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `sample(seeds, size)`.")

    def apply_to_images(self, images, parameters):
        """Return the changed pictures `(batch, height, width, channels)`, in the dtype they came in."""
        return images

    def apply_to_masks(self, masks, parameters):
        """Return the masks `(batch, height, width, channels)` moved as the pictures were."""
        return masks

    def apply_to_boxes(self, boxes, parameters):
        """Return the boxes `(batch, boxes, 4)` moved as the pictures were."""
        return boxes

    def apply_to_labels(self, labels, parameters):
        """Return the labels that belong to the changed pictures."""
        return labels

    def augment(self, batch: dict, seeds) -> dict:
        """Change a batch; a pure function of its arguments.

        Args:
            batch: Dictionary as in `call`, with the batch axis.
            seeds: int32 `(batch, 2)`, one an example.

        Returns:
            A new dictionary with the same keys and dtypes.
        """
        batch = {key: tf.convert_to_tensor(value) for key, value in batch.items()}
        images = batch["images"]
        shape = tf.shape(images)
        size = tuple(shape[axis] if images.shape[axis] is None else images.shape[axis] for axis in (1, 2))
        parameters = self.sample(seeds, size)
        changed = dict(batch, images=self.apply_to_images(images, parameters))
        for key, apply in (("boxes", self.apply_to_boxes), ("labels", self.apply_to_labels)):
            if key in batch:
                changed[key] = apply(batch[key], parameters)
        if "masks" in batch:
            flat = batch["masks"].shape.rank == 3
            masks = self.apply_to_masks(batch["masks"][..., None] if flat else batch["masks"], parameters)
            changed["masks"] = masks[..., 0] if flat else masks
        return changed

    def call(self, inputs, training=False):
        """Change the inputs in training; see the class."""
        if not training:
            return inputs
        batch = inputs if isinstance(inputs, dict) else {"images": inputs}
        single = batch["images"].shape.rank == 3
        if single:
            batch = {key: tf.expand_dims(value, 0) for key, value in batch.items()}
        changed = self.augment(batch, self._draw_seeds(tf.shape(batch["images"])[0]))
        if single:
            changed = {key: value[0] for key, value in changed.items()}
        return changed if isinstance(inputs, dict) else changed["images"]

    def _draw_seeds(self, batch_size):
        """Return fresh seeds `(batch, 2)` from the layer's own generator."""
        key = tf.cast(self._seed_generator.next(), tf.int32)
        return fold_in(tf.broadcast_to(key, (batch_size, 2)), tf.range(batch_size))

    def compute_output_spec(self, inputs, training=False):
        """Return the inputs' shapes and dtypes."""
        return keras.tree.map_structure(lambda spec: keras.KerasTensor(spec.shape, spec.dtype), inputs)

    def entry(self):
        """Return what takes decoded pictures to the target size, by `draw` and `decode_to`; or None."""
        return

    def after_entry(self):
        """Return the augmenter for what `entry` leaves to be done on the batch, or None."""
        return self
