"""What a step may be expected to bring about, in the short forms that keep scenarios readable."""

from datetime import date
from typing import Literal, TypeVar, get_args

from pydantic import BaseModel, Field, JsonValue, field_validator, model_validator
from pydantic.fields import FieldInfo

from domain.actions import ACTION_NAMES, Action
from domain.approvals import POLICY, ApprovalKind
from domain.buildings import Strict
from domain.plain_json import JsonObject
from domain.procurement import Commercial, Logistics, Quality, Submittal
from domain.questions.registry import WITHOUT_LINE
from domain.text import Name
from evals.on_file import PlainResponder

T = TypeVar("T")

_ARGUMENTS: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["name"].annotation)[0]: model.model_fields["arguments"].annotation
    for model in get_args(get_args(Action)[0])
}

_FACETS = {"submittal": Submittal, "commercial": Commercial, "logistics": Logistics, "quality": Quality}
WORDS: dict[str, str] = {
    **{str(value): facet for facet, kind in _FACETS.items() for value in kind},
    **dict.fromkeys(("clear", "tight", "conflict", "no_band"), "schedule_band"),
    **dict.fromkeys(("held", "not_held"), "hold"),
    **dict.fromkeys(("added", "removed"), "line"),
    **{"unflagged": "flag", "flagged": "flag"},
}
"""Every word that says what became of a line, and the facet it belongs to. No two facets share one."""

DAYS = ("required_by", "eta", "promised_date", "held_until")
"""Days of a line that may be expected beside the words; `required_by` must be, where it changes."""


Decider = Literal["policy", "rule", "model", "program", "person"]
"""Who decided on an action, or recommends an option."""


def decider(responder: PlainResponder | None) -> Decider | None:
    """Who that is, in one word."""
    if responder is None:
        return None
    if responder["type"] != "automated_rule":
        return "person" if responder["type"] == "human" else "model"
    if responder["id"] == POLICY.id:
        return "policy"
    return "rule" if responder["id"].startswith("rule:") else "program"


def one_or_more(given: T | list[T]) -> list[T]:
    """One is written without the list around it."""
    return given if isinstance(given, list) else [given]


def arguments_of(name: str) -> dict[str, FieldInfo]:
    """The arguments of an action."""
    return _ARGUMENTS[name].model_fields


def short_action(given: JsonValue, item: JsonValue = None) -> JsonValue:
    """`issue_purchase_order`, or `{notify_team: {team: receiving}}`, as name and arguments."""
    if isinstance(given, str):
        made: JsonObject = {"name": given, "arguments": {}}
    elif isinstance(given, dict) and len(given) == 1:
        ((name, arguments),) = given.items()
        made = {"name": name, "arguments": {} if arguments is None else arguments}
    else:
        return given
    about = _ARGUMENTS.get(str(made["name"]))
    told = made["arguments"]
    if item is not None and about is not None and "item" in about.model_fields and isinstance(told, dict):
        made["arguments"] = {"item": item, **told}
    return made


class Did(Strict):
    """An action: its name, the arguments that matter, and `by` whom where that matters. Days and amounts must be
    equal, words be in the text."""

    name: str
    arguments: JsonObject = {}
    by: Decider | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: JsonValue) -> JsonValue:
        made = short_action(given)
        told = made.get("arguments") if isinstance(made, dict) else None
        if isinstance(made, dict) and isinstance(told, dict) and "by" in told:
            arguments = dict(told)
            return {**made, "by": arguments.pop("by"), "arguments": arguments}
        return made

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in ACTION_NAMES:
            raise ValueError(f"{name!r} is no action; there are {', '.join(ACTION_NAMES)}")
        return name

    @model_validator(mode="after")
    def _takes_them(self) -> "Did":
        unknown = set(self.arguments) - set(self.known)
        if unknown:
            raise ValueError(f"{self.name} has no argument {sorted(unknown)[0]!r}; it has {', '.join(self.known)}")
        return self

    @property
    def known(self) -> dict[str, FieldInfo]:
        """The arguments that the action takes."""
        return arguments_of(self.name)


class Standing(Strict):
    """A question that is there already."""

    kind: ApprovalKind
    item: Name | None = Field(None, description="Id of the line; the step's when absent.")
    to: Name | None = Field(None, description="The role that is reminded, or to which it moves.")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: JsonValue) -> JsonValue:
        return {"kind": given} if isinstance(given, str) else given

    @property
    def is_about_a_line(self) -> bool:
        return self.kind not in WITHOUT_LINE


class Asked(Standing):
    """A question that the agent puts."""

    recommends: Name = Field(description="Title of the option that is recommended.")
    by: Decider | None = Field(None, description="rule or model: who recommends it, where it is not the ranking.")
    options: list[Name] | None = Field(None, description="Titles of all options, in order, where they matter.")
    says: str | None = Field(None, description="Words of its summary.")


Word = str | dict[str, str | None]
"""What becomes of a line: a word of `WORDS`, or days by their names."""


def changed_words(given: JsonValue, line: str | None) -> JsonValue | dict[str, list[Word]]:
    """`[approved, ordered]` of the step's line, or words by line; every word is checked."""
    if isinstance(given, str | list):
        if line is None:
            raise ValueError("this step is about no line: write the words under the line's id")
        given = {line: given}
    if not isinstance(given, dict):
        return given
    return {
        named: [_word(word) for word in (words if isinstance(words, list) else [words])]
        for named, words in given.items()
    }


def _word(word: JsonValue) -> Word:
    if not isinstance(word, dict):
        if not isinstance(word, str) or word not in WORDS:
            raise ValueError(f"{word!r} is nothing that becomes of a line; there are {', '.join(WORDS)}")
        return word
    if unknown := set(word) - set(DAYS):
        raise ValueError(f"{sorted(unknown)[0]!r} is no day of a line; there are {', '.join(DAYS)}")
    return {name: None if day is None else date.fromisoformat(str(day)).isoformat() for name, day in word.items()}
