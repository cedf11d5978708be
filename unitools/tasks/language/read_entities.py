"""What an extractor gives, as entities of Python."""

from collections.abc import Mapping

import numpy as np

from unitools.tasks.language.entity import Entity


def read_entities(answers: Mapping) -> list[list[Entity]]:
    """Return the entities of each text, without the padding.

    Args:
        answers: Output of an `EntityExtractor`, or of a model exported from it.
    """
    values = {name: np.asarray(value) for name, value in answers.items()}
    counts = np.sum(values["starts"] >= 0, axis=1)
    return [[_entity(values, row, column) for column in range(count)] for row, count in enumerate(counts)]


def _entity(values, row, column):
    text, kind = (values[name][row, column].decode("utf-8") for name in ("texts", "types"))
    start, end, confidence = (values[name][row, column].item() for name in ("starts", "ends", "confidences"))
    return Entity(text, kind, start, end, confidence)
