"""What an export answers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

_BATCH = 32


def classify_files(export: Path, files: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Load an export and let it classify picture files, from their bytes, as a server would.

    Args:
        export: Folder of a SavedModel that `unitools.export.saved_model` wrote for "image_bytes", with labels.
        files: Paths of pictures.

    Returns:
        The probabilities `(files, classes)`, and the name of each file's class.
    """
    serve = tf.saved_model.load(str(export)).signatures["serving_default"]
    probabilities, labels = [], []
    for start in range(0, len(files), _BATCH):
        encoded = [Path(file).read_bytes() for file in files[start : start + _BATCH]]
        answers = serve(image_bytes=tf.constant(encoded))
        probabilities.append(answers["probabilities"].numpy())
        labels.extend(label.decode() for label in answers["label"].numpy())
    return np.concatenate(probabilities), labels
