"""Which parsed sentences can be used, and their tags in one scheme."""

from unitools.core.entity_tags import split_tag
from unitools.data.text.tag_scheme import convert_tags, detect_scheme, offences
from unitools.data.text.text_file_error import TextFileError


class SettledRows:
    """Sentences that can be used, their tags converted, and what was wrong with the others.

    Args:
        path: Path of the file, for messages.
        found: Sentences, as `parse_rows` gives them.
        scheme: Scheme of the tags, "auto", or None for tags that are taken as they are.
        to: Scheme to convert to, or None.
        on_error: "raise", "repair" or "skip".

    Attributes:
        sentences: The sentences that can be used.
        scheme: The scheme, as given or detected.
        repaired: List of (line, reason) where tags were repaired.
        skipped: List of (line, reason) for which a sentence was left out.

    Raises:
        TextFileError: Lines that cannot be used.
    """

    def __init__(self, path, found, scheme, to, on_error):
        self._path, self._on_error = path, on_error
        self.repaired, self.skipped = [], []
        if scheme is not None:
            _find_foreign_tags(found)
        found = self._without_faults(found, 'Mend them, or leave out their sentences with on_error="skip".')
        self.scheme = detect_scheme(sentence.tags for sentence in found) if scheme == "auto" else scheme
        self.sentences = found if scheme is None else self._converted(found, to or self.scheme)

    def _converted(self, found, to):
        for sentence in found:
            broken = [(sentence.lines[at], reason) for at, reason in offences(sentence.tags, self.scheme)]
            if self._on_error == "repair":
                self.repaired += broken
            else:
                sentence.findings += broken
        advice = 'Give the `scheme` that the file has, or on_error="repair" or "skip".'
        found = self._without_faults(found, advice)
        for sentence in found:
            sentence.tags = convert_tags(sentence.tags, to)
        return found

    def _without_faults(self, found, advice):
        findings = [finding for sentence in found for finding in sentence.findings]
        if findings and self._on_error != "skip":
            raise TextFileError(self._path, findings, advice)
        self.skipped += findings
        found = [sentence for sentence in found if not sentence.findings]
        if not found:
            raise TextFileError(self._path, self.skipped or [(0, "the file holds no sentences")])
        return found


def _find_foreign_tags(sentences):
    """Note the tags that are none of any scheme."""
    for sentence in sentences:
        sentence.findings += [
            (line, f"{tag!r} is no entity tag: O, or B-, I-, E- or S- and a type")
            for line, tag in zip(sentence.lines, sentence.tags, strict=True)
            if split_tag(tag) is None
        ]
