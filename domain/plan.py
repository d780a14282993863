"""The plan of a run: a closed union of steps that are decided and not yet carried out, and what came of them.

A node parses the plan once when it is entered and dumps it once when it leaves (`nodes.entry`). Plans of threads that
earlier versions parked are read too: every key that was added has a default.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.actions import item_of
from domain.approvals import Advice
from domain.plain_json import JsonObject, PlainAction
from domain.principals import Responder


class RaisedQuestion(BaseModel):
    """A question that is called for: its kind, its line, and what it is about beside the line's file."""

    model_config = ConfigDict(frozen=True)

    kind: str
    item_id: str | None = None
    subject: JsonObject = {}


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True)


class Act(_Step):
    """Carry out one action of a decision."""

    do: Literal["action"] = "action"
    action: PlainAction
    """As it was decided and stored: the ledger holds a repeat against it, word for word."""
    responder: Responder
    decision: str | None = None
    """Actions of one decision are carried out together. None: planned by a version that did them one by one."""

    @property
    def name(self) -> str:
        return self.action["name"]

    @property
    def item_id(self) -> str | None:
        return item_of(self.action)


class Ask(_Step):
    """Put a question to a person."""

    do: Literal["ask"] = "ask"
    kind: str
    item_id: str | None
    subject: JsonObject
    refused: int = 0
    """How many of its options were refused before."""
    advise: bool = False
    """Whether a rule or a model is heard before a person is asked."""
    advice: Advice | None = None
    """What a rule or a model recommends."""

    @property
    def name(self) -> str:
        return f"ask:{self.kind}"


class Review(_Step):
    """Hold the pending questions of a line against its facts."""

    do: Literal["review"] = "review"
    item_id: str

    @property
    def name(self) -> str:
        return "review"


class Tell(_Step):
    """Tell whoever would have been asked what was decided without asking."""

    do: Literal["tell"] = "tell"
    kind: str
    item_id: str | None
    rule_id: str | None
    delegation_id: str | None
    policy: str
    title: str
    summary: str
    why: str
    responder: Responder

    @property
    def name(self) -> str:
        return "decided"


Step = Act | Ask | Review | Tell
PLAN: TypeAdapter[list[Step]] = TypeAdapter(list[Annotated[Step, Field(discriminator="do")]])


class Done(BaseModel):
    """A step that was carried out in this run, under its name and place in the ledger."""

    model_config = ConfigDict(frozen=True)

    name: str
    item: str | None
    do: Literal["action", "ask", "review", "tell"]
    ordinal: int
    result: JsonObject


DONE: TypeAdapter[list[Done]] = TypeAdapter(list[Done])
