"""How the audit is shown."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from domain.principals import Author
from storage.audit import What


class AuditView(BaseModel):
    """Something that somebody did: who, when, what, and to what."""

    number: int = Field(description="Counts up over all buildings.")
    building_id: str = Field(description="The building.")
    at: datetime = Field(description="When.")
    by: Author = Field(description="Who did it, as they were known then.")
    what: What = Field(description="What was done.")
    subject: str = Field(description="Id of what it was done to.")
    detail: dict[str, Any] = Field(description="What it was; of a change `changed`, with before and after by field.")
