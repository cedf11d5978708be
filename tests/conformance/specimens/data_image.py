import numpy as np

from unitools.data.image import RandomAffine
from unitools.testing import Specimen


def _inputs():
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (4, 16, 20, 3), np.uint8)


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
        inputs=_inputs,
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
    )
]
