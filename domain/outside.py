"""Text from outside, as it may stand in a message, a question or a page of ours: on one line, marked, without links.

A vendor's mail may say "Read and answer: https://..." as our own mails do. Everything that we word ourselves goes
through `own_words`, and what it quotes through `quoted` or `shown_name`: the only link that works is the one that
runtime/channels_letter.py adds, on a line that nothing else can begin.
"""

import re
import unicodedata

MAX_QUOTED = 300
"""Characters of a text from outside that a message of ours quotes; the whole text is shown with the question."""
MAX_NAME = 120
MAX_OWN_WORDS = 4_000
"""Characters of a text that we word ourselves."""

_BETWEEN_WORDS = re.compile(r"\s+")
_JOINERS = "\u200c\u200d"
"""Some scripts are written with them."""
_CLOSING = {"'": "\u2019", "\u2018": "\u2019"}
"""A quoted text cannot end its own quotation: the marks are straight, and apostrophes in it are curved."""
_ADDRESS = re.compile(r"(?P<mark>://|(?<![\w.])www\.)(?P<host>[^\s/?#]{0,255})", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![\w.+-])(?P<scheme>mailto|tel|sms|javascript|data|file):", re.IGNORECASE)
_FILES = r"pdf|docx?|xlsx?|csv|txt|png|jpe?g|gif|dwg|dxf|ifc|xml|json|html?|md|zip|eml|msg|xer"
_WORD = re.compile(r"\S++")
# A dot between letters, before at least two characters that begin with a letter, in any script: that is what programs
# take for a web address. Numbers such as 12.5m are none, and neither is report.pdf, unless a path follows.
_JOINING_DOT = re.compile(rf"(?<=[\w-])[.\uff0e\u3002\uff61](?=[^\W\d_][\w-])(?!(?:{_FILES})(?![\w/-]))", re.IGNORECASE)
_LIKE_OURS = re.compile(r"\bread\s+and\s+answer\b", re.IGNORECASE)


def one_line(text: str, most: int | None = None) -> str:
    """On one line, without characters that nobody sees or that turn the direction of writing, and cut to length."""
    flat = _BETWEEN_WORDS.sub(" ", "".join(map(_visible, text))).strip()
    return flat if most is None or len(flat) <= most else f"{flat[: most - 1].rstrip()}\u2026"


def _visible(char: str) -> str:
    if char.isprintable() or char in _JOINERS:
        return char
    kind = unicodedata.category(char)
    return " " if kind in ("Zl", "Zp", "Zs") or char in "\t\n\r\v\f\x85" else ""


def without_links(text: str) -> str:
    """With addresses of the web written so that no program makes a link of them: `https[:]//evil[.]example`."""
    text = _ADDRESS.sub(_unlinked, text)
    text = _SCHEME.sub(r"\g<scheme>[:]", text)
    return _WORD.sub(lambda found: _without_domain(found.group()), text)


def _without_domain(word: str) -> str:
    """A word in which no dot joins two parts of a web address; a mail address and a file's name stay as they are."""
    if "." not in word or ("@" in word and "/" not in word):
        return word
    return _JOINING_DOT.sub("[.]", word)


def _unlinked(found: re.Match[str]) -> str:
    mark = "[:]//" if found["mark"] == "://" else "www[.]"
    return mark + found["host"].replace(".", "[.]")


def quoted(text: str, most: int = MAX_QUOTED) -> str:
    """A text from outside in marks that it cannot close, on one line, without links, cut to length."""
    flat = without_links(one_line(text, most))
    return f"'{''.join(_CLOSING.get(char, char) for char in flat)}'"


def shown_name(name: str) -> str:
    """A name from outside: as it is where it looks like a name, else marked like any text from outside."""
    return name if _is_plain(name) else quoted(name, MAX_NAME)


def shown_phrase(text: str) -> str:
    """A few words from outside behind a word of ours that says whose they are: marked where they are more than that."""
    return text if _is_plain(text) else quoted(text)


def _is_plain(text: str) -> bool:
    is_short = len(text) <= MAX_NAME and one_line(text) == text and without_links(text) == text
    return is_short and not _LIKE_OURS.search(text)


def own_words(text: str, most: int = MAX_OWN_WORDS) -> str:
    """What we word ourselves, quotes included: one line, no links, cut to length; a dash where nothing is said."""
    return without_links(one_line(text, most)) or "-"
