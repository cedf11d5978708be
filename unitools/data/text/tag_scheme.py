"""Entity tags: what a sequence of tags says, whether it keeps its scheme, and the same in another scheme."""

from collections.abc import Iterable, Sequence

from unitools.core.checks import check_choice, fail
from unitools.core.entity_tags import PREFIXES, split_tag

SCHEMES = ("iob2", "iob1", "bioes")


def entity_spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the entities of a sentence as (start, end, type), the end not included.

    One reading serves IOB1, IOB2 and BIOES, and sequences that break them: that of the CoNLL shared tasks. An entity
    begins at a B or S, after an E or S, and wherever an I or E does not go on with the type before it.

    Args:
        tags: Tags of the words, such as "B-PER", "I-PER", "O".

    Raises:
        ValueError: A tag is none of O, B-type, I-type, E-type, S-type.

    Example:
    >>> from unitools.data import entity_spans
    >>> entity_spans(["B-PER", "I-PER", "O", "I-LOC"])
    [(0, 2, 'PER'), (3, 4, 'LOC')]
    """
    spans, start, before = [], None, ("O", "")
    for position, tag in enumerate([*tags, "O"]):
        now = split_tag(tag)
        if now is None:
            fail("tags", tag, "O, or B-, I-, E- or S- and a type", f"It stands at position {position}.")
        goes_on = now[0] in ("I", "E") and before[0] in ("B", "I") and now[1] == before[1]
        if start is not None and not goes_on:
            spans.append((start, position, before[1]))
            start = None
        if start is None and now[0] != "O":
            start = position
        before = now
    return spans


def span_tags(spans: Iterable[tuple[int, int, str]], length: int, scheme: str) -> list[str]:
    """Return the tags of a sentence with these entities.

    Args:
        spans: Entities (start, end, type) that do not overlap, the end not included.
        length: Number of words.
        scheme: "iob2", "iob1" or "bioes".
    """
    tags, end_before, kind_before = ["O"] * length, None, None
    for start, end, kind in sorted(spans):
        tags[start:end] = [f"I-{kind}"] * (end - start)
        if scheme == "bioes":
            tags[end - 1] = f"E-{kind}"
        touches = start == end_before and kind == kind_before
        if scheme != "iob1" or touches:
            tags[start] = f"B-{kind}"
        if scheme == "bioes" and end == start + 1:
            tags[start] = f"S-{kind}"
        end_before, kind_before = end, kind
    return tags


def convert_tags(tags: Sequence[str], to: str) -> list[str]:
    """Return the tags of a sentence in another scheme, the same entities.

    Tags that break their scheme are read as `entity_spans` reads them, so converting to the scheme that they are meant
    to have repairs them.

    Args:
        tags: Tags of the words, in any of the schemes.
        to: "iob2" (B begins every entity), "iob1" (B only where an entity follows one of its type) or "bioes" (E ends
            an entity, S is one of a single word).

    Raises:
        ValueError: `to` is no scheme, or a tag is no tag of one.

    Example:
    >>> from unitools.data import convert_tags
    >>> convert_tags(["I-PER", "I-PER", "B-PER", "O"], to="bioes")
    ['B-PER', 'E-PER', 'S-PER', 'O']
    """
    check_choice("to", to, SCHEMES)
    return span_tags(entity_spans(tags), len(tags), to)


def offences(tags, scheme):
    """Return (position, reason) wherever tags break a scheme, in order.

    Args:
        tags: Entity tags of one sentence.
        scheme: "iob2", "iob1" or "bioes".
    """
    parts = [("O", ""), *map(split_tag, tags), ("O", "")]
    found = []
    for position, tag in enumerate(tags):
        before, now, after = parts[position : position + 3]
        reason = _offence(before, now, after, scheme)
        if reason:
            found.append((position, f"{tag!r} breaks the {scheme} scheme: {reason}"))
    return found


def _offence(before, now, after, scheme):
    prefix, kind = now
    if prefix == "O":
        return None
    if prefix not in PREFIXES[scheme]:
        return f"it has no {prefix}-"
    inside = before[1] == kind and before[0] in ("BI" if scheme == "bioes" else PREFIXES[scheme])
    if scheme == "iob1":
        return None if prefix == "I" or inside else f"no {kind} stands before it"
    if prefix in ("I", "E") and not inside:
        return f"no B-{kind} or I-{kind} stands before it"
    if scheme == "bioes" and prefix in ("B", "I") and not (after[1] == kind and after[0] in ("I", "E")):
        return f"no I-{kind} or E-{kind} comes after it"
    return None


def detect_scheme(sentences):
    """Return the scheme that sentences of entity tags break least; "iob2" where several fit, as they then agree.

    Args:
        sentences: Sequences of tags.
    """
    sentences = list(sentences)
    return min(SCHEMES, key=lambda scheme: sum(len(offences(tags, scheme)) for tags in sentences))
