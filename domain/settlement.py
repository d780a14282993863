"""What became of somebody's answer: applied, talked over while its question stays open, or outdated."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, JsonValue, Tag, TypeAdapter

from domain.approvals import Advice
from domain.plain_json import JsonObject, PlainAction
from domain.plan import RaisedQuestion
from domain.principals import Responder


class Reading(BaseModel):
    """What was read in an answer in free words, as it is shown beside them."""

    understood: str
    doubts: list[str] = []
    model: str | None = None
    confidence: float | None = None
    tokens: int | None = None
    confirmed: bool = False
    """Whether the person said yes to it."""


class _Settlement(BaseModel):
    model_config = ConfigDict(frozen=True)

    approval_id: str | None = None
    """None: no question was open; a person overruled what a rule decided."""
    kind: str | None = None
    item_id: str | None = None
    why: str = ""
    """The person's words; of an outdated answer, why it settled nothing."""

    def plain(self) -> JsonObject:
        """As it goes through ledger and state."""
        plain: JsonObject = self.model_dump(mode="json", exclude_unset=True)
        return plain


class Applied(_Settlement):
    """The answer stands: its actions are carried out."""

    applied: Literal[True]
    kind: str
    type: Literal["approve", "reject", "edit", "respond", "overrule"]
    actions: list[PlainAction]
    responder: Responder
    subject: JsonObject = {}
    refused: int = 0
    """How many of the question's options were refused before."""
    options: int = 0
    """How many options it has."""
    reading: Reading | None = None
    advice: Advice | None = None
    asks: list[RaisedQuestion] = []
    """What is asked in its place."""


class KeptOpen(_Settlement):
    """The answer settled nothing yet: what it says is answered, or must be confirmed, and the question stays open."""

    applied: Literal[False]
    kind: str
    kept_open: Literal["answered", "asked_again"]
    told: str
    """What the person was told."""
    responder: Responder
    reading: Reading


class Outdated(_Settlement):
    """The answer came too late, or was not its giver's to give: nothing was done."""

    applied: Literal[False]


def _sort_of(settlement: JsonValue | _Settlement) -> str:
    """Which one a settlement on record is."""
    if not isinstance(settlement, dict):
        return type(settlement).__name__
    if settlement.get("applied"):
        return Applied.__name__
    return KeptOpen.__name__ if settlement.get("kept_open") else Outdated.__name__


Settlement = Applied | KeptOpen | Outdated
SETTLEMENT: TypeAdapter[Settlement] = TypeAdapter(
    Annotated[
        Annotated[Applied, Tag("Applied")]
        | Annotated[KeptOpen, Tag("KeptOpen")]
        | Annotated[Outdated, Tag("Outdated")],
        Discriminator(_sort_of),
    ]
)
