"""How many tokens a text takes, without a tokenizer's tables: those are downloaded, and differ from model to model."""

import re

_PIECE = re.compile(r"(?P<letters>[A-Za-z]+)|(?P<digit>\d)|(?P<other>[^\sA-Za-z\d])|(?P<space>\s+)")
_WORDS, _DIGITS, _OTHERS = re.compile(r"[A-Za-z]+"), re.compile(r"\d"), re.compile(r"[^\sA-Za-z\d]")
_TAILS, _SPACES = re.compile(r"(?<![A-Za-z])[A-Za-z]{6}([A-Za-z]+)"), re.compile(r"\s{2,}|[^\S ]")
_TOKEN = 20
"""What a token counts. Whole numbers, so that a sum is the same from whichever end it is made."""
# A short word is one token; what is longer, and other languages in Latin letters, is cut about every four letters.
_SHORT_WORD, _LETTER = 6, _TOKEN // 4
_PUNCTUATION = 18  # often one token with its neighbour
_LATIN, _LATIN_LETTER, _BYTE = 0x250, 28, _TOKEN // 4
_SPACES_A_TOKEN = 8


def count_tokens(text: str) -> int:
    """An estimate within a fifth of what Qwen2.5's tokenizer counts, on mails of five languages, tables and JSON.

    `count_tokens_approximately` of LangChain was off by half on identifiers, tables and Chinese (tests/memory). Kinds
    of pieces are counted one after the other, each in one go: piece by piece took seven times as long.
    """
    tails = "".join(_TAILS.findall(text))
    whole = len(_WORDS.findall(text)) + len(_DIGITS.findall(text)) + sum(map(_tokens_of_space, _SPACES.findall(text)))
    return _ceil_of(_TOKEN * whole + _LETTER * len(tails) + _others(_OTHERS.findall(text)), _TOKEN)


def _ceil_of(number: int, by: int) -> int:
    return -(-number // by)


def _tokens_of_space(found: str) -> int:
    return _ceil_of(len(found), _SPACES_A_TOKEN)


def _others(found: list[str]) -> int:
    joined = "".join(found)
    if joined.isascii():
        return len(found) * _PUNCTUATION
    return sum(map(_of_other, found))


def _of_other(found: str) -> int:
    if found.isascii():
        return _PUNCTUATION
    return _LATIN_LETTER if ord(found) < _LATIN else _BYTE * len(found.encode())


def _of(piece: re.Match[str]) -> int:
    found = piece.group()
    match piece.lastgroup:
        case "letters":
            return _TOKEN + _LETTER * max(0, len(found) - _SHORT_WORD)
        case "space":
            return 0 if found == " " else _TOKEN * _tokens_of_space(found)
        case "digit":
            return _TOKEN
        case _:
            return _of_other(found)


def cut_to(text: str, tokens: int, *, keep: str = "first") -> str:
    """The longest beginning (or end, `keep="last"`) of a text that takes at most so many tokens."""
    pieces = _PIECE.finditer(text)
    used, place = 0, 0 if keep == "first" else len(text)
    for piece in pieces if keep == "first" else reversed(list(pieces)):
        used += _of(piece)
        if used > _TOKEN * tokens:
            break
        place = piece.end() if keep == "first" else piece.start()
    return text[:place] if keep == "first" else text[place:]
