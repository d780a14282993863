"""Who acts: one type for an API key, a link, Studio and the person at this machine."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.policy import ResponderType

Role = Literal["reader", "receiver", "events", "expediter", "approver", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

EVENTS_BY_ROLE: Mapping[Role, frozenset[str]] = {
    "receiver": frozenset({"Shipment_Arrived_Site", "Inspection_Passed", "Inspection_Failed", "Human_Input"}),
    "expediter": frozenset(
        {
            "Purchase_Order_Acknowledged",
            "Shipment_Departed_Factory",
            "ETA_Changed",
            "Message_Received",
            "Human_Input",
        }
    ),
}
"""What a site reports, and what vendors say. The role `events` sends every type."""

Door = Literal["key", "local", "link", "session", "studio"]
"""The way in: an API key, this machine without keys, a signed link, a signed-in browser, LangGraph Studio."""


class Responder(BaseModel):
    """Who answers: a person, a model or a rule. Taken from the API key, never from a body."""

    type: ResponderType = Field(description="human, ai_agent or automated_rule.")
    id: str = Field(description="Stable id.")
    name: str = Field(description="Name to show.")


POLICY = Responder(type="automated_rule", id="policy", name="Policy")
LOCAL_PERSON = Responder(type="human", id="local", name="local")

RESERVED_IDS = frozenset({POLICY.id, LOCAL_PERSON.id, "recorder", "rules", "studio", "summariser"})
"""Ids of Longlead's own responders, and of those that a delegation to the learned rules names."""
RESERVED_BEGINNINGS = ("rule:", "longlead")


def is_reserved(responder_id: str) -> bool:
    """Whether an id is one of Longlead's own, or looks like one, so that no key may have it."""
    folded = unicodedata.normalize("NFKC", responder_id).strip().casefold()
    return folded in RESERVED_IDS or folded.startswith(RESERVED_BEGINNINGS)


def is_own_source(source: str) -> bool:
    """Whether events of this source would look as if Longlead had written them itself."""
    seen = unicodedata.normalize("NFKC", source)
    shown = "".join(char for char in seen if unicodedata.category(char) not in ("Cc", "Cf"))
    return shown.strip().casefold().startswith("longlead")


def roles_for_event(event_type: str) -> tuple[Role, ...]:
    """The roles that may send events of a type."""
    return ("events", *(role for role, types in EVENTS_BY_ROLE.items() if event_type in types))


class Author(BaseModel):
    """Who caused something, as it is kept on record."""

    model_config = ConfigDict(frozen=True)

    type: ResponderType = Field(description="human, ai_agent or automated_rule.")
    id: str = Field(description="Stable id: of the key, or of the person.")
    name: str = Field(description="Name to show.")
    via: Door = Field("key", description="The way in.")


class Mandate(BaseModel):
    """What a person's answer may rest on. Kept with the answer, since it is checked again when it is applied."""

    model_config = ConfigDict(frozen=True)

    via: Door = "key"
    approver: str | None = None
    """The role or the name in the building's approver chain whose limit binds this person; None: bound to none."""
    is_admin: bool = False
    sends_events: bool = True
    """Whether this person may send every type of event, and so also say that one of them was meant."""


@dataclass(frozen=True)
class Principal:
    """Who sent a request, and what they may do."""

    responder: Responder
    via: Door
    roles: frozenset[Role]
    buildings: frozenset[str] | None = None
    """The buildings that they may see and act in, forks included; None: all."""
    sources: frozenset[str] | None = None
    """The sources under which they may send events; None: all."""
    approver: str | None = None
    """The role or the name in the approver chain whose limit binds their answers; None: bound to none."""
    credential: str = field(default="", repr=False)
    """Digest of the secret that they showed; empty without one. What it vouched for ends with it."""

    def may(self, role: Role) -> bool:
        """Whether they have a role: every principal may read, an admin may do everything."""
        return role == "reader" or role in self.roles or "admin" in self.roles

    def may_send(self, event_type: str) -> bool:
        """Whether they may send events of a type."""
        return any(self.may(role) for role in roles_for_event(event_type))

    def may_enter(self, building_id: str) -> bool:
        """Whether a building is one of theirs."""
        return self.buildings is None or building_id in self.buildings

    @property
    def is_person(self) -> bool:
        return self.responder.type == "human"

    @property
    def author(self) -> Author:
        return Author(**self.responder.model_dump(), via=self.via)

    @property
    def mandate(self) -> Mandate:
        return Mandate(
            via=self.via,
            approver=self.approver,
            is_admin="admin" in self.roles,
            sends_events=self.may("events") and self.via != "link",
        )


LOCAL_PRINCIPAL = Principal(LOCAL_PERSON, "local", frozenset(ROLES))
"""The person at this machine while no keys are configured: any role, any building, any amount."""
