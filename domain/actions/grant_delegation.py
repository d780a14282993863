"""Let the agent decide by itself."""

from decimal import Decimal
from typing import Literal

from pydantic import Field, field_serializer, field_validator

from domain.actions.kinds import ActionKind, Reach, always_possible, changes_nothing
from domain.actions.shapes import ActionShape
from domain.buildings import Strict
from domain.policy import DelegableKind
from domain.text import Money, Name


class DelegationArguments(Strict):
    kind: DelegableKind = Field(description="The kind of question that may be decided without asking.")
    actions: list[Name] = Field(min_length=1, max_length=20, description="Names of the actions that may be taken.")
    item: Name | None = Field(None, description="Only for this line.")
    category: Name | None = Field(None, description="Only for lines of this category.")
    vendor_id: Name | None = Field(None, description="Only for lines of this vendor.")
    about: Name | None = Field(None, description="Only for this unknown name, sender, kind of exception, milestone.")
    amount_limit: Money | None = Field(
        None, description="Most that one decision may commit, in the building's currency; po_limit when absent."
    )
    days: int | None = Field(None, ge=1, le=3650, description="For so many days; until it is revoked when absent.")

    @field_validator("actions")
    @classmethod
    def _can_be_delegated(cls, names: list[str]) -> list[str]:
        from domain.actions.registry import DELEGABLE  # made of all actions, of this one as well

        for name in names:
            if name not in DELEGABLE:
                raise ValueError(f"{name!r} is not an action that can be delegated")
        return names

    @field_serializer("amount_limit", when_used="json-unless-none")
    def _exact(self, value: Decimal) -> str:
        return str(value)


class GrantDelegation(ActionShape):
    """Allow the agent to decide a kind of question without asking, within bounds. Only a person does that."""

    name: Literal["grant_delegation"]
    arguments: DelegationArguments


KIND = ActionKind[DelegationArguments](
    shape=GrantDelegation,
    needs_a_person=True,
    is_persons_own=True,
    commits="nothing",
    is_reversible=False,
    only_undoes=False,
    reach=Reach.ON_FILE,
    is_possible_when_removed=False,
    check=always_possible,
    change=changes_nothing,
    of_the_case=(),
    recipient=None,
    only_says=False,
    accompanies=False,
    order_document=None,
    phrase="let the agent decide such cases without asking",
    done="granted delegation {delegation_id}",
    called="",
    called_around="",
    spoken=None,
    from_reply=None,
)
