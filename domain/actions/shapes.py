"""What the shapes of actions have in common, and the arguments that several of them take."""

from typing import Annotated, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from domain.buildings import Strict
from domain.text import Name, Quantity, Text


class ActionShape(BaseModel):
    """An action as it goes over the wire: `{"name", "arguments"}`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @classmethod
    def action_name(cls) -> str:
        """The name, which is the only value of the field `name`."""
        return str(get_args(cls.model_fields["name"].annotation)[0])


class ItemArguments(Strict):
    item: Name = Field(description="Item id or name.")


class OrderArguments(ItemArguments):
    quantity: Quantity | None = Field(None, description="How much; the line's quantity when absent.")
    reason: Text | None = Field(None, description="Why.")


class NoteArguments(ItemArguments):
    note: Text | None = Field(None, description="What to keep with it.")


NcrName = Annotated[Name | None, Field(description="Number of the NCR that is meant; the question's own when absent.")]


class DispositionArguments(NoteArguments):
    ncr_number: NcrName = None
    quantity: Quantity | None = Field(None, description="How much of what was rejected; all of it when absent.")


class ReplacementArguments(OrderArguments):
    ncr_number: NcrName = None


DISPOSITIONS = (DispositionArguments, ReplacementArguments)
"""Arguments that decide what becomes of rejected goods."""
