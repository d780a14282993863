"""Who does something: the caller as it was known then, kept with what was done."""

from typing import Literal

from pydantic import BaseModel, Field

from domain.policy import ResponderType

Via = Literal["key", "local", "link", "session", "studio"]


class Author(BaseModel, frozen=True):
    """Who sent, decided, changed or created something."""

    type: ResponderType = Field(description="human, ai_agent or automated_rule.")
    id: str = Field(description="Id of the key, or of the person.")
    name: str = Field(description="Name as it was then.")
    via: Via = Field(
        "key",
        description="By an API key; as the local person while no keys are configured; by the link of a message; in a "
        "session of the desk; in LangGraph Studio.",
    )
