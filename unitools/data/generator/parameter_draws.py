"""Drawing the parameters of one transformation with numpy, as the old `ImageDataGenerator` did."""

import numpy as np


def draw_parameters(generator, shape, random):
    """Return the dictionary that `ImageDataGenerator.apply_transform` takes.

    The numbers are drawn from the same distributions in the same order as in the old class, so a seed gives the same
    parameters. With one difference: the old one multiplied `height_shift_range` with the height and then moved columns
    by it. Here it is "ty" and moves rows, and `width_shift_range` is "tx".

    Args:
        generator: An `ImageDataGenerator`.
        shape: Shape of the picture, in the generator's `data_format`.
        random: A `numpy.random.RandomState`, or `numpy.random` itself.
    """
    height, width = shape[generator.row_axis - 1], shape[generator.col_axis - 1]
    theta = _symmetric(random, generator.rotation_range)
    ty = _shift(random, generator.height_shift_range, height)
    tx = _shift(random, generator.width_shift_range, width)
    shear = _symmetric(random, generator.shear_range)
    low, high = generator.zoom_range
    zx, zy = (1, 1) if low == high == 1 else random.uniform(low, high, 2)
    flips = [bool(random.random_sample() < 0.5) for _ in range(2)]
    channel_shift = _symmetric(random, generator.channel_shift_range) if generator.channel_shift_range else None
    brightness = None if generator.brightness_range is None else random.uniform(*generator.brightness_range)
    return {
        "theta": theta,
        "tx": tx,
        "ty": ty,
        "shear": shear,
        "zx": zx,
        "zy": zy,
        "flip_horizontal": flips[0] and generator.horizontal_flip,
        "flip_vertical": flips[1] and generator.vertical_flip,
        "channel_shift_intensity": channel_shift,
        "brightness": brightness,
    }


def _symmetric(random, limit):
    return random.uniform(-limit, limit) if limit else 0


def _shift(random, allowed, length):
    if not np.any(allowed):
        return 0
    if isinstance(allowed, float):
        shift = random.uniform(-allowed, allowed)
    else:
        shift = random.choice(allowed)
        shift = shift * random.choice([-1, 1])
    return shift * length if np.max(allowed) < 1 else shift
