"""The tags of a data set, and their numbers."""

from unitools.core.checks import fail
from unitools.core.entity_tags import PREFIXES, split_tag


class UnknownTagError(ValueError):
    """A file holds tags that `tags` lacks."""


def collect_tags(tags, scheme):
    """Return the tags in the order of their numbers: O, then type by type.

    Every type gets all prefixes of the scheme, so that a tag that the training file happens to lack has a number.

    Args:
        tags: Tags that occur.
        scheme: "iob2", "iob1", "bioes", or None for tags that are taken as they are, in alphabetical order.
    """
    if scheme is None:
        return tuple(sorted(set(tags)))
    kinds = sorted({split_tag(tag)[1] for tag in tags} - {""})
    return ("O", *(f"{prefix}-{kind}" for kind in kinds for prefix in PREFIXES[scheme]))


def checked_tags(tags):
    """Return a given tag set as a tuple, or raise unless it is a sequence of distinct strings."""
    if isinstance(tags, str) or not all(isinstance(tag, str) for tag in tags) or len(set(tags)) != len(list(tags)):
        fail("tags", tags, "a sequence of distinct tags", "Give the `tags` of the training file's reader.")
    return tuple(tags)


def check_known(path, sentences, tags):
    """Raise for tags that a tag set lacks, with the line where the first one stands.

    Args:
        path: Path of the file, for the message.
        sentences: Sentences with `lines` and `tags`.
        tags: The tag set.
    """
    known, unknown = set(tags), {}
    for sentence in sentences:
        for line, tag in zip(sentence.lines, sentence.tags, strict=True):
            if tag not in known:
                unknown.setdefault(tag, line)
    if unknown:
        places = ", ".join(f"{tag!r} (first in line {line})" for tag, line in unknown.items())
        raise UnknownTagError(
            f"`tags` must name every tag of {str(path)!r}. It lacks {places}; it has {list(tags)}. Add the tags to the "
            "data that the tag set comes from, mend the file, or convert both to the same scheme with `to`."
        )
