"""All kinds of questions, found by their files, and the sets over them that others need."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

import domain.questions as questions
from domain.questions.kinds import FreeKind, LineKind, QuestionKind, Subject

AnyKind = LineKind[Subject] | FreeKind[Subject]


def _find_kinds() -> dict[str, AnyKind]:
    """Every file of this package that declares a kind, by the kind's name.

    Raises:
        ImportError: a file declares another kind than it is named after.
    """
    found: dict[str, AnyKind] = {}
    for module in iter_modules(questions.__path__):
        if module.name in _NOT_A_KIND:
            continue
        kind: AnyKind = import_module(f"{questions.__name__}.{module.name}").KIND
        if kind.name != module.name:
            raise ImportError(f"domain/questions/{module.name}.py declares the kind {kind.name!r}")
        found[kind.name] = kind
    return found


_NOT_A_KIND = ("build", "kinds", "line_facts", "registry", "reports")

KINDS = _find_kinds()


def _names(holds: Callable[[AnyKind], bool]) -> frozenset[str]:
    return frozenset(kind.name for kind in KINDS.values() if holds(kind))


WITHOUT_LINE = _names(lambda kind: isinstance(kind, FreeKind))
ALWAYS_A_PERSON = _names(lambda kind: kind.is_always_a_persons)
NEEDS_A_PERSON = _names(lambda kind: kind.needs_a_person)
DELEGABLE = _names(lambda kind: not kind.is_always_a_persons)
ANSWERED_BY_ANYONE = _names(lambda kind: kind.any_key_may_answer)
ASKED_ONCE = _names(lambda kind: isinstance(kind, LineKind) and kind.is_asked_once)
LETS_THE_LINE_GO_ON = _names(lambda kind: isinstance(kind, LineKind) and not kind.holds_line)
ESCALATES = _names(lambda kind: kind.escalates)
NOT_ABOUT_AN_EVENT = _names(lambda kind: not kind.is_about_an_event)
TOLD_FROM_OUTSIDE = _names(lambda kind: kind.is_told_from_outside)
PUT_TO_MODELS = _names(lambda kind: kind.is_put_to_models)
REST_ON_VENDORS = _names(lambda kind: kind.rests_on_vendors)


def declaration_of(kind: str) -> QuestionKind[Subject]:
    """What is known of a kind."""
    return KINDS[kind]
