"""A tokenizer's folder as written by Transformers, to arguments of `WordPieceTokenizer`."""

import json
from pathlib import Path

from unitools.data.text.word_piece_trie import CONTINUATION

_ROLES = {"pad": "pad_token", "unknown": "unk_token", "first": "cls_token", "last": "sep_token", "mask": "mask_token"}
_OPTIONS = {"lowercase": "do_lower_case", "strip_accents": "strip_accents", "split_chinese": "tokenize_chinese_chars"}
_NORMALIZER = {"lowercase": "lowercase", "strip_accents": "strip_accents", "split_chinese": "handle_chinese_chars"}
_EXPECTED = {"continuing_subword_prefix": CONTINUATION, "max_input_chars_per_word": 100}


def read_folder(folder) -> dict:
    """Return the arguments that the files of a folder give.

    Args:
        folder: A folder with vocab.txt or tokenizer.json. tokenizer_config.json goes before tokenizer.json.

    Raises:
        FileNotFoundError: Neither file is there.
        ValueError: A file holds another kind of tokenizer, or is damaged.
    """
    folder = Path(folder)
    if (folder / "tokenizer.json").is_file():
        arguments = _from_json(folder / "tokenizer.json")
    elif (folder / "vocab.txt").is_file():
        arguments = {"vocabulary": _lines(folder / "vocab.txt"), "special_tokens": {}}
    else:
        raise FileNotFoundError(
            f"A tokenizer's folder must hold vocab.txt or tokenizer.json. Received folder={str(folder)!r}."
        )
    config = _json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    named = {role: _content(config[key]) for role, key in _ROLES.items() if config.get(key)}
    arguments["special_tokens"] = arguments["special_tokens"] | named
    options = {name: config[key] for name, key in _OPTIONS.items() if config.get(key) is not None}
    longest = config.get("model_max_length")
    # Transformers writes 1e30 for "no limit".
    if isinstance(longest, int) and 3 <= longest < 10**6:
        options["max_length"] = longest
    return arguments | options


def _json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON file in UTF-8: {error}. Write it again.") from error


def _content(token):
    return token["content"] if isinstance(token, dict) else token


def _lines(path):
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}. Write it again in UTF-8.") from error
    lines = text.split("\n")
    return [line.rstrip() for line in (lines if lines[-1] else lines[:-1])]


def _from_json(path):
    content = _json(path)
    model, normalizer = content.get("model") or {}, content.get("normalizer") or {}
    kinds = {"model": "WordPiece", "normalizer": "BertNormalizer", "pre_tokenizer": "BertPreTokenizer"}
    for part, kind in kinds.items():
        found = (content.get(part) or {}).get("type", kind if part == "model" else None)
        _expect(path, f"{part}.type", found, kind)
    for key, value in _EXPECTED.items():
        _expect(path, f"model.{key}", model.get(key, value), value)
    _expect(path, "normalizer.clean_text", normalizer.get("clean_text", True), True)
    ids = dict(model["vocab"])
    special = {"unknown": model.get("unk_token", "[UNK]")}
    for token in content.get("added_tokens") or []:
        for flag in ("lstrip", "rstrip", "single_word", "normalized"):
            _expect(path, f"added token {token['content']!r}, {flag}", token.get(flag, False), False)
        ids[token["content"]] = token["id"]
        special[token["content"]] = token["content"]
    options = {name: normalizer[key] for name, key in _NORMALIZER.items() if normalizer.get(key) is not None}
    return {"vocabulary": _by_id(path, ids), "special_tokens": special, **options}


def _expect(path, what, found, expected):
    if found != expected:
        raise ValueError(
            f"{path}: {what} must be {expected!r}, as BERT's tokenizer has it. Received {found!r}. "
            "Use a folder of a WordPiece model."
        )


def _by_id(path, ids):
    tokens = sorted(ids, key=ids.get)
    if [ids[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError(f"{path}: the ids of the vocabulary must run from 0 to {len(tokens) - 1} without a gap.")
    return tokens
