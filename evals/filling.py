"""What need not be written in a scenario: the day of an event is its step's, and documents are somewhere."""

from datetime import date
from typing import get_args

from pydantic import BaseModel

from domain.events import EVENT_MODELS
from domain.plain_json import JsonObject

_MODELS: dict[str, type[BaseModel]] = {
    get_args(model.model_fields["event_type"].annotation)[0]: model for model in EVENT_MODELS
}


def filled(event: JsonObject, day: date) -> JsonObject:
    """The event with what it must have and what says nothing here: documents, addresses, and its own day."""
    event_type = str(event.get("event_type"))
    model = _MODELS.get(event_type)
    if model is None:
        return event
    words = event_type.replace("_", " ").lower()
    plain = {
        "document_url": f"https://docs.example/{event_type.lower()}.pdf",
        "document_name": f"{words.capitalize()}: {event.get('item')}",
        "location_address": "Site gate 1" if event_type == "Shipment_Arrived_Site" else "The factory",
        "date_departed": day.isoformat(),
        "date_arrived": day.isoformat(),
        "inspection_date": day.isoformat(),
    }
    return {**{name: value for name, value in plain.items() if name in model.model_fields}, **event}
