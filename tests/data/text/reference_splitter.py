"""The rules of the word splitter in plain Python, a text and a word at a time, for the characters of ALPHABET."""

import random
import re
import string

LETTERS = string.ascii_letters + "éßЯяשعह한か"
IDEOGRAPHS = "中國虎"
SPACES = " \t\n\xa0\u3000\u2028\x00\x1f\u200b\ufeff"
WIDE = "—…。，「」"  # noqa: RUF001 - as they are
BRACKETS = '()[]{}"“”„«»'
EDGES = BRACKETS + "'`,;:!?‘’¿،"  # noqa: RUF001 - as they are
CURRENCY = "$€£"
OTHERS = "+=*%&@/\\_#~^|<>-.👍°\u200d"
SNIPPETS = (
    *("www.", "://", "x@b.com", "http://a.com/b--c", "Mr.", "Dr.", "U.S.", "Mr.Dr", "ab.", "n't", "'s", "’re", "'LL"),
    *("1.", "12.", "1234.", "..", "...", "--", "''", "``", "$5", "C$", "5%", "1,000.5", "a,b", "a:b", "-R.", "can't"),
)
ALPHABET = (LETTERS, "0123456789", IDEOGRAPHS, SPACES, WIDE, EDGES, CURRENCY, OTHERS)
ABBREVIATIONS = ("Mr.", "Dr.", "a.b.", "vs.")
_LETTER = f"[{LETTERS}]"
_ALONE = re.compile(rf"([{re.escape(BRACKETS)}]|([.\-'`])\2+|[,;:!?](?=%s))")
_CLITIC = re.compile(r"([nN]['’][tT]|['’]([sSmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))$")  # noqa: RUF001 - as it is


def random_texts(count, seed):
    """Return texts of characters and snippets in any order, some empty."""
    draw = random.Random(seed)

    def part():
        return draw.choice(SNIPPETS) if draw.random() < 0.2 else draw.choice(draw.choice((*ALPHABET, LETTERS, " ")))

    return ["".join(part() for _ in range(draw.randint(0, 24))) for _ in range(count)]


def split(text, abbreviations=ABBREVIATIONS, split_clitics=True, split_chinese=True):
    """Return the words of a text, with their offsets."""
    letters = LETTERS if split_chinese else LETTERS + IDEOGRAPHS
    alone = WIDE + IDEOGRAPHS if split_chinese else WIDE
    spans = []
    for chunk in re.finditer(f"[{alone}]|[^{SPACES}{alone}]+", text):
        if chunk[0] in alone:
            spans.append(chunk.span())
        else:
            spans += _split_chunk(text, *chunk.span(), letters, abbreviations, split_clitics)
    return [(text[begin:end], [begin, end]) for begin, end in spans]


def _split_chunk(text, begin, end, letters, abbreviations, split_clitics):
    chunk, plain = text[begin:end], f"[{letters}0-9]"
    if re.search(rf"://|(?<!{plain})www\.|{plain}@{plain}", chunk):
        return _peel(text, begin, end, letters, abbreviations, split_clitics=False, address=True)
    spans, at = [], 0
    for mark in re.finditer(_ALONE.pattern % f"[{letters}]", chunk):
        spans += _peel(text, begin + at, begin + mark.start(), letters, abbreviations, split_clitics)
        spans.append((begin + mark.start(), begin + mark.end()))
        at = mark.end()
    return spans + _peel(text, begin + at, end, letters, abbreviations, split_clitics)


def _peel(text, begin, end, letters, abbreviations, split_clitics, address=False):
    first, last = begin, end
    while first < end and text[first] in EDGES:
        first += 1
    while last > first and text[last - 1] in EDGES + ".":
        last -= 1
    if last == first:
        return _singles(text, begin, end)
    cuts, after = {first, last}, last
    if last < end and text[last] == "." and text[last : last + 2] != "..":
        after += _keeps_period(text, first, last, letters, abbreviations)
    if not address:
        cuts |= _amounts(text, first, last)
    clitic = _CLITIC.search(text[begin:last]) if split_clitics else None
    if clitic and begin + clitic.start() > first:
        cuts.add(begin + clitic.start())
    elif clitic and begin + clitic.start() == first - 1:
        first -= 1
    edges = sorted((cuts - {last} | {after}) - ({first + 1} if first not in cuts else set()) | {first})
    return [*_singles(text, begin, first), *zip(edges, edges[1:], strict=False), *_singles(text, after, end)]


def _amounts(text, first, last):
    found = {first + at.end() for at in re.finditer(rf"[{CURRENCY}](?=\d)|\d(?=[{CURRENCY}])", text[first:last], re.A)}
    return found | ({last - 1} if re.search(r"\d%$", text[first:last], re.A) else set())


def _singles(text, begin, end):
    return [(begin + found.start(), begin + found.end()) for found in re.finditer(r"([.'`])\1*|.", text[begin:end])]


def _keeps_period(text, first, last, letters, abbreviations):
    word = text[first:last]
    stem = word.rpartition("-")[2]
    if stem + "." in abbreviations:
        return True
    if re.fullmatch(r"[0-9]{1,3}", word):
        return not text[:first].strip(SPACES) and bool(text[last + 1 :].strip(SPACES))
    runs = re.findall(f"[{letters}]+", stem)
    initials = len(stem) <= 15 and bool(runs) and stem[-1] in letters and all(len(run) < 3 for run in runs)
    return initials and not stem.strip(letters + ".") and (len(stem) == 1 or "." in stem)
