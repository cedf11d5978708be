"""The tokenizer that belongs to a backbone."""

from unitools.backbones import TextBackbone
from unitools.core.checks import fail
from unitools.data import WordPieceTokenizer


def tokenizer_of(backbone: TextBackbone) -> WordPieceTokenizer:
    """Return the tokenizer of the folder that the backbone was loaded from.

    Raises:
        ValueError: The backbone has none.
    """
    folder = getattr(backbone, "tokenizer_folder", None)
    if folder is None:
        fail("tokenizer", None, "a tokenizer, as the backbone was not loaded from a folder that has one",
             "For a backbone of words give ut.data.WordTokenizer.from_reader(reader).")  # fmt: skip
    longest = backbone.get_layer("embeddings").max_positions
    tokenizer = WordPieceTokenizer.from_folder(folder)
    return tokenizer if tokenizer.max_length <= longest else WordPieceTokenizer.from_folder(folder, max_length=longest)
