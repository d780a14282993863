"""How a question to a person is shown, and what becomes of its answer."""

from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.approvals import ApprovalKind, ApprovalStatus, DecisionType, Responder
from storage.connection import Found

T = TypeVar("T")
"""What a view is made of: a row, or what is one already."""

DecisionStatus = Literal["accepted", "applied", "outdated", "failed", "answered", "asked_again"]


class ActionView(BaseModel):
    """Something the agent does or would do."""

    name: str = Field(description="What it does.")
    arguments: dict[str, Any] = Field(description="What it does it with.")


class OptionView(BaseModel):
    """One way out, as a what-if with its assumptions shown."""

    title: str = Field(description="What it is, in a few words.")
    actions: list[ActionView] = Field(description="What would be done.")
    arrival: str | None = Field(None, description="Day on which usable material would be on site; null: unknown.")
    days_late: int | None = Field(None, description="Calendar days after required_by; null: unknown.")
    cost: str = Field("unknown", description="What it costs, with its currency, or `unknown`.")
    assumptions: list[str] = Field([], description="What this rests on.")
    recommended_by: Responder | None = Field(None, description="The rule or model that recommends it, if one does.")
    why: str | None = Field(None, description="What whoever recommends it says.")


class StandingDecision(BaseModel):
    """The answer that was accepted."""

    model_config = ConfigDict(extra="ignore")

    type: DecisionType = Field(description="approve, reject, edit or respond.")
    actions: list[ActionView] = Field([], description="With edit: what was asked for instead.")
    why: str = Field("", description="What the person said about it.")
    responder: Responder = Field(description="Who answered.")
    status: Literal["accepted", "applied", "outdated"] = Field(
        description="accepted: it will be applied in its turn. applied: it was carried out. "
        "outdated: the facts had changed, nothing was done, and the question is asked again."
    )
    event_id: str | None = Field(None, description="Its entry in the building's inbox.")
    at: datetime | None = Field(None, description="When it was accepted.")


class ApprovalView(BaseModel):
    """A question to a person as it stands."""

    approval_id: str = Field(description="Id of the approval.")
    building_id: str = Field(description="The building.")
    item_id: str | None = Field(None, description="The line it is about, where it is about one.")
    kind: ApprovalKind = Field(description="What kind of question it is.")
    matter: str = Field(
        "",
        description="Which of several such questions on the line it is: an NCR number, an order number, an event. "
        "Empty where there is one per line.",
    )
    summary: str = Field(description="The question.")
    recommended: list[ActionView] = Field([], description="What `approve` does.")
    options: list[OptionView] = Field(description="Ways out, the best first.")
    evidence: dict[str, Any] = Field(
        description="The facts that raised it, the policy line it hit, the order, the dates, the rules that hold, "
        "how similar questions were answered, what a rule or a model recommends, and, once the facts have changed, "
        "what changed since people were told (`changed`)."
    )
    status: ApprovalStatus = Field(description="pending, decided, superseded or withdrawn.")
    version: int = Field(description="Raised when the facts change; send it along with the decision.")
    holds_item: bool = Field(description="Whether the agent leaves the line alone until it is answered.")
    asked_of: str | None = Field(None, description="Role that is asked.")
    escalation_level: int = Field(description="How often it was moved up the approver chain.")
    raised_at: datetime = Field(description="When it was raised.")
    due_at: datetime | None = Field(None, description="When a reminder is due.")
    escalate_at: datetime | None = Field(None, description="When it moves up the approver chain.")
    event_id: str | None = Field(None, description="The event that raised it.")
    decision: StandingDecision | None = Field(None, description="The answer that was accepted.")

    @model_validator(mode="before")
    @classmethod
    def _recommend(cls, row: T) -> T | Found:
        """The recommendation is the first option that was not refused."""
        if not isinstance(row, dict) or "refused" not in row:
            return row
        left = row["options"][row["refused"] :]
        return {**row, "recommended": left[0]["actions"] if left else []}


class AcceptedDecisionView(BaseModel):
    """An answer that was taken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "approval_id": "office-renovation.17.0",
                    "event_id": "6c0c9b9e-4a1c-4a7e-9d0b-1d2f9c1f2a11",
                    "seq": 21,
                    "status": "accepted",
                    "version": 1,
                }
            ]
        }
    )

    approval_id: str = Field(description="The approval that was answered.")
    event_id: str = Field(description="The answer's entry in the building's inbox.")
    seq: int = Field(description="Its place in the inbox.")
    status: DecisionStatus = Field(
        description="accepted: it will be applied in its turn. applied: it was carried out. "
        "outdated: the facts had changed, nothing was done, and the question is asked again. "
        "failed: applying it failed, and the question is asked again. "
        "answered: it was a question back, and was answered from the facts; asked_again: free text that was not "
        "certain. In both the question stays open and nothing was done."
    )
    answer: str | None = Field(None, description="With answered and asked_again: what is said to it.")
    would_do: list[str] | None = Field(
        None,
        description="With applied, in a building in watch: the actions that were kept as a decision, and neither "
        "ordered nor sent.",
    )
    version: int = Field(description="The version of the question that was answered.")
