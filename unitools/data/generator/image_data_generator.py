"""The class that Keras 3 removed, on unitools' batches."""

import inspect
import os
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from unitools.data.generator.colour_shifts import shift_brightness, shift_channels
from unitools.data.generator.flows import array_flow, directory_flow, frame_flow
from unitools.data.generator.generator_arguments import checked_arguments, checked_flow, refuse_saving
from unitools.data.generator.generator_batches import GeneratorBatches
from unitools.data.generator.legacy_geometry import FLIPS, MOVEMENTS, legacy_matrices
from unitools.data.generator.parameter_draws import draw_parameters
from unitools.data.generator.sample_statistics import fit_statistics
from unitools.data.generator.standardization import standardize_array
from unitools.data.image.warp import warp


class ImageDataGenerator:
    """Augments, normalises and batches pictures, with the arguments of the class that Keras 3 removed.

    Why: code written for it runs on, and several times as fast: files are decoded and moved in TensorFlow's threads,
    in one pass from their own size to the target size. For new code, `ImageFolder` and `RandomAffine` say the same
    with fewer words. The flows return `GeneratorBatches`, which `fit`, `evaluate` and `predict` take.

    A picture goes through movement, channel shift, brightness, `preprocessing_function`, `rescale`, samplewise and
    featurewise normalisation, whitening: the old order. Values are 0..255 until `rescale`. All arguments are those of
    the old class.

    Args:
        featurewise_center: Whether to subtract the mean of the data, by channel. Needs `fit`. Default False.
        samplewise_center: Whether to subtract each picture's own mean. Default False.
        featurewise_std_normalization: Whether to divide by the standard deviation of the data. Needs `fit`.
            Default False.
        samplewise_std_normalization: Whether to divide by each picture's own standard deviation. Default False.
        zca_whitening: Whether to decorrelate values by ZCA. Needs `fit`; for small pictures. Default False.
        zca_epsilon: Added to singular values in whitening, > 0. Default 1e-6.
        rotation_range: Largest angle in degrees. Default 0.
        width_shift_range: Largest shift to the sides: a float below 1 is a share of the width, a float from 1 a number
            of pixels; an integer n means whole pixels below n; a list, one of its values. Default 0.
        height_shift_range: The same up and down. Default 0.
        brightness_range: Pair of factors to draw from, as Pillow's `ImageEnhance.Brightness`; None for none.
        shear_range: Largest shear angle in degrees: 0.2 is next to nothing, in the old class too. Default 0.
        zoom_range: Pair to draw width and height from, or r for (1 - r, 1 + r); above 1 shows more. Default 0.
        channel_shift_range: Largest number to add to the values. Default 0.
        fill_mode: What lies beyond the edge: "constant", "nearest", "reflect" or "wrap". Default "nearest".
        cval: Value beyond the edge for "constant". Default 0.
        horizontal_flip: Whether to mirror left and right in half of the cases. Default False.
        vertical_flip: Whether to mirror top and bottom in half of the cases. Default False.
        rescale: Factor on the values, or None. Default None.
        preprocessing_function: Python function from one numpy picture to another of the same shape. It runs under
            Python's lock, so it is slower than all else here. Default None.
        data_format: "channels_last" or "channels_first", of what comes in and goes out; channels_first costs a
            transpose. Default: `keras.config.image_data_format()`.
        validation_split: Share, in [0, 1), of subset="validation". Default 0.
        interpolation_order: 1 for bilinear, 0 for the nearest pixel. Default 1.
        dtype: Float type of what comes out. Default: `keras.config.floatx()`.

    Raises:
        ValueError: An argument is out of range.

    Example:
    >>> import numpy as np
    >>> from unitools.data import ImageDataGenerator
    >>> generator = ImageDataGenerator(rescale=1 / 255, shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
    >>> flow = generator.flow(np.zeros((10, 16, 16, 3), np.uint8), np.arange(10), batch_size=4, seed=1)
    >>> images, labels = next(flow)
    >>> len(flow), images.shape, images.dtype
    (3, (4, 16, 16, 3), dtype('float32'))

    Source: `keras.preprocessing.image.ImageDataGenerator` of Keras 2. Where we differ is listed in
    docs/image_data_generator.md.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: float | int | list = 0.0,
        height_shift_range: float | int | list = 0.0,
        brightness_range: tuple[float, float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | tuple[float, float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: str | None = None,
    ):
        given = {name: value for name, value in locals().items() if name in _ARGUMENTS}
        given["data_format"] = data_format or keras.config.image_data_format()
        given["dtype"] = keras.backend.standardize_dtype(dtype or keras.config.floatx())
        vars(self).update(checked_arguments(given))
        last = self.data_format == "channels_last"
        self.channel_axis, self.row_axis, self.col_axis = (3, 1, 2) if last else (1, 2, 3)
        self.mean = self.std = self.zca_whitening_matrix = None

    def flow(
        self,
        x,
        y=None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight=None,
        seed: int | None = None,
        save_to_dir: None = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> GeneratorBatches:
        """Return batches of the pictures of an array.

        Args:
            x: Pictures with four axes, or (pictures, list of arrays that the model takes beside them). uint8 pictures
                stay uint8 in memory, and where they are moved, are rounded to whole grey levels.
            y: Array of labels, or None.
            batch_size: Pictures a batch.
            shuffle: Whether each epoch has an order of its own.
            sample_weight: Array of weights, or None.
            seed: Integer that fixes order and augmentation.
            save_to_dir: Must be None: flows write no files.
            save_prefix: Without effect.
            save_format: Without effect.
            ignore_class_split: Whether subsets may differ in their classes.
            subset: "training", "validation" (the first `validation_split` of x) or None.
        """
        refuse_saving(save_to_dir)
        order = {"batch_size": batch_size, "shuffle": shuffle, "seed": seed}
        return array_flow(self, x, y, sample_weight, subset, ignore_class_split, order)

    def flow_from_directory(
        self,
        directory: str | os.PathLike,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: list[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> GeneratorBatches:
        """Return batches of the pictures in class folders.

        Args:
            directory: Folder with one folder a class.
            target_size: (height, width).
            color_mode: "rgb", "rgba" or "grayscale".
            classes: Names of the class folders in the order of their labels. Default: all, sorted.
            class_mode: "categorical" `(batch, num_classes)`, "binary" or "sparse" `(batch,)`, "input" for the pictures
                themselves, None for no labels.
            batch_size: See `flow`.
            shuffle: See `flow`.
            seed: See `flow`.
            save_to_dir: See `flow`.
            save_prefix: See `flow`.
            save_format: See `flow`.
            follow_links: Whether links to folders inside class folders are entered.
            subset: "training", "validation" (the first `validation_split` of each class) or None.
            interpolation: "nearest", "bilinear", "bicubic" or "lanczos", where no picture is moved. Where pictures are
                moved, one pass of `interpolation_order` does both.
            keep_aspect_ratio: Whether to cut the centre out in the proportions of `target_size` first.
        """
        size = checked_flow(target_size, interpolation, save_to_dir)
        pictures = _pictures(size, color_mode, interpolation, keep_aspect_ratio)
        order = {"batch_size": batch_size, "shuffle": shuffle, "seed": seed}
        return directory_flow(self, directory, classes, class_mode, subset, follow_links, pictures, order)

    def flow_from_dataframe(
        self,
        dataframe,
        directory: str | os.PathLike | None = None,
        x_col: str = "filename",
        y_col: str | list[str] = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: list[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        keep_aspect_ratio: bool = False,
    ) -> GeneratorBatches:
        """Return batches of the pictures that a pandas data frame names.

        Args:
            dataframe: One row a picture.
            directory: Folder that relative names start from, or None.
            x_col: Column of file names.
            y_col: Column of labels, or a list of columns for "multi_output".
            weight_col: Column of sample weights, or None.
            class_mode: As for `flow_from_directory`, with lists of classes too for "categorical"; "raw" for the
                values as they are; "multi_output" for several columns.
            subset: "training", "validation" (the first `validation_split` of the rows) or None.
            validate_filenames: Whether rows without a file are left out, with a warning.
            target_size: See `flow_from_directory`.
            color_mode: See `flow_from_directory`.
            classes: See `flow_from_directory`.
            batch_size: See `flow_from_directory`.
            shuffle: See `flow_from_directory`.
            seed: See `flow_from_directory`.
            save_to_dir: See `flow_from_directory`.
            save_prefix: See `flow_from_directory`.
            save_format: See `flow_from_directory`.
            interpolation: See `flow_from_directory`.
            keep_aspect_ratio: See `flow_from_directory`.
        """
        size = checked_flow(target_size, interpolation, save_to_dir)
        pictures = _pictures(size, color_mode, interpolation, keep_aspect_ratio)
        order = {"batch_size": batch_size, "shuffle": shuffle, "seed": seed}
        columns = (x_col, y_col, weight_col)
        return frame_flow(
            self, dataframe, directory, columns, classes, class_mode, subset, validate_filenames, pictures, order
        )

    def fit(self, x, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Compute mean, standard deviation and whitening matrix. Call it before a flow is made.

        Args:
            x: Sample pictures with four axes; `rescale` is applied, `preprocessing_function` is not, as in the old
                class.
            augment: Whether to compute them on `rounds` augmented copies.
            rounds: Number of copies, >= 1.
            seed: Integer for the augmentation.
        """
        fit_statistics(self, x, augment, rounds, seed)

    def standardize(self, x) -> np.ndarray:
        """Return a normalised copy of a picture or a batch. The old class wrote into `x`."""
        return standardize_array(self, x)

    def get_random_transform(self, img_shape: tuple, seed: int | None = None) -> dict:
        """Return the parameters of one random transformation, for `apply_transform`.

        Args:
            img_shape: Shape of the picture, without batch axis.
            seed: Integer. Default: numpy's global generator goes on.
        """
        return draw_parameters(self, img_shape, np.random if seed is None else np.random.RandomState(seed))

    def apply_transform(self, x, transform_parameters: dict) -> np.ndarray:
        """Return a picture transformed by given parameters, as the old class did; without `standardize`.

        Args:
            x: One picture, three axes.
            transform_parameters: Any of theta, tx, ty, shear, zx, zy, flip_horizontal, flip_vertical,
                channel_shift_intensity, brightness; see `get_random_transform`.
        """
        x, first = np.asarray(x), self.data_format == "channels_first"
        images = (np.transpose(x, (1, 2, 0)) if first else x)[None]
        if any(transform_parameters.get(name, MOVEMENTS.get(name, 0)) != MOVEMENTS.get(name, 0) for name in _MOVING):
            size = images.shape[1:3]
            fill = self.cval if self.fill_mode == "constant" else self.fill_mode
            interpolation = "bilinear" if self.interpolation_order else "nearest"
            matrices = legacy_matrices(transform_parameters, size)
            images = warp(tf.convert_to_tensor(images), matrices, size, fill, interpolation).numpy()
        for name, shift in (("channel_shift_intensity", shift_channels), ("brightness", shift_brightness)):
            if transform_parameters.get(name) is not None:
                images = shift(images.astype(self.dtype), transform_parameters[name]).numpy()
        return np.transpose(images[0], (2, 0, 1)) if first else images[0]

    def random_transform(self, x, seed: int | None = None) -> np.ndarray:
        """Return a picture, three axes, transformed at random."""
        return self.apply_transform(x, self.get_random_transform(np.shape(x), seed))


_ARGUMENTS = tuple(inspect.signature(ImageDataGenerator).parameters)
_MOVING = (*MOVEMENTS, *FLIPS)


def _pictures(size, color_mode, interpolation, keep_aspect_ratio):
    return {
        "target_size": size,
        "color_mode": color_mode,
        "interpolation": interpolation,
        "keep_aspect_ratio": keep_aspect_ratio,
    }
