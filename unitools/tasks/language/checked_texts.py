"""What `predict` is given."""

from collections.abc import Sequence

from unitools.core.checks import fail


def checked_texts(texts: Sequence[str], name: str = "texts") -> list[str]:
    """Return texts as a list, or raise unless each is a string."""
    if isinstance(texts, (str, bytes)):
        fail(name, texts, "a list of strings", "Put a single text in a list.")
    texts = list(texts)
    wrong = next((text for text in texts if not isinstance(text, (str, bytes))), None)
    if wrong is not None:
        fail(name, wrong, "a list of strings")
    return texts
