"""The networks of keras.applications, by name."""

import warnings

import keras

from unitools.backbones.downloads import downloading
from unitools.backbones.preprocess_modes import preprocess_for

# What `preprocess_input` of each module does. "none": the network begins with its own scaling layers.
MODES = {
    "convnext": "none",
    "densenet": "torch",
    "efficientnet": "none",
    "efficientnet_v2": "none",
    "inception_resnet_v2": "tf",
    "inception_v3": "tf",
    "mobilenet": "tf",
    "mobilenet_v2": "tf",
    "mobilenet_v3": "none",
    "nasnet": "tf",
    "resnet": "caffe",
    "resnet_v2": "tf",
    "vgg16": "caffe",
    "vgg19": "caffe",
    "xception": "tf",
}


def application_names() -> tuple[str, ...]:
    """Return the names of all networks of keras.applications: "resnet50", "efficientnetb0", ..."""
    return tuple(sorted(_constructors()))


def application_name(name: str) -> str | None:
    """Return the name as in `application_names`, whatever its case, "_" and "-", or None if it is not one."""
    plain = name.lower().replace("_", "").replace("-", "")
    return plain if plain in _constructors() else None


def application_preprocess(name: str):
    """Return the preprocessing of a network's published weights."""
    return preprocess_for(MODES[_constructors()[name].__module__.rpartition(".")[2]])


def build_application(
    name: str, *, weights: str | None, include_top: bool, input_shape: tuple | None, num_classes: int = 1000
) -> keras.Model:
    """Return the network with random weights (None) or those published for ImageNet ("imagenet")."""
    purpose = f"{name} with weights='imagenet'"
    with warnings.catch_warnings(), downloading(purpose, f'load("{name}", weights="path/to/file")'):
        # Keras warns that other channel counts are unusual.
        warnings.filterwarnings("ignore", message="This model usually expects 1 or 3 input channels")
        return _constructors()[name](
            weights=weights, include_top=include_top, input_shape=input_shape, classes=num_classes
        )


def _constructors():
    found = vars(keras.applications)
    return {name.lower(): build for name, build in found.items() if callable(build) and not name.startswith("_")}
