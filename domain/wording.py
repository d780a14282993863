"""Putting rules and delegations into sentences, from templates."""

from collections.abc import Sequence
from typing import Any

from domain.questions.registry import KINDS
from domain.rules import Case, Rule

WHEN: dict[str, str] = {kind.name: kind.when for kind in KINDS.values() if kind.when is not None}

MOST_OF_WHY = 200


def rule_text(scope: Case, title: str, learned_from: str, why: str = "") -> str:
    """A rule in one or two sentences: when, what, and from which decision."""
    reason = f', who said: "{why[:MOST_OF_WHY].strip()}"' if why.strip() else ""
    return (
        f"{WHEN.get(scope.kind, scope.kind)}{_narrowed(scope)}: {_lowered(title)}. Learned from {learned_from}{reason}."
    )


def _narrowed(scope: Case) -> str:
    if scope.kind in KINDS and KINDS[scope.kind].names_its_case:
        return f' "{scope.about}"'
    parts = [
        *([scope.about] if scope.about is not None else []),
        *([f"line {scope.item_id}"] if scope.item_id is not None else []),
        *([f"category {scope.category}"] if scope.category is not None else []),
        *([f"vendor {scope.vendor_id}"] if scope.vendor_id is not None else []),
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _lowered(title: str) -> str:
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def actions_in_words(actions: Sequence[dict[str, Any]]) -> str:
    """Names of actions as words: `reorder item, notify team`."""
    return ", ".join(str(action["name"]).replace("_", " ") for action in actions)


def delegation_question(rule: Rule, rule_id: str) -> str:
    """The question whether a rule may decide without asking."""
    times = "once" if rule.streak == 1 else f"{rule.streak} times in a row"
    return (
        f"You have decided the same {times}. {rule.text} May I decide such cases without asking from now on? "
        f"(rule {rule_id})"
    )
