import numpy as np

from unitools.data.image import Compose, CutMix, MixUp, RandAugment, RandomAffine, RandomColor, RandomErasing
from unitools.testing import Specimen


def _images():
    return np.random.default_rng(0).integers(5, 250, (4, 16, 20, 3), np.uint8)


def _labelled():
    return {"images": _images(), "labels": np.eye(4, 3, dtype="float32")}


def _segmented():
    return {"images": _images(), "masks": np.random.default_rng(1).integers(0, 5, (4, 16, 20), np.uint8)}


def _detected():
    boxes = np.array([[[2, 3, 9, 11], [0, 0, 20, 16]]] * 4, "float32")
    return _segmented() | {"boxes": boxes, "box_labels": np.tile(np.array([[1, 2]], "int32"), (4, 1))}


def _shapes(inputs):
    return {key: value.shape for key, value in inputs().items()}


SPECIMENS = [
    Specimen(
        RandomAffine,
        arguments={
            "rotation": (-20.0, 30.0),
            "shear": 0.2,
            "zoom": (0.8, 1.3),
            "translation": 0.1,
            "horizontal_flip": True,
            "vertical_flip": True,
            "fill": "reflect",
            "seed": 3,
        },
        inputs=_images,
        output_shape=(4, 16, 20, 3),
        bad={"rotation": 720, "zoom": (2.0, 1.0), "fill": "mirror", "horizontal_flip": 1},
        identity={
            "rotation": 0,
            "shear": 0,
            "zoom": 0,
            "translation": 0,
            "horizontal_flip": False,
            "vertical_flip": False,
        },
    ),
    Specimen(
        RandomAffine,
        arguments={
            "rotation": 15.0,
            "shear": (-0.1, 0.2),
            "zoom": 0.2,
            "translation": (-0.1, 0.1),
            "horizontal_flip": True,
            "vertical_flip": True,
            "fill": 7.0,
            "seed": 3,
        },
        inputs=_detected,
        output_shape=_shapes(_detected),
        identity={
            "rotation": 0,
            "shear": 0,
            "zoom": 0,
            "translation": 0,
            "horizontal_flip": False,
            "vertical_flip": False,
        },
    ),
    Specimen(
        RandomColor,
        arguments={
            "brightness": 0.2,
            "contrast": (0.5, 1.5),
            "saturation": 0.4,
            "hue": 0.1,
            "gray": 0.25,
            "value_range": (0.0, 250.0),
            "seed": 3,
        },
        inputs=_images,
        output_shape=(4, 16, 20, 3),
        bad={"brightness": -1, "contrast": (2, 1), "saturation": "much", "hue": 2, "gray": 1.5, "value_range": (1, 0)},
        identity={"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0, "gray": 0},
    ),
    Specimen(
        RandomErasing,
        arguments={
            "rate": 0.9,
            "area": (0.1, 0.3),
            "aspect": (0.5, 2.0),
            "fill": 7.0,
            "value_range": (0.0, 200.0),
            "seed": 3,
        },
        inputs=_images,
        output_shape=(4, 16, 20, 3),
        bad={"rate": 1.1, "area": (0, 2), "aspect": (0, 1), "fill": "nearest", "value_range": (3, 3)},
        identity={"rate": 0},
    ),
    Specimen(
        RandAugment,
        arguments={
            "num_ops": 3,
            "magnitude": 6,
            "operations": ("rotate", "translate_x", "shear_y", "posterize", "sharpness"),
            "value_range": (0.0, 250.0),
            "fill": 7.0,
            "seed": 3,
        },
        inputs=_detected,
        output_shape=_shapes(_detected),
        bad={
            "num_ops": -1,
            "magnitude": 11,
            "operations": ("blur",),
            "value_range": (1, 0),
            "fill": "mirror",
        },
        identity={"num_ops": 0},
    ),
    Specimen(
        MixUp,
        arguments={"alpha": 0.5, "rate": 0.8, "seed": 3},
        inputs=_labelled,
        output_shape=_shapes(_labelled),
        bad={"alpha": 0, "rate": 2},
        identity={"rate": 0},
    ),
    Specimen(
        CutMix,
        arguments={"alpha": 0.5, "rate": 0.8, "seed": 3},
        inputs=_labelled,
        output_shape=_shapes(_labelled),
        bad={"alpha": 0, "rate": 2},
        identity={"rate": 0},
    ),
    Specimen(
        CutMix,
        arguments={"alpha": 2.0, "rate": 0.9, "seed": 4},
        inputs=_segmented,
        output_shape=_shapes(_segmented),
        identity={"rate": 0},
    ),
    Specimen(
        Compose,
        arguments={"augmenters": [RandomAffine(rotation=10, seed=1), RandomColor(brightness=0.2, seed=2)], "seed": 3},
        inputs=_detected,
        output_shape=_shapes(_detected),
        bad={"augmenters": ()},
        identity={"augmenters": [RandomAffine(), RandomErasing(rate=0)]},
    ),
]
