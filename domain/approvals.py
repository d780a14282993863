"""Questions to people and their answers: what is asked, what may be answered, and what an answer means."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from domain.actions import Action
from domain.buildings import Strict
from domain.outside import own_words
from domain.plain_json import AnswerOnRecord, FactValue, KnownJson, PlainAction
from domain.plain_words import plain_reply
from domain.principals import LOCAL_PERSON as LOCAL_PERSON
from domain.principals import POLICY as POLICY
from domain.principals import Mandate
from domain.principals import Responder as Responder
from domain.procurement import Row
from domain.text import Moment, Name, Text

ApprovalKind = Literal[
    "inspection_failed",
    "schedule_conflict",
    "order_beyond_authority",
    "order_incomplete",
    "acknowledgement_exception",
    "item_unknown",
    "event_unclear",
    "facts_contradict",
    "event_failed",
    "hold_expired",
    "milestone_overdue",
    "delegation_request",
    "decision_overruled",
    "change_order",
]
ApprovalStatus = Literal["pending", "decided", "superseded", "withdrawn"]
DecisionType = Literal["approve", "reject", "edit", "respond"]
DECISION_TYPES: tuple[DecisionType, ...] = ("approve", "reject", "edit", "respond")


OwnWords = Annotated[str, AfterValidator(own_words)]
"""A sentence of ours, whatever it quotes: on one line, without links, cut to length."""


class Option(BaseModel):
    """One way out, as a what-if with its assumptions shown."""

    title: OwnWords
    actions: list[PlainAction]
    arrival: str | None = None
    """ISO date at which usable material would be on site; None when it cannot be told."""
    days_late: int | None = None
    """Calendar days after required_by; 0 when in time; None when it cannot be told."""
    cost: OwnWords = "unknown"
    assumptions: list[OwnWords] = []
    recommended_by: Responder | None = None
    """The rule or model that recommends it; None: nobody but the ranking."""
    why: str | None = None
    """What whoever recommends it says."""


class Advice(BaseModel):
    """What a rule or a model answered beyond its authority: a recommendation to whoever is asked."""

    responder: Responder
    why: str
    title: str
    actions: list[PlainAction] = []
    """As proposed on the facts of the time; empty: there is only something to remark."""
    template: list[PlainAction] = []
    """A rule's actions in terms of the situation: proposed anew when the facts change. A model's answer is dropped."""
    confidence: float | None = None
    rule_id: str | None = None
    limit: str | None = None
    """The line of the policy for which it was not decided alone."""
    remark: str | None = None
    """Why the agent makes no headway here and asks."""


class Question(BaseModel):
    """What a person is asked: built from the facts alone, so that it can be built again when they change."""

    kind: ApprovalKind
    item_id: str | None = None
    summary: OwnWords
    options: list[Option]
    evidence: KnownJson
    fingerprint: str
    """Digest of the facts it rests on: an answer to other facts is outdated."""
    matter: str = ""
    """Which of several things of this kind on the line it is about: an NCR, an order, an event. Empty: there is one."""
    earlier_fingerprints: list[str] = []
    """Digests that the same facts had before questions had a matter."""
    amount: str | None = None
    """The amount at stake, which decides who is asked: a decimal string in the building's currency."""
    amount_unknown: bool = False
    """Whether a way out commits an amount that is not known."""
    subject: KnownJson = {}
    """What the question is rebuilt from, beside the line's file: the event's body, exceptions, the error."""
    holds_item: bool = True

    def rests_on(self, matter: str, digest: str) -> bool:
        """Whether a question on record with this matter and fingerprint rests on the same facts as this one."""
        return digest == self.fingerprint or (not matter and digest in self.earlier_fingerprints)


def fingerprint(facts: FactValue) -> str:
    """A digest of facts: equal facts, equal digest."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def state(summary: str) -> str:
    """A question as a sentence that asks nothing: for one that nobody needs to answer any more."""
    return summary.replace(" What is to be done?", "").replace("?", "").strip()


class Approval(Row):
    """A question as it stands: the row is the truth, the interrupt only shows it."""

    approval_id: str
    key: str
    """`seq.ordinal`: how the state names it, so that a fork's state never names the live building's."""
    item_id: str | None = None
    kind: ApprovalKind
    matter: str = ""
    """As in `Question`. Empty too in rows of versions that knew no matter."""
    summary: str
    options: list[Option] = []
    refused: int = 0
    """How many options were refused before: the recommendation is the option at this index."""
    evidence: KnownJson = {}
    subject: KnownJson = {}
    advice: Advice | None = None
    """What a rule or a model recommends; no fact, so no part of the fingerprint."""
    fingerprint: str
    status: ApprovalStatus = "pending"
    version: int = 1
    holds_item: bool = True
    amount: str | None = None
    """The amount at stake, which decides who is asked: a decimal string in the building's currency."""
    amount_unknown: bool = False
    """Whether a way out commits an amount that is not known."""
    asked_of: str | None = None
    escalation_level: int = 0
    raised_at: datetime
    due_at: datetime | None = None
    """When a reminder is due; None once it was given."""
    escalate_at: datetime | None = None
    """When it moves up the approver chain; None at its top."""
    raised_seq: int
    decision: AnswerOnRecord | None = None
    """The accepted decision: type, actions, message, responder, event_id, status (accepted, applied, outdated)."""
    decision_seq: int | None = None

    @property
    def statement(self) -> str:
        """What it was about, as a sentence that asks nothing."""
        return state(self.summary)

    def supersede(self) -> "Approval":
        """The question where the facts no longer ask it, or a newer one took its place."""
        return self._close("superseded")

    def withdraw(self) -> "Approval":
        """The question where whoever asked it takes it back."""
        return self._close("withdrawn")

    def _close(self, status: ApprovalStatus) -> "Approval":
        """Nobody is reminded of it, and nobody else is asked."""
        return self.model_copy(update={"status": status, "due_at": None, "escalate_at": None})

    def accept(self, decision: "Decision", seq: int, event_id: str, at: datetime) -> "Approval":
        """The question with its answer, which entry `seq` of the inbox applies in its turn."""
        accepted = {"event_id": event_id, "status": "accepted", "at": at.isoformat()}
        given = {**decision.model_dump(mode="json"), **accepted}
        return self.model_copy(update={"status": "decided", "decision_seq": seq, "decision": given})

    def apply(self, actions: list[PlainAction]) -> "Approval":
        """The question whose accepted answer was carried out with these actions."""
        return self.model_copy(update={"decision": {**(self.decision or {}), "status": "applied", "actions": actions}})

    def outdate(self) -> "Approval":
        """The question whose accepted answer came too late: the facts ask something else, or nothing."""
        return self.supersede().model_copy(update={"decision": {**(self.decision or {}), "status": "outdated"}})

    def reopen(self, due_at: datetime | None, escalate_at: datetime | None) -> "Approval":
        """The question without the answer that settled nothing, due again."""
        given_back = {"status": "pending", "decision": None, "decision_seq": None}
        return self.model_copy(update={**given_back, "due_at": due_at, "escalate_at": escalate_at})

    def escalate(self, asked_of: str | None, due_at: datetime, escalate_at: datetime | None) -> "Approval":
        """The question put to the next in the approver chain."""
        level = self.escalation_level + 1
        asked = {"escalation_level": level, "asked_of": asked_of, "due_at": due_at, "escalate_at": escalate_at}
        return self.model_copy(update=asked)

    def remind(self, asked_of: str | None, due_at: datetime | None) -> "Approval":
        """The question brought up again; `due_at`: when that is repeated."""
        return self.model_copy(update={"asked_of": asked_of, "due_at": due_at})

    @property
    def recommended(self) -> list[PlainAction]:
        return self.options[self.refused].actions if self.refused < len(self.options) else []


class DecisionBody(Strict):
    """The body of `POST /approvals/{id}/decision`."""

    type: DecisionType = Field(
        description="approve: do what is recommended. reject: offer the next-best option. "
        "edit: do these actions instead. respond: free text, read into one of the others."
    )
    actions: list[Action] | None = Field(
        None, min_length=1, max_length=50, description="With edit: what is to be done, in order."
    )
    message: Text | None = Field(None, description="Reason or remark; with respond: the answer.")
    version: Annotated[int, Field(ge=1)] | None = Field(
        None, description="The version of the question that was read; an older one is answered with 409."
    )
    occurred_at: Moment | None = Field(
        None, description="When it was decided, if that was before now; without an offset in the building's time zone."
    )


class Decision(BaseModel):
    """What somebody decided: the same for people, models and rules."""

    type: DecisionType
    """A rule or a model decides by its own actions: edit."""
    responder: Responder
    actions: list[PlainAction] = []
    why: str = ""
    confidence: float | None = None
    """How sure a model is, 0 to 1; None: it answers for itself, as people and rules do."""
    tokens: int | None = None
    """What a model's answer took."""
    title: str = ""
    """What a rule or a model proposes, in a few words."""
    rule_id: str | None = None
    template: list[PlainAction] = []
    """A rule's actions in terms of the situation."""
    occurred_at: datetime | None = None
    """When it was decided, if that was before it was handed in: its business date."""
    mandate: Mandate | None = None
    """What a person's answer rests on; None for programs, and for answers that an earlier version accepted."""


def plain_answer(text: str) -> Literal["approve", "reject"] | None:
    """A plain yes or no: the whole text is assent or refusal, and courtesies. None for anything that says more."""
    return plain_reply(text)


class Answer(BaseModel):
    """An answer as it is handed in at any door, before it is checked against the approval it names."""

    approval_id: Name
    version: int | None = None
    """The version that was read; None: whatever stands."""
    type: DecisionType
    actions: list[Action] | None = None
    message: Text | None = None
    occurred_at: Moment | None = None
