"""Whether a score is to rise or to fall."""

import re

from unitools.core.checks import check_choice, fail

_FALLS = ("loss", "error", "mae", "mse", "rmse", "perplexity", "crossentropy", "wer", "cer")
_RISES = ("accuracy", "acc", "f1", "auc", "precision", "recall", "score", "bleu", "iou", "map")


def direction_of(objective: str, direction: str | None = None) -> str:
    """Return "max" or "min": as given, or as the name of the score tells.

    Args:
        objective: Name of the score, such as "val_loss".
        direction: "max", "min", or None for what the name tells.

    Raises:
        ValueError: The name tells nothing, and no direction is given.
    """
    if not isinstance(objective, str) or not objective:
        fail("objective", objective, "the name of a score", "Write for instance objective='val_accuracy'.")
    if direction is not None:
        return check_choice("direction", direction, ("max", "min"))
    words = re.split(r"[^a-z0-9]+", objective.lower())
    falls, rises = any(word in _FALLS for word in words), any(word in _RISES for word in words)
    if falls == rises:
        fail("direction", None, '"max" or "min"', f"The name {objective!r} does not tell whether it is to rise.")
    return "min" if falls else "max"
