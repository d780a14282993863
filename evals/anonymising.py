"""A recorded scenario without names: every line, vendor, person, document and text is replaced, the same everywhere.

What decides stays: days, quantities, units, divisions, limits against prices (all amounts are multiplied by one whole
number, so that what was equal stays equal), which line a text mentions, and a plain yes or no.
"""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, get_args, get_origin

from pydantic import JsonValue

from domain.actions import Action
from domain.approvals import plain_answer
from domain.buildings import BuildingSpec
from domain.errors import LongleadError
from domain.events import EVENT_MODELS
from domain.field_markers import Identifier, LocalDay, MarkedField, OutsideText, Plain, Price, fields_of
from domain.plain_json import JsonObject, object_in, objects_in
from domain.procurement import ContactRole
from domain.text import folded, slug
from evals.expected import DAYS
from evals.recording import Recorded
from tools.lookup import closest

WORDS = (
    "Alder", "Aspen", "Beech", "Birch", "Cedar", "Cherry", "Cypress", "Dogwood", "Elder", "Elm", "Fir", "Hazel",
    "Holly", "Hornbeam", "Juniper", "Larch", "Laurel", "Lime", "Linden", "Maple", "Medlar", "Myrtle", "Oak", "Olive",
    "Pear", "Pine", "Plane", "Poplar", "Rowan", "Spruce", "Sycamore", "Walnut", "Willow", "Yew",
)  # fmt: skip
"""Names for lines, in the order of the alphabet: lines are often taken in the order of their ids, and keep it."""

_OF_EVENTS = tuple(field for model in EVENT_MODELS for field in fields_of(model))


def is_one_of_few(field: MarkedField) -> bool:
    """Whether a field holds one of a few words of ours, such as a condition."""
    kinds = (field.info.annotation, *get_args(field.info.annotation))
    return any(get_origin(kind) is Literal for kind in kinds)


TEXTS = {
    *("text", "reason", "message", "note", "question", "detail", "why", "method", "defects", "exceptions"),
    *(field.name for field in _OF_EVENTS if isinstance(field.marker, OutsideText)),
}
_POSTED = (*EVENT_MODELS, BuildingSpec, *get_args(get_args(Action)[0]))
MONEY = {field.name for model in _POSTED for field in fields_of(model) if isinstance(field.marker, Price)}
"""Amounts of money, in whatever is posted."""
NAMED = {"vendor_id", "building_id", "role", "team", "to"}
"""Names of vendors, the building and people, or roles: what is no name of somebody stays."""
COMPOSED = {"recommends", "options", "purchase_order", "order", "number", "title", "rule"}
"""What Longlead itself put together, with names in it."""
KEPT = {
    *("at", "until", "on", "occurred_at", "held_until", "start", "end"),
    *("autonomy", "delegation", "expires_at", "actions", "then"),
    *("event_type", "kind", "type", "by", "band", "category", "unit", "currency", "time_zone", "working_week"),
    *("quantity", "quantity_rejected", "reminder_after", "escalate_after"),
    *("does", "would_do", "mode", "becomes", "closes", "renews", "reminds", "escalates"),
    *(field.name for field in _OF_EVENTS if isinstance(field.marker, LocalDay | Plain) or is_one_of_few(field)),
}
"""Fields whose words say nothing about anybody. Text of any other field is replaced."""
CONTACT_ROLES = get_args(ContactRole)
"""Whom at a vendor an action writes to: no address, in a field that is one elsewhere."""
COUNTED = {
    **{field.name: field.marker.stand_in for field in _OF_EVENTS if isinstance(field.marker, Identifier)},
    "contact": "contact-{}@example.com",
    "orders": "contact-{}@example.com",
    "logistics": "contact-{}@example.com",
    "escalation": "contact-{}@example.com",
    "email": "contact-{}@example.com",
    "phone": "contact-{}@example.com",
}
"""Fields whose values are numbered as they come; the same value has the same number everywhere."""


class ReadByModelError(LongleadError):
    """What models have read cannot be anonymised. Record it with its names, or another part."""

    title = "Cannot be anonymised"


def anonymised(recorded: Recorded, building_id: str = "building", factor: int = 3) -> Recorded:
    """The same scenario with other names, in a building of that id. `factor` multiplies all amounts.

    Raises:
        ReadByModelError: models have read texts in it.
    """
    if recorded.scenario.get("models"):
        raise ReadByModelError(
            "Models have read this building's mails or replies, and a reading is held against the text's own words: "
            "under other names it cannot be played. Record it without --anonymise, or a part without such texts."
        )
    changed = [one for step in recorded.steps if (one := object_in(step, "change_vendor"))]
    added = [one for step in recorded.steps if (one := object_in(step, "add_vendor"))]
    names = _Names.of(object_in(recorded.scenario, "building"), added, changed, building_id, factor)
    return Recorded(names.scenario(recorded.scenario), recorded.remarks)


@dataclass
class _Names:
    """What every name is replaced by."""

    lines: list[tuple[str, str, str, str]]
    """Old id and name, new id and name."""
    others: dict[str, str]
    """Building, vendors, people: old and new."""
    factor: int
    counted: dict[tuple[str, str], str] = field(default_factory=dict)
    texts: int = 0

    @classmethod
    def of(
        cls,
        building: JsonObject,
        added: list[JsonObject],
        changed: list[JsonObject],
        building_id: str,
        factor: int,
    ) -> "_Names":
        """`added` and `changed`: vendors that came or were renamed later."""
        schedule = object_in(building, "schedule")
        brought = [str(one["item"]) for one in objects_in(schedule, "deliveries")]
        named = {slug(name): name for name in brought}
        posted = {str(item["item_id"]): str(item["name"]) for item in objects_in(building, "items")}
        taken = {folded(name) for name in posted.values()} | set(map(folded, posted))
        found = posted | {key: name for key, name in named.items() if folded(name) not in taken}
        lines = [
            (old, name, slug(word := _word(place)), word) for place, (old, name) in enumerate(sorted(found.items()))
        ]
        others = {str(building["building_id"]): building_id, str(building["name"]): "Building"}
        others[str(object_in(schedule, "project")["name"])] = "Building"
        for number, vendor in enumerate([*objects_in(building, "vendors"), *added], 1):
            others |= {str(vendor["vendor_id"]): f"vendor-{number}", str(vendor["name"]): f"Vendor {number}"}
        for number, name in enumerate((str(one["name"]) for one in changed if one.get("name")), 1):
            others.setdefault(name, f"Renamed vendor {number}")
        people = [str(approver["name"]) for approver in objects_in(building, "approvers")]
        contacts = object_in(building, "contacts").values()
        people += [str(one.get("name") or "") for one in contacts if isinstance(one, dict)]
        others |= {name: f"Person {number}" for number, name in enumerate(dict.fromkeys(filter(None, people)), 1)}
        return cls(lines, others, factor)

    def scenario(self, given: JsonObject) -> JsonObject:
        made = self.fields("", json.loads(json.dumps(given)))
        return {**made, "title": "Recorded, with other names", "why": given["why"]}

    def fields(self, key: str, given: JsonObject) -> JsonObject:
        """An object as it is without names."""
        # Under `becomes` the keys are lines, and what is below them are words.
        words = key == "becomes" and not set(given) & set(DAYS)
        return {
            (self._line(name) or name) if words else name: self.value(key if words else name, inner)
            for name, inner in given.items()
        }

    def value(self, key: str, value: JsonValue) -> JsonValue:
        """A value as it is without names; `key` is the field that it stands in."""
        if key == "tolerances":  # units and shares
            return value
        if isinstance(value, dict):
            return self.fields(key, value)
        if isinstance(value, list):
            for brought in value if key == "deliveries" else []:
                name = str(brought["item"]) if isinstance(brought, dict) else ""
                if name and self._line(name) is None:
                    self._new_line(name)
            return [self.value(key, inner) for inner in value]
        if value is None or isinstance(value, bool):
            return value
        if key in MONEY:
            return str(Decimal(str(value)) * self.factor)
        return self._text(key, value) if isinstance(value, str) else value

    def _text(self, key: str, text: str) -> str:
        if key in KEPT or (key == "contact" and text in CONTACT_ROLES):
            return text
        if key in COUNTED:
            return self._counted(key, text)
        if key == "matter":
            return self._ncr(text)
        if key in NAMED:
            return self.others.get(text, text)
        if key in COMPOSED:
            return self._inside(text)
        if key == "dies":
            return text.partition(":")[0]
        if key in ("item", "item_id"):
            return self._line(text) or self._misspelt(text)
        if key == "name":
            return self._line(text) or self.others.get(text) or self._new_line(text)
        return self._said(text) if key in TEXTS else self._counted("contact", text)

    def _line(self, named: str) -> str | None:
        """The new name of a line, or its new id, as it was named."""
        for old_id, old_name, new_id, new_name in self.lines:
            if named == old_id:
                return new_id
            if folded(named) in (folded(old_name), folded(old_id)):
                return new_name
        return None

    def _ncr(self, named: str) -> str:
        """An NCR by its number, or by the id that it got here, which begins with its line's."""
        for old_id, _, new_id, _ in self.lines:
            if named.startswith(f"{old_id}-"):
                return new_id + named.removeprefix(old_id)
        return self._counted("ncr_number", named)

    def _new_line(self, name: str) -> str:
        """A line that an event brings along."""
        word = _word(len(self.lines))
        self.lines.append((slug(name), name, slug(word), word))
        return word

    def _misspelt(self, named: str) -> str:
        """A name that no line has: closest to the same line as before, and still nobody's."""
        if not self.lines:
            return "Nothing"
        (near, _), *_rest = closest(named, [(old_id, name) for old_id, name, _, _ in self.lines])
        return next(f"{name}x" for old_id, _, _, name in self.lines if old_id == near)

    def _counted(self, key: str, value: str) -> str:
        pattern = COUNTED[key]
        known = self.counted.get((pattern, value))
        if known is None:
            number = sum(one == pattern for one, _ in self.counted) + 1
            known = self.counted[pattern, value] = pattern.format(number)
        return known

    def _said(self, text: str) -> str:
        """Another text that mentions the same lines; a plain answer stays one."""
        if plain_answer(text) is not None:
            return text
        self.texts += 1
        heard = folded(text)
        mentioned = [new for old_id, name, _, new in self.lines if folded(name) in heard or folded(old_id) in heard]
        return f"Text {self.texts}" + (f" about {' and '.join(mentioned)}" if mentioned else "")

    def _inside(self, text: str) -> str:
        """Names within a text that Longlead itself has put together, such as an option's title or an order's number."""
        swaps: list[tuple[str, str]] = [*self.others.items()]
        swaps += [(old, new) for _, old, _, new in self.lines] + [(old, new) for old, _, new, _ in self.lines]
        new_of = dict(swaps)
        either = "|".join(re.escape(old) for old in sorted(new_of, key=len, reverse=True))
        return re.compile(rf"(?<!\w)(?:{either})(?!\w)").sub(lambda found: new_of[found[0]], text)


def _word(place: int) -> str:
    """The name of the line at this place of the alphabet."""
    rounds, word = divmod(place, len(WORDS))
    return WORDS[word] + (f" {rounds + 1}" if rounds else "")
