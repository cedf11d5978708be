"""A few operations a picture, drawn from a list."""

from functools import partial

import tensorflow as tf

from unitools.core.checks import check_integer, check_number, fail
from unitools.core.component import register
from unitools.core.layers.counter_random import uniform
from unitools.data.image import geometry, operations
from unitools.data.image.affine_augmenter import AffineAugmenter
from unitools.data.image.byte_buffers import takes_bytes
from unitools.data.image.pixel_values import check_channels, check_value_range, into_dtype, scaled
from unitools.data.image.warp import warp
from unitools.data.image.warp_bytes import warp_bytes

STRENGTHS = {
    "identity": (0.0, 0.0),
    "autocontrast": (0.0, 0.0),
    "equalize": (0.0, 0.0),
    "solarize": (256.0, 0.0),
    "posterize": (8.0, 4.0),
    "brightness": (1.0, 1.9),
    "contrast": (1.0, 1.9),
    "color": (1.0, 1.9),
    "sharpness": (1.0, 1.9),
    "rotate": (0.0, 30.0),
    "shear_x": (0.0, 0.3),
    "shear_y": (0.0, 0.3),
    "translate_x": (0.0, 150.0 / 331.0),
    "translate_y": (0.0, 150.0 / 331.0),
}
"""What each operation takes at magnitude 0 and at 10: those of AutoAugment, whose pictures have a side of 331."""

_MOVEMENTS = ("rotate", "shear_x", "shear_y", "translate_x", "translate_y")
_ONE_SIDED = ("solarize", "posterize")
_PLAIN = ("autocontrast", "equalize")
_LEAVE, _MOVE = 0, 1
"""The first two branches of a step; those of operations on colour follow."""


@register
class RandAugment(AffineAugmenter):
    """Changes each picture by a few operations drawn from a list, all of one magnitude.

    Why: strong augmentation with two numbers to tune. Each picture goes through its own operations only, one kernel
    each, and movements next to each other are one resampling pass. Masks and boxes move with the picture.

    Args:
        num_ops: Operations a picture, >= 0, drawn evenly with repetition. 0 turns it off. Default 2.
        magnitude: Strength from 0 to 10. At 10: rotation by 30 degrees, shear 0.3, shift by 0.45 of a side, factors 0.1
            or 1.9 of brightness, contrast, color and sharpness, posterize to 4 bits, solarize all. Direction is drawn.
            "autocontrast" and "equalize" have one strength. Default 9.
        operations: Names of the operations, of those below. Default all.
        value_range: Pair (black, white) of pictures other than uint8. Default (0, 255).
        fill: What lies beyond the edge: "nearest" (default), "reflect", "wrap", or a pixel value.
        seed: Integer that fixes the draws of `call`; see `Augmenter`.

    Operations: "identity", "autocontrast", "equalize", "solarize", "posterize", "brightness", "contrast", "color",
    "sharpness", "rotate", "shear_x", "shear_y", "translate_x", "translate_y".

    Call arguments: see `Augmenter`. Pictures have one or three channels. Operations on colour see 256 levels: a picture
        of floats is rounded to them where one is applied.

    Input shape and output shape: `(batch, height, width, channels)`, or a dictionary.

    Raises:
        ValueError: An argument is out of range, or pictures have another number of channels.

    Example:
    >>> import tensorflow as tf
    >>> from unitools.data.image import RandAugment
    >>> augment = RandAugment(num_ops=2, magnitude=9, seed=1)
    >>> augment(tf.zeros((2, 32, 32, 3), tf.uint8), training=True).shape
    TensorShape([2, 32, 32, 3])

    Source: Cubuk, Zoph, Shlens, Le: RandAugment: Practical automated data augmentation with a reduced search space.
        NeurIPS 2020. Operations are Pillow's, up to rounding. There, what lies beyond the edge is grey: `fill=128`.
    """

    def __init__(
        self,
        *,
        num_ops: int = 2,
        magnitude: float = 9.0,
        operations: tuple[str, ...] = tuple(STRENGTHS),
        value_range: tuple[float, float] = (0.0, 255.0),
        fill: str | float = "nearest",
        **kwargs,
    ):
        super().__init__(fill=fill, **kwargs)
        self.num_ops = check_integer("num_ops", num_ops, 0)
        self.magnitude = check_number("magnitude", magnitude, 0, 10)
        self.operations = _checked(operations)
        self.value_range = check_value_range(value_range)
        self._colors = tuple(name for name in self.operations if name not in (*_MOVEMENTS, "identity"))

    def sample(self, seeds, size):
        """Draw the steps of each picture.

        Returns:
            A dictionary: "steps", a triple of what to do (0 nothing, 1 move, 2... the operations on colour), with which
            strength, and which matrix, `(batch, num_ops, ...)`; "matrices" of the whole movement, and "size".
        """
        picked, strengths = self._draw(seeds)
        movements = self._movements(picked, strengths, size)
        branches = tf.gather(tf.constant([self._branch(name) for name in self.operations]), picked)
        branches, movements = tf.unstack(branches, self.num_ops, 1), tf.unstack(movements, self.num_ops, 1)
        whole = tf.broadcast_to(geometry.affine(), (tf.shape(seeds)[0], 2, 3))
        for matrices in movements:
            whole = geometry.compose(matrices, whole)
        for step in range(self.num_ops - 1, 0, -1):
            _merge(branches, movements, step)
        steps = (tf.stack(branches, 1), strengths, tf.stack(movements, 1)) if self.num_ops else None
        return {"matrices": whole, "steps": steps, "size": size}

    def sample_matrices(self, seeds, size):
        """Return the whole movement of each picture."""
        return self.sample(seeds, size)["matrices"]

    def apply_to_images(self, images, parameters):
        """Take each picture through its steps."""
        check_channels(images, "RandAugment")
        if parameters["steps"] is None:
            return images
        spec = tf.TensorSpec(images.shape[1:], images.dtype)
        return tf.map_fn(lambda item: self._changed(*item), (images, *parameters["steps"]), fn_output_signature=spec)

    def draw(self, seeds, image_size):
        """Return what `decode_to` takes: the first movement, which is one pass with the resize, and the steps left."""
        steps = self.sample(seeds, image_size)["steps"]
        if steps is None:
            return (tf.tile(geometry.affine()[None], (tf.shape(seeds)[0], 1, 1)),)
        branches, strengths, movements = steps
        # Where the first step does not move, its matrix is the identity.
        first = tf.where(branches[:, :1] == _MOVE, _LEAVE, branches[:, :1])
        return movements[:, 0], tf.concat([first, branches[:, 1:]], 1), strengths, movements

    def decode_to(self, image, drawn, image_size, scale=None):
        """Take a decoded picture to its target size, the first movement in the same pass, then through its steps."""
        check_channels(image, "RandAugment")
        entry, *steps = drawn
        image = super().decode_to(image, entry, image_size)
        return scaled(self._changed(image, *steps) if steps else image, scale)

    def _draw(self, seeds):
        """Return (operation, strength) of every step, `(batch, num_ops)`."""
        units = tf.reshape(uniform(seeds, 2 * self.num_ops), (-1, self.num_ops, 2))
        picked = tf.cast(units[..., 0] * len(self.operations), tf.int32)
        start, end = (tf.constant(ends) for ends in zip(*map(STRENGTHS.get, self.operations), strict=True))
        one_sided = tf.constant([name in _ONE_SIDED for name in self.operations])
        sign = tf.where(tf.logical_or(units[..., 1] < 0.5, tf.gather(one_sided, picked)), 1.0, -1.0)
        change = tf.gather(end - start, picked) * (self.magnitude / 10.0)
        return picked, tf.gather(start, picked) + sign * change

    def _movements(self, picked, strengths, size):
        """Return the matrices of the steps, the identity for those that do not move."""
        # Flat: in TensorFlow 2.21, `tf.matmul` of shapes (12, 1, 2, 2) and (2, 1) writes beyond its result.
        picked, strengths = tf.reshape(picked, [-1]), tf.reshape(strengths, [-1])
        amounts = dict.fromkeys(_MOVEMENTS, tf.zeros_like(strengths))
        for index, name in enumerate(self.operations):
            if name in _MOVEMENTS:
                amounts[name] = tf.where(picked == index, strengths, 0.0)
        return tf.reshape(operations.movement(**amounts, size=size), (-1, self.num_ops, 2, 3))

    def _branch(self, name):
        if name in self._colors:
            return 2 + self._colors.index(name)
        return _MOVE if name in _MOVEMENTS else _LEAVE

    def _changed(self, image, branches, strengths, matrices):
        """Return one picture after its steps; each runs the one kernel it needs."""
        size = tuple(image.shape[:2]) if image.shape[:2].is_fully_defined() else tuple(tf.unstack(tf.shape(image)[:2]))
        for step in range(self.num_ops):
            work = [partial(tf.identity, image), partial(self._resampled, image, matrices[step, None], size)]
            work += [partial(self._recolored, name, image, strengths[step]) for name in self._colors]
            image = tf.switch_case(branches[step], work)
        return image

    def _resampled(self, image, matrices, size):
        quick = takes_bytes(image) and not any(tf.is_tensor(length) for length in size)
        kernel = warp_bytes if quick else warp
        return kernel(image[None], matrices, size, self.fill)[0]

    def _recolored(self, name, image, strength):
        if image.dtype == tf.uint8:
            return _recolor(name, image, strength)
        low, high = self.value_range
        levels = (tf.cast(image, tf.float32) - low) * (255.0 / (high - low))
        changed = _recolor(name, into_dtype(levels, tf.uint8, (0.0, 255.0)), strength)
        return into_dtype(tf.cast(changed, tf.float32) * ((high - low) / 255.0) + low, image.dtype, self.value_range)


def _checked(names):
    if not isinstance(names, (list, tuple)) or not names or not set(names) <= set(STRENGTHS):
        fail("operations", names, f"a sequence of names among {', '.join(STRENGTHS)}")
    return tuple(names)


def _merge(branches, movements, step):
    """Move the movement of a step into the step before, where both move."""
    joined = tf.logical_and(branches[step] == _MOVE, branches[step - 1] == _MOVE)
    both = geometry.compose(movements[step], movements[step - 1])
    movements[step - 1] = tf.where(joined[:, None, None], both, movements[step - 1])
    branches[step] = tf.where(joined, _LEAVE, branches[step])


@tf.function(jit_compile=True, autograph=False)
def _recolor(name, image, strength):
    operation = getattr(operations, name)
    return operation(image) if name in _PLAIN else operation(image, strength)
