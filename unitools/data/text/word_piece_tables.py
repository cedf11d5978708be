"""The tables of a tokenizer, built once for tokenizers that are alike."""

import functools

from unitools.data.text.character_codes import CharacterCodes, build_codes
from unitools.data.text.word_piece_trie import WordPieceTrie, build_trie


@functools.lru_cache(maxsize=4)
def build_tables(
    vocabulary: tuple, whole_tokens: tuple, lowercase: bool, strip_accents: bool, split_chinese: bool
) -> tuple[WordPieceTrie, CharacterCodes]:
    """Return the trie of a vocabulary and the codes of characters, about a second's work for 30,000 tokens.

    Args:
        vocabulary: Tokens in the order of their ids.
        whole_tokens: Tokens that are matched in the text as they stand.
        lowercase: Whether letters become lower case.
        strip_accents: Whether accents are left out.
        split_chinese: Whether each ideograph is a word.
    """
    trie = build_trie(vocabulary, whole_tokens)
    options = {"lowercase": lowercase, "strip_accents": strip_accents, "split_chinese": split_chinese}
    return trie, build_codes(trie.alphabet, whole_tokens, **options)
