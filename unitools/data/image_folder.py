"""Pictures in class folders."""

import copy
import os
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from unitools.core.checks import check_choice, check_flag, check_index, check_integer, check_number, fail
from unitools.data.batches import Batches
from unitools.data.class_folders import list_class_folders
from unitools.data.picture_cache import cache_loader, cache_pictures
from unitools.data.picture_check import check_pictures
from unitools.data.picture_error import PictureError
from unitools.data.picture_source import CHANNELS, batch_finisher, file_loader, picture_source
from unitools.data.stratify import split_indices


class ImageFolder:
    """Reads pictures from a folder that has one folder a class.

    Why: the usual layout of a data set for image classification, as a reader with a length, random access, stratified
    splits, and batches that resume exactly.

    JPEG, PNG, GIF, BMP and still WebP are read: grey becomes colour and colour grey as asked, CMYK becomes RGB, alpha
    is dropped unless `color_mode="rgba"`, 16-bit PNG keeps its high byte, EXIF rotation is applied, and of an animated
    GIF the first frame is taken. Class folders may have folders of their own. Hidden files and files that are no
    pictures are passed over.

    The constructor lists the folders and opens no file, so it is quick on network disks. A file that turns out
    unreadable in training stops it with an error that names the file. `check=True` and `on_error="skip"` decode every
    file once, before training.

    Args:
        path: The folder.
        image_size: (height, width) that every picture is resized to, bilinearly. Default (224, 224).
        color_mode: "rgb", "grayscale" or "rgba". Default "rgb".
        class_names: Names of the class folders in the order of their labels. Default: all folders, sorted. Give the
            training folder's to a validation folder, so that labels agree.
        check: Whether to decode every file now and raise for all that cannot be read. Default False.
        on_error: "raise", or "skip" to decode every file now and leave out those that cannot be read; they are listed
            in `skipped`. Default "raise".
        follow_links: Whether links to folders are entered. Links to files always are. Default True.

    Attributes:
        files: Tuple of paths, class by class.
        labels: int32 array, the class of each file.
        class_names: Tuple of class names; a label is a position in it.
        skipped: List of (file, reason) that were left out.

    Raises:
        PictureError: Something that was found cannot be read. `findings` lists all of it.
        UnknownClassError: A folder is not in `class_names`.
        ValueError, OSError: `path` is no such folder, or another argument is out of range.

    Example:
    >>> import tempfile, pathlib
    >>> from PIL import Image
    >>> root = pathlib.Path(tempfile.mkdtemp())
    >>> for name, color in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
    ...     (root / name).mkdir()
    ...     Image.new("RGB", (40, 30), color).save(root / name / "1.png")
    >>> from unitools.data import ImageFolder
    >>> folder = ImageFolder(root, image_size=(8, 8))
    >>> len(folder), folder.class_counts, folder[1]["labels"]
    (2, {'blue': 1, 'red': 1}, 1)
    >>> images, labels = next(iter(folder.batches(2, shuffle=False)))
    >>> tuple(images.shape), images.numpy()[0, 0, 0].tolist(), labels.numpy().tolist()
    ((2, 8, 8, 3), [0.0, 0.0, 255.0], [[1.0, 0.0], [0.0, 1.0]])
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        image_size: tuple[int, int] = (224, 224),
        color_mode: str = "rgb",
        class_names: list[str] | tuple[str, ...] | None = None,
        check: bool = False,
        on_error: str = "raise",
        follow_links: bool = True,
    ):
        self.path = Path(path)
        self.image_size = _checked_size(image_size)
        self.color_mode = check_choice("color_mode", color_mode, tuple(CHANNELS))
        check_flag("check", check)
        check_flag("follow_links", follow_links)
        self.on_error = check_choice("on_error", on_error, ("raise", "skip"))
        self.class_names, examples, findings = list_class_folders(path, class_names, follow_links=follow_links)
        self.files = tuple(file for file, _ in examples)
        self.labels = np.array([label for _, label in examples], np.int32)
        self.skipped = []
        self._kept = None
        self._settle(findings, check)
        if class_names is None:
            self._leave_out_empty_classes()
        if not self.files:
            advice = "At least one JPEG, PNG, GIF, BMP or WebP that can be read is needed."
            raise PictureError(self.skipped or [(str(path), "its class folders hold no pictures")], advice)

    def _settle(self, findings, check):
        """Raise for what cannot be read, or leave it out."""
        if check or self.on_error == "skip":
            findings = findings + check_pictures(self.files, self.color_mode)
        if findings and self.on_error == "raise":
            raise PictureError(findings, 'Mend or remove them, or leave them out with on_error="skip".')
        bad = {file for file, _ in findings}
        keep = [index for index, file in enumerate(self.files) if file not in bad]
        self.skipped = findings
        self.files, self.labels = tuple(self.files[index] for index in keep), self.labels[keep]

    def _leave_out_empty_classes(self):
        """Raise for classes that no picture represents, or leave them out and number the others anew."""
        empty = [name for name, count in self.class_counts.items() if count == 0]
        findings = [(str(self.path / name), "the class folder holds no pictures") for name in empty]
        if findings and self.on_error == "raise":
            raise PictureError(findings, 'Remove them, leave them out with on_error="skip", or give `class_names`.')
        kept, self.labels = np.unique(self.labels, return_inverse=True)
        self.labels = self.labels.astype(np.int32)
        self.class_names = tuple(self.class_names[label] for label in kept)
        self.skipped = self.skipped + findings

    def __len__(self):
        return len(self.files)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def class_counts(self) -> dict:
        """Number of pictures by class name."""
        counts = np.bincount(self.labels, minlength=self.num_classes)
        return dict(zip(self.class_names, counts.tolist(), strict=True))

    def __getitem__(self, index: int) -> dict:
        """Return `{"images": float32 (height, width, channels) in 0..255, "labels": int}`."""
        position = check_index(index, len(self))
        load = file_loader(self.image_size, self.color_mode)
        try:
            image = load(os.fsencode(self.files[position]), position, None)
        except tf.errors.OpError as error:
            raise PictureError(check_pictures([self.files[position]], self.color_mode)) from error
        return {"images": image.numpy(), "labels": int(self.labels[position])}

    def split(self, fraction: float, seed: int, *, stratify: bool = True) -> tuple["ImageFolder", "ImageFolder"]:
        """Return two readers: the first without, the second with `fraction` of the pictures, drawn at random.

        Args:
            fraction: Share of the second reader, in (0, 1).
            seed: Integer >= 0. The same seed gives the same split.
            stratify: Whether the share is taken of each class, at least one picture a class on either side. Default
                True.

        Raises:
            ValueError: `fraction` is out of range, or a class has too few pictures.
        """
        check_number("fraction", fraction, 0, 1, open_low=True, open_high=True)
        check_integer("seed", seed, 0)
        check_flag("stratify", stratify)
        first, second = split_indices(self.labels, fraction, seed, self.class_names if stratify else None)
        return self._part(first), self._part(second)

    def _part(self, indices):
        part = copy.copy(self)
        part.files, part.labels = tuple(self.files[index] for index in indices), self.labels[indices]
        part.skipped, part._kept = list(self.skipped), None
        return part

    def batches(
        self,
        batch_size: int,
        *,
        shuffle: bool = True,
        seed: int | None = None,
        augment: object | None = None,
        class_mode: str | None = "categorical",
        drop_remainder: bool = False,
        cache: bool = False,
        rescale: float | None = None,
    ) -> Batches:
        """Return `(images, labels)` batches for `fit`; images alone where `class_mode` is None.

        Args:
            batch_size: Pictures a batch, >= 1.
            shuffle: Whether each epoch has an order of its own. Default True.
            seed: Integer from 0 to 2^31 - 1 that fixes order and augmentation; see `Batches`.
            augment: A unitools augmenter, or a Keras layer or function of images `(batch, height, width, channels)` in
                0..255, which is called with `training=True` where it takes that. Those draw their own random numbers,
                so only unitools augmenters repeat exactly on a resume.
            class_mode: "categorical" for one-hot float32 `(batch, num_classes)`, "sparse" for int32 `(batch,)`,
                "binary" for float32 `(batch, 1)`, None for no labels. Default "categorical".
            drop_remainder: Whether pictures that do not fill the last batch are left out. Default False.
            cache: Whether to keep the decoded pictures, rounded to uint8, in memory. Costs batches * height * width *
                channels bytes, at most half of the free memory. Default False.
            rescale: Factor on the pixel values, after augmentation; 1/255 for 0..1. Default: float32 in 0..255.

        Raises:
            ValueError: An argument is out of range, or the classes do not suit `class_mode`.
            MemoryError: `cache=True` would take too much memory.
        """
        self._check_classes(check_choice("class_mode", class_mode, ("categorical", "sparse", "binary", None)))
        if rescale is not None:
            check_number("rescale", rescale, 0, open_low=True, advice="Use 1/255 for values in 0..1.")
        if augment is not None and not callable(augment) and not hasattr(augment, "augment"):
            fail("augment", augment, "an augmenter, a layer or a function of images", "See unitools.data.image.")
        check_flag("cache", cache)
        source = self._source(augment, class_mode, cache, rescale)
        return Batches(source, batch_size, shuffle=shuffle, seed=seed, drop_remainder=drop_remainder)

    def _check_classes(self, class_mode):
        if class_mode == "binary" and self.num_classes != 2:
            fail("class_mode", class_mode, f"'categorical' or 'sparse' for {self.num_classes} classes")
        if class_mode is not None and self.num_classes < 2:
            expected = f"None where {str(self.path)!r} has one class only ({self.class_names[0]!r})"
            fail("class_mode", class_mode, expected, "A classifier needs pictures of at least two classes.")

    def _source(self, augment, class_mode, cache, rescale):
        """Return the `Source` of the batches."""
        entry = augment.entry() if hasattr(augment, "entry") and not cache else None
        rest = augment if entry is None else augment.after_entry()
        # Where nothing is left for the batch, the entry puts the factor on in its own pass.
        scale = (1.0 if rescale is None else rescale) if entry is not None and rest is None else None
        rescale = rescale if scale is None else None
        load = cache_loader(self._cached()) if cache else file_loader(self.image_size, self.color_mode, entry, scale)
        finish = batch_finisher(self.num_classes, class_mode, augment=rest, rescale=rescale)
        draw = None if entry is None else partial(entry.draw, image_size=self.image_size)
        return picture_source(self.files, self.labels, load=load, finish=finish, draw=draw)

    def _cached(self):
        if self._kept is None:
            self._kept = cache_pictures(self.files, self.image_size, self.color_mode)
        return self._kept


def _checked_size(image_size):
    if not isinstance(image_size, (tuple, list)) or len(image_size) != 2:
        fail("image_size", image_size, "a pair (height, width)")
    return tuple(check_integer("image_size", size, 1) for size in image_size)
