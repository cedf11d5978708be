"""Real handwritten digits, as picture files."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def write_digits(folder: Path, seed: int) -> tuple[Path, Path]:
    """Write scikit-learn's digits as PNG files in class folders, so that they are read as any other pictures.

    1,797 digits of 43 people, 8 x 8 pixels in 17 greys; a fifth of each class is held out. What the folder held before
    is removed.

    Args:
        folder: Where `train` and `val` are made.
        seed: Integer >= 0 that fixes what is held out.

    Returns:
        The paths of `train` and `val`.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998);
    its test part.
    """
    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    train, held_out = train_test_split(np.arange(len(pixels)), test_size=0.2, stratify=digits.target, random_state=seed)
    for name, chosen in (("train", train), ("val", held_out)):
        shutil.rmtree(folder / name, ignore_errors=True)
        for digit in range(10):
            (folder / name / str(digit)).mkdir(parents=True)
        for index in chosen:
            Image.fromarray(pixels[index]).save(folder / name / str(digits.target[index]) / f"{index:04}.png")
    return folder / "train", folder / "val"
