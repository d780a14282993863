"""All actions, found by their files, and the sets over them that others need."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from pydantic import BaseModel

import domain.actions as actions
from domain.actions.kinds import ActionKind

_NOT_AN_ACTION = ("kinds", "registry", "shapes")


def _find_kinds() -> dict[str, ActionKind[BaseModel]]:
    """Every file of this package that declares an action, by the action's name.

    Raises:
        ImportError: a file declares another action than it is named after, or one that is not in the union.
    """
    found: dict[str, ActionKind[BaseModel]] = {}
    for module in iter_modules(actions.__path__):
        if module.name in _NOT_AN_ACTION:
            continue
        kind: ActionKind[BaseModel] = import_module(f"{actions.__name__}.{module.name}").KIND
        if kind.name != module.name:
            raise ImportError(f"domain/actions/{module.name}.py declares the action {kind.name!r}")
        found[kind.name] = kind
    if set(found) != set(actions.ACTION_NAMES):
        odd = ", ".join(sorted(set(found) ^ set(actions.ACTION_NAMES)))
        raise ImportError(f"not both in a file of domain/actions and in the union Action: {odd}")
    return found


ACTION_KINDS = _find_kinds()


def _names(holds: Callable[[ActionKind[BaseModel]], bool]) -> frozenset[str]:
    return frozenset(name for name, kind in ACTION_KINDS.items() if holds(kind))


AGENT_ALONE = _names(lambda kind: not kind.needs_a_person)
"""Actions that an automated responder may take, where the amount and the vendor allow it. All others need a person,
unless one delegated them (docs/for-managers.md, "Who may do what")."""
PERSONS_OWN = _names(lambda kind: kind.is_persons_own)
DELEGABLE = _names(lambda kind: not kind.is_persons_own)
SPENDING = _names(lambda kind: kind.commits == "orders")
"""Actions that order at a price: held against po_limit, or against the amount of a delegation."""
BINDING = _names(lambda kind: kind.commits == "accepts")
"""Actions that order nothing and still bind the building to pay: goods or terms are accepted as they are."""
REVISING = _names(lambda kind: kind.commits == "revises")
"""Actions that change what an order commits: its new total is held against limits."""
COMMITTING = SPENDING | BINDING | REVISING
"""Actions whose money is held against limits."""
REVERSIBLE = _names(lambda kind: kind.is_reversible)
ONLY_UNDOES = _names(lambda kind: kind.only_undoes)
ONLY_SAYS = _names(lambda kind: kind.only_says)
ACCOMPANIES = _names(lambda kind: kind.accompanies)
OF_THE_CASE = frozenset(argument for kind in ACTION_KINDS.values() for argument in kind.of_the_case)
"""Arguments that belong to one case: days, quantities, words."""
RECIPIENTS = {name: kind.recipient for name, kind in ACTION_KINDS.items() if kind.recipient is not None}
"""Actions that do nothing but write to somebody, and the argument that says to whom."""
ORDER_DOCUMENTS = {name: kind.order_document for name, kind in ACTION_KINDS.items() if kind.order_document is not None}
"""Actions whose message is a purchase order, and what becomes of the order with it."""
