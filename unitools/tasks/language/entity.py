"""One entity in a text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entity:
    """An entity that a recognizer found.

    Args:
        text: What the text says there.
        type: Its type, such as "PER".
        start: Where it begins, in characters from 0.
        end: Where it ends, the character there not included.
        confidence: Mean probability of the tags of its words, from 0 to 1.

    Example:
    >>> from unitools.tasks import Entity
    >>> Entity("Ada", "PER", 0, 3, 0.97).type
    'PER'
    """

    text: str
    type: str
    start: int
    end: int
    confidence: float
