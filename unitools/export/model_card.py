"""What only people know of a model."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from unitools.core.checks import check_number, fail


@dataclass(frozen=True)
class ModelCard:
    """What README.md of an export says beside what the run tells. What is left out stands there as "not stated".

    Why: who finds the folder in a year must know what it was trained on, what it may be used for, and under which
    licence. All texts are plain: Markdown in them is shown as it is written; a blank line parts paragraphs.

    Args:
        name: Title. Default: the model's own name.
        data: What it was trained on, and where that comes from.
        scores: Numbers by name, such as {"accuracy on flower_photos/val": 0.93}.
        intended_use: What it is for.
        limits: Where it fails, what it was not tested on.
        licence: Identifier of SPDX, such as "Apache-2.0", or a name.
        authors: Who answers for it.

    Raises:
        ValueError: A text is empty or no string, or a score is no finite number.

    Example:
    >>> import unitools as ut
    >>> card = ut.export.ModelCard("flowers", scores={"accuracy": 0.93}, licence="Apache-2.0")
    >>> card.scores["accuracy"], card.limits is None
    (0.93, True)
    """

    name: str | None = None
    _: KW_ONLY
    data: str | None = None
    scores: Mapping[str, float] | None = None
    intended_use: str | None = None
    limits: str | None = None
    licence: str | None = None
    authors: Sequence[str] = ()

    def __post_init__(self):
        for name in ("name", "data", "intended_use", "limits", "licence"):
            if getattr(self, name) is not None:
                _check_text(name, getattr(self, name))
        if not (self.scores is None or isinstance(self.scores, Mapping)):
            fail("scores", self.scores, "numbers by name", 'Give {"accuracy": 0.93}.')
        for name, score in (self.scores or {}).items():
            _check_text("scores", name)
            check_number(f"scores[{name!r}]", score)
        if isinstance(self.authors, str) or not isinstance(self.authors, Sequence):
            fail("authors", self.authors, "a list of names", "Give authors=[...].")
        for author in self.authors:
            _check_text("authors", author)


def _check_text(name, text):
    if not isinstance(text, str) or not text.strip():
        fail(name, text, "a text that is not empty", "Leave out what you do not know.")


def check_card(card: ModelCard | None) -> None:
    """Raise unless this is a card, or None."""
    if not (card is None or isinstance(card, ModelCard)):
        fail("card", card, "a ModelCard or None", "Give ut.export.ModelCard(...).")
