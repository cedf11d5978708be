"""What the demo is asked to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DemoSettings:
    """The options of `python -m unitools demo`. Where one is None, the data or the network decide.

    Args:
        data: Folder with one folder a class. Default None: handwritten digits.
        validation: Folder to evaluate on. Default None: `val` beside a folder `train`, else a fifth of each class.
        weights: Folder, file or name of a pretrained base model. Default None: a small network, from random weights.
        epochs: Passes over the training pictures. Default None.
        batch_size: Pictures a batch. Default 32.
        image_size: Height and width in pixels. Default None.
        output: Where results go. Default runs/demo.
        seed: Seed of the split, the weights, the order and the augmentation. Default 0.
    """

    data: Path | None = None
    validation: Path | None = None
    weights: str | None = None
    epochs: int | None = None
    batch_size: int = 32
    image_size: int | None = None
    output: Path = Path("runs/demo")
    seed: int = 0
