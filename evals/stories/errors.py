"""The errors of judgement that are counted."""

from dataclasses import dataclass
from enum import StrEnum


class ErrorClass(StrEnum):
    """The classes, named as in the JSON."""

    NEEDLESS = "needless"
    MISSED_QUESTION = "missed_questions"
    MISSED_NOTICE = "missed_notices"
    FALSE_ALL_CLEAR = "false_all_clears"
    WRONG_STATE = "wrong_states"
    OVER_TELLING = "over_telling"
    WRONG_ALONE = "wrong_alone"

    @property
    def label(self) -> str:
        """What one of them is called."""
        return LABELS[self]


LABELS = {
    ErrorClass.NEEDLESS: "needless question",
    ErrorClass.MISSED_QUESTION: "missed question",
    ErrorClass.MISSED_NOTICE: "missed notice",
    ErrorClass.FALSE_ALL_CLEAR: "false all-clear",
    ErrorClass.WRONG_STATE: "wrong state",
    ErrorClass.OVER_TELLING: "over-telling",
    ErrorClass.WRONG_ALONE: "wrong action alone",
}
DANGEROUS = (ErrorClass.FALSE_ALL_CLEAR, ErrorClass.WRONG_STATE, ErrorClass.WRONG_ALONE)
"""A building suffers from these; the others cost a person's time or trust."""


@dataclass(frozen=True)
class JudgementError:
    """One error, or several of one kind in one place."""

    error_class: ErrorClass
    step: int
    """From 1; one more than there are steps: in the end."""
    day: str
    what: str
    """The step."""
    want: str
    seen: str
    why: str = ""
    """The manager's reason."""
    count: int = 1
