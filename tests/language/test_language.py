"""The words of the code are plain: what is not may only become less."""

import ast

import pytest

from tests.language import measures
from tests.language.measures import Findings, measure
from tests.language.words import is_participle

MAX_SHARES = {
    "participles as function names": 8,
    "participles and fillers as variables": 11.6,
    "archaic turns": 2.5,
    "class names that stand twice": 83,
    "limits under other names than MAX_": 57,
}
"""By title; the goals stand with the measures."""


@pytest.mark.parametrize("findings", measure(), ids=lambda findings: findings.title)
def test_the_words_are_as_plain_as_they_were(findings: Findings) -> None:
    assert findings.total > 0
    worst = [f"{word} ({places[0]})" for word, places in findings.most_common(5)]
    assert findings.share <= MAX_SHARES[findings.title], f"{findings.share:.2f} {findings.unit}; most often {worst}"
    slack = findings.goal if findings.share <= findings.goal else findings.share + max(0.1 * findings.share, 1)
    assert MAX_SHARES[findings.title] <= max(slack, findings.goal), f"{findings.share:.2f}: let MAX_SHARES say so"


@pytest.mark.parametrize("word", ["found", "held", "taken", "met", "filed", "told", "named", "overruled"])
def test_a_participle_is_known(word: str) -> None:
    assert is_participle(word)


@pytest.mark.parametrize("word", ["find", "need", "feed", "is_released", "load_line", "red", "approval", "embed"])
def test_other_words_are_none(word: str) -> None:
    assert not is_participle(word)


def test_each_measure_sees_what_it_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    source = '''
MOST_LINES = 3


def found(told: str) -> str:
    """Whoever holds the line puts to a person what stands open."""
    return told


class Line:
    """A line."""


class Line:
    """Another."""
'''
    monkeypatch.setattr(measures, "_sources", lambda: [("a.py", source)])
    monkeypatch.setattr(measures, "_trees", lambda: [("a.py", ast.parse(source))])
    monkeypatch.setattr(measures, "HOUSE", measures.HOUSE / "no_documents")
    seen = {findings.title: sorted(findings.places) for findings in measure()}
    assert seen == {
        "participles as function names": ["found"],
        "participles and fillers as variables": ["told"],
        "archaic turns": ["puts to", "stands", "whoever"],
        "class names that stand twice": ["Line"],
        "limits under other names than MAX_": ["MOST_LINES"],
    }
