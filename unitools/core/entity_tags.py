"""Entity tags: prefix and type of each, and the scheme that a set of tags is written in."""

from collections.abc import Sequence

from unitools.core.checks import check_choice, fail

OUTSIDE = ("O", "")
# The first is the one that begins an entity where nothing stands before it.
PREFIXES = {"iob2": "BI", "iob1": "IB", "bioes": "BIES"}


def split_tag(tag: str) -> tuple[str, str] | None:
    """Return ("B", "PER") for "B-PER", ("O", "") for "O", and None for what is no entity tag."""
    if tag == "O":
        return OUTSIDE
    prefix, _, kind = tag.partition("-")
    return (prefix, kind) if kind and prefix in tuple("BIES") else None


def check_tags(name: str, tags: Sequence[str], *, entities: bool = True) -> tuple[str, ...]:
    """Return `tags` as a tuple, or raise unless they are two or more distinct strings.

    Args:
        name: Name of the argument, for the message.
        tags: Tags in the order of their numbers.
        entities: Whether each must be an entity tag: O, or B-, I-, E- or S- and a type.
    """
    listed = isinstance(tags, Sequence) and not isinstance(tags, str) and all(isinstance(tag, str) for tag in tags)
    if not listed or len(tags) < 2 or len(set(tags)) != len(tags):
        fail(name, tags, "two or more distinct tags in the order of their numbers", "Give the reader's `tags`.")
    if entities and None in map(split_tag, tags):
        wrong = [tag for tag in tags if split_tag(tag) is None]
        fail(name, tags, "O, or B-, I-, E- or S- and a type, for every tag", f"These are not: {wrong}.")
    return tuple(tags)


def resolve_scheme(scheme: str, tags: Sequence[str]) -> str:
    """Return the scheme, "auto" told from the prefixes: "bioes" where there is an E or S, else "iob2".

    Args:
        scheme: "auto", "iob2", "iob1" or "bioes".
        tags: Entity tags, which must have no prefix that the scheme lacks.
    """
    check_choice("scheme", scheme, ("auto", *PREFIXES))
    used = {split_tag(tag)[0] for tag in tags} - {"O"}
    if scheme == "auto":
        return "bioes" if used & set("ES") else "iob2"
    if used - set(PREFIXES[scheme]):
        fail("scheme", scheme, f"one that has the prefixes {sorted(used)} of the tags", "Use scheme='auto'.")
    return scheme
