"""The pictures of the demo."""

from pathlib import Path

from unitools.cli.demo_settings import DemoSettings
from unitools.cli.digits import write_digits
from unitools.cli.user_error import UserError
from unitools.data import ImageFolder
from unitools.data.image import Augmenter, Compose, RandomAffine, RandomColor

# 288: above the 224 of most weights, since what a picture shows may be small in it.
_DIGIT_SIZE, _SIZE, _PRETRAINED_SIZE = 16, 96, 288


def open_data(settings: DemoSettings) -> tuple[ImageFolder, ImageFolder]:
    """Return the readers of the training and of the validation pictures, every file checked."""
    if settings.data is None and settings.validation is not None:
        raise UserError("--validation needs --data: the digits have a validation part of their own.")
    train, validation = settings.data, settings.validation
    if train is None:
        train, validation = write_digits(settings.output / "digits", settings.seed)
    elif validation is None and _sibling(train).is_dir():
        validation = _sibling(train)
    options = {"image_size": _image_size(settings), "color_mode": _color_mode(settings), "check": True}
    train = ImageFolder(train, **options)
    if train.num_classes < 2:
        raise UserError(f"{train.path} has one class folder, {train.class_names[0]!r}. A classifier needs two or more.")
    if validation is None:
        return train.split(0.2, settings.seed)
    return train, ImageFolder(validation, class_names=train.class_names, **options)


def augmentation(settings: DemoSettings) -> Augmenter:
    """Return changes that leave the class as it is. A mirrored digit is another one, or none."""
    if settings.data is None:
        return RandomAffine(rotation=10, shear=0.1, zoom=0.1, translation=0.08, seed=settings.seed)
    movement = RandomAffine(rotation=15, shear=0.2, zoom=(0.6, 1.1), horizontal_flip=True)
    return Compose([movement, RandomColor(brightness=0.2, contrast=0.2, saturation=0.2)], seed=settings.seed)


def _sibling(train):
    folder = Path(train).absolute()
    return folder.with_name("val") if folder.name == "train" else folder / "no sibling"


def _image_size(settings):
    default = _PRETRAINED_SIZE if settings.weights else _SIZE if settings.data else _DIGIT_SIZE
    return (settings.image_size or default,) * 2


def _color_mode(settings):
    return "grayscale" if settings.data is None and settings.weights is None else "rgb"
