"""What the agent may do alone. The source of every rule is docs/for-managers.md, "Who may do what"."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from domain.lines.quantities import DEFAULT_TOLERANCES, MAX_TOLERANCE
from domain.lines.units import unit_named
from domain.text import Money, Name


class QuietHours(BaseModel):
    """Local hours in which nobody is reminded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: str = Field("19:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Local time, hh:mm.")
    end: str = Field("07:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Local time, hh:mm.")

    @model_validator(mode="after")
    def _leave_time(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same: that would be the whole day; use null for no quiet hours")
        return self


ModelReport = Literal[
    "Purchase_Order_Acknowledged", "Shipment_Departed_Factory", "ETA_Changed", "Shipment_Arrived_Site"
]
"""What a policy may let a model report. Approvals, inspections, schedules, lines and the end of a building need a
person's word, or the system's that knows."""


class Policy(BaseModel):
    """The limits and times that a building's people set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    po_limit: Money | None = Field(
        None,
        description="Largest purchase order, in the building's currency, that the agent issues alone; none: any.",
    )
    ask_from_days_late: int = Field(
        0,
        ge=0,
        le=3650,
        description="A schedule conflict is put to a person from this many calendar days late on; "
        "0: every conflict is, also an arrival on the required day itself.",
    )
    reminder_after: timedelta = Field(
        timedelta(hours=4),
        gt=timedelta(0),
        le=timedelta(days=365),
        description="Working time after which an unanswered question is brought to mind, ISO 8601 such as PT4H.",
    )
    escalate_after: timedelta = Field(
        timedelta(hours=24),
        gt=timedelta(0),
        le=timedelta(days=365),
        description="Working time after which an unanswered question moves up the approver chain, ISO 8601.",
    )
    quiet_hours: QuietHours | None = Field(
        default_factory=QuietHours,
        description="Local hours that do not count as working time: nobody is reminded in them; null: none.",
    )
    share_memory: bool = Field(
        False,
        description="Whether this building and others that share their memory recall each other's settled cases.",
    )
    rule_autonomy_after: int = Field(
        3, ge=1, le=100, description="Consistent confirmations after which a learned rule may decide alone."
    )
    confidence_needed: float = Field(
        0.8,
        ge=0,
        le=1,
        description="How sure a model must be, 0 to 1, before it decides what may be decided without a person.",
    )
    hold_review_after_days: int = Field(
        3,
        ge=1,
        le=365,
        description="A hold without an end is put to a person again after so many working days.",
    )
    acknowledge_within_days: int = Field(
        5, ge=1, le=365, description="Working days within which a vendor should acknowledge an order."
    )
    chase_again_after_days: int = Field(
        3, ge=1, le=365, description="Working days after which an unanswered chasing is put to a person."
    )
    inspect_within_days: int = Field(
        1, ge=1, le=365, description="Working days after an arrival within which it is inspected."
    )

    tolerances: dict[Name, Decimal] = Field(
        default_factory=lambda: dict(DEFAULT_TOLERANCES),
        max_length=50,
        validate_default=True,
        description="By unit, such as t or m2: the share of a quantity, from 0 to 0.1, that may be missing for it to "
        "count as complete; 0 for units that are not named. Given anew, it replaces all of them.",
    )

    reading_confidence: float = Field(
        0.8, ge=0, le=1, description="How sure a model must be of what it read for it to count without a person."
    )
    model_reports: list[ModelReport] = Field(
        ["Purchase_Order_Acknowledged", "Shipment_Departed_Factory", "ETA_Changed"],
        description="Types of events that a model may report from a mail without a person.",
    )
    model_tokens_per_day: int | None = Field(
        None, ge=0, description="Most tokens that this building's model calls take in a day; none: the service's limit."
    )
    model_cost_per_day: Money | None = Field(
        None, description="Most that this building's model calls cost in a day, in the currency of the prices."
    )

    @field_validator("tolerances")
    @classmethod
    def _by_unit(cls, given: dict[str, Decimal]) -> dict[str, Decimal]:
        """One share for each unit, whichever way it is written."""
        named: dict[str, Decimal] = {}
        for unit, share in given.items():
            if not 0 <= share <= MAX_TOLERANCE:
                raise ValueError(f"{unit}: must be a share from 0 to {MAX_TOLERANCE}, such as 0.005 for 0.5 %")
            if -int(share.normalize().as_tuple().exponent) > 6:
                raise ValueError(f"{unit}: has more than 6 decimal places")
            if named.setdefault(unit_named(unit), share) != share:
                raise ValueError(
                    f"{unit}: the unit {unit_named(unit)} is given twice, with {named[unit_named(unit)]} and {share}"
                )
        return {unit: share.normalize() for unit, share in sorted(named.items())}

    @field_serializer("tolerances", when_used="json")
    def _exact_shares(self, value: dict[str, Decimal]) -> dict[str, str]:
        return {unit: f"{share:f}" for unit, share in value.items()}

    @field_serializer("po_limit", "model_cost_per_day", when_used="json-unless-none")
    def _exact(self, value: Decimal) -> str:
        return str(value)


ResponderType = Literal["human", "ai_agent", "automated_rule"]

DelegableKind = Literal[
    "inspection_failed",
    "schedule_conflict",
    "order_beyond_authority",
    "order_incomplete",
    "acknowledgement_exception",
    "item_unknown",
    "event_unclear",
    "facts_contradict",
    "milestone_overdue",
]
"""Kinds of questions that a person may delegate: all others are always put to a person."""


@dataclass(frozen=True)
class Authority:
    """Whether an automated responder may act, and the line of the policy that says so."""

    allowed: bool
    policy_line: str
    delegable: bool = False
    """Where it is not allowed: whether a person could delegate it."""
    delegation_id: str | None = None
    """The delegation under which it is allowed."""
