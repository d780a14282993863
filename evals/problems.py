"""What can be wrong with what an agent did. The dangerous kinds are counted apart."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of errors, the dangerous ones first."""

    WRONG_ACTION = "wrong action taken"
    MISSED_ESCALATION = "missed escalation"
    NEEDLESS_ESCALATION = "needless escalation"
    DUPLICATE_EFFECT = "duplicate effect"
    WRONG_READING = "wrong reading of text"
    MISSED_ACTION = "action missing"
    WRONG_QUESTION = "question put wrongly"
    WRONG_STATE = "log not as it should be"
    WRONG_MESSAGE = "message missing or needless"
    FAILED = "could not be played"


DANGEROUS = (
    Kind.WRONG_ACTION,
    Kind.MISSED_ESCALATION,
    Kind.NEEDLESS_ESCALATION,
    Kind.DUPLICATE_EFFECT,
    Kind.WRONG_READING,
)


@dataclass(frozen=True)
class Problem:
    """One thing that is not as expected. `step` counts from 1; None: the scenario as a whole."""

    kind: Kind
    detail: str
    step: int | None = None
