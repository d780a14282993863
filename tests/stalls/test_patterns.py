"""No text from outside can hold the service up in a regular expression: each takes time in proportion to the text."""

import re
import time

import pytest

from domain.own_ids import without_owner
from runtime.redaction import Redaction
from runtime.settings import Settings
from tests.stalls.attacks import attacks, patterns, patterns_out_of_sight

SIZES = (200, 2_000, 20_000)
SLOWEST = 30
MAX_S = 0.1
"""CPU time for the largest; an exponential pattern takes longer for the smallest."""

PATTERNS = patterns()
MADE_OF_LITERALS = {
    "domain/own_ids.py": "ids of buildings, escaped",
    "evals/anonymising.py": "names of a building's own lines, escaped; on the command line only",
    "evals/stories/format.py": "what a story's author wants a message to say; on the command line only",
    "evals/stories/wants.py": "the same, on the agent's own messages",
    "runtime/redaction.py": "the secrets of the settings, escaped",
}
"""Where a pattern is made while running, and of what; `test_patterns_made_of_literals...` tries those of literals."""


def test_every_pattern_of_the_project_is_seen() -> None:
    assert len(PATTERNS) > 60
    for known in ("runtime.redaction._NAMED", "domain.days_found._PHRASE", "api.waiting._WAIT"):
        assert known in PATTERNS
    beyond = [line for line in patterns_out_of_sight() if line.partition(":")[0] not in MADE_OF_LITERALS]
    assert beyond == []


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_time_in_proportion_to_the_text(name: str) -> None:
    expect_quick(PATTERNS[name], name)


def expect_quick(pattern: re.Pattern[str], name: str) -> None:
    numbers: list[int] | None = None
    for size in SIZES:
        times = {}
        for number, text in enumerate(attacks(pattern, size)):
            if numbers is None or number in numbers:
                started = time.thread_time()
                for _ in pattern.finditer(text):
                    pass
                times[number] = took = time.thread_time() - started
                assert took < MAX_S, f"{name}: {took:.3f} s for {size} characters like {text[:60]!r}"
        if size == SIZES[1]:  # what is quadratic stands out here already: only the slowest are tried at full length
            numbers = sorted(times, key=lambda number: -times[number])[:SLOWEST]


@pytest.mark.parametrize(
    "slow", [r"(a+)+$", r"(?:\\+.|[^\\])*\"", r"\s*>.*x", r"\b[\w-]+ of", r"from \d+\w* to", r"a.*b.*c$"]
)
def test_a_planted_slow_pattern_is_found(slow: str) -> None:
    """With small sizes: what is exponential would not come back from larger ones."""
    worst = 0.0
    pattern = re.compile(slow)
    for size in (24, 3_000, 12_000):
        for text in attacks(pattern, size):
            started = time.thread_time()
            for _ in pattern.finditer(text):
                pass
            worst = max(worst, time.thread_time() - started)
            if worst > 0.02:
                return
    pytest.fail(f"nothing took longer than {worst:.4f} s")


BACKSLASH = "\\"
NAMED = [f"{name}{quote}" for name in ("password=", "secret: ", "api_key=") for quote in ("", '"', "'", '\\"')]


def test_redaction_takes_time_in_proportion_to_the_text() -> None:
    """Whatever is logged or stored of outside text goes through it as a whole."""
    redact = Redaction(Settings(api_key="own-0a9b8c7d6e5f4a3b"))
    pieces = [*NAMED, "a://b:", "a://b:c@", "bearer ", "basic  ", "whsec_", "own-0a9b8c7d"]
    fillings = [BACKSLASH, BACKSLASH + "a", BACKSLASH * 2 + '"', "\"'", " ", "\n", "a", "/", ":", "@", "\t="]
    for piece in pieces:
        for filling in fillings:
            for text in (piece + filling * 20_000, (piece + filling) * 2_000, (piece + filling * 30) * 300):
                started = time.thread_time()
                redact(text[:20_000])
                took = time.thread_time() - started
                assert took < MAX_S, f"{took:.3f} s for text like {text[:60]!r}"
    depths = "\n".join(f'password={BACKSLASH * depth}"' for depth in range(200, 0, -1))[:20_000]
    started = time.thread_time()
    redact(depths)
    assert time.thread_time() - started < MAX_S


def test_patterns_made_of_literals_take_time_in_proportion_to_the_text() -> None:
    neutral = without_owner("office", "office-fork-1", "o")
    for piece in ("office-", "office-1-", "office:1", "o-1", "o:", "office-r1", "office" * 50 + ":9"):
        for text in (piece * 5_000, piece + "1" * 20_000, (piece + "1" * 20) * 700):
            started = time.thread_time()
            neutral(text[:20_000])
            assert time.thread_time() - started < MAX_S, piece


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('password="a b\\"c d" x', "c d"),
        ("{'password': 'it\\'s hidden'}", "hidden"),
        ('password="cut off in the midd', "midd"),
        (r'"{\"password\": \"one \\\" two\", \"x\": 1}"', "two"),
        ("Password = hunter22", "hunter22"),
        ("DB_PASSWORD=hunter22", "hunter22"),
        ("redis://:hunter22@cache/0", "hunter22"),
        ("https://user:hunter@22@host/x", "hunter"),
        ("Authorization: Bearer abcdefghijklmnop", "abcdefgh"),
    ],
)
def test_a_secret_is_found_in_whatever_quotes_it_stands(text: str, secret: str) -> None:
    hidden = Redaction(Settings())(text)
    assert secret not in hidden
    assert "[redacted]" in hidden
