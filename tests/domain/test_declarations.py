"""Everything that must know a type of event, a field of a line or a field of a fact knows all of them: one test each,
over all. It fails while an entry is missing that no declaration makes by itself."""

import re
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import TypeAdapter

from api.line_view import FactView
from api.procurement_view import ItemView
from domain.buildings import ItemSpec
from domain.comparison import compare_items
from domain.events import CLEARABLE, EVENT_MODELS, INTERNAL_TYPES, ItemChange, ItemEvent
from domain.field_markers import LocalDay, fields_of, line_fields
from domain.lines.facts import Arrived, Departed, Disposed, Fact, Inspected, Stated, Submitted
from domain.lines.stored import fact_row, read_row
from domain.procurement import FactDetails, FactKind, FactRow, Item
from evals import anonymising
from evals.recording import posted_fields
from graph.routes import HANDLERS
from storage.rows import TABLES

INTEGRATORS = (Path(__file__).parents[2] / "docs/for-integrators.md").read_text(encoding="utf-8")
KINDS: dict[FactKind, type[Fact]] = {
    "departed": Departed,
    "arrived": Arrived,
    "inspected": Inspected,
    "disposed": Disposed,
    "stated": Stated,
    "submitted": Submitted,
}
LINE = line_fields(Item)
FLAT = {"group": "lump_sum", "group_total": "lump_sum"}
"""Fields of a line that are posted under another name."""


@pytest.mark.parametrize("name", [*(model.__name__ for model in EVENT_MODELS), *INTERNAL_TYPES])
def test_a_type_of_event_has_its_handler(name: str) -> None:
    types = {model.__name__: get_args(model.model_fields["event_type"].annotation)[0] for model in EVENT_MODELS}
    event_type = types.get(name, name)
    assert event_type in HANDLERS or event_type == "Decision"


@pytest.mark.parametrize("name", [model.__name__ for model in EVENT_MODELS if issubclass(model, ItemEvent)])
def test_an_event_that_dates_itself_says_so_of_one_of_its_days(name: str) -> None:
    model = next(model for model in EVENT_MODELS if model.__name__ == name)
    days = [field for field in fields_of(model) if isinstance(field.marker, LocalDay) and field.model is model]
    told = [field.name for field in days if field.marker.is_events_own]  # type: ignore[union-attr]
    happened = [field.name for field in days if field.name.startswith("date_") or field.name.endswith("_date")]
    assert len(told) <= 1
    assert set(happened) - {"promised_date"} <= set(told)


@pytest.mark.parametrize("name", LINE)
def test_a_field_of_a_line_is_known_wherever_fields_of_lines_are(name: str) -> None:
    field, posted = LINE[name], FLAT.get(name, name)
    if field.origin in ("posted", "ordered"):
        assert re.search(rf"\b{posted}\b", INTEGRATORS), "docs/for-integrators.md does not name it"
        assert posted in ItemSpec.model_fields, "it cannot be posted"
        assert posted in ItemChange.model_fields, "it cannot be changed"
        assert posted in CLEARABLE, "it cannot be cleared: ClearableField"
        assert posted in posted_fields(_line(**{name: _value_of(Item, name)})), "a recording loses it"
    if field.origin != "noted":
        assert name in ItemView.model_fields or name in ("account", "needs"), "it is not shown: ItemView"
    if field.compared != "no":
        assert name in compare_items(_line(), _line(**{name: _value_of(Item, name)})), "a fork does not show it"
    assert Item.model_fields[name].is_required() == (name in ("item_id", "name", "currency")), "old images lack it"


@pytest.mark.parametrize("name", [name for name in ItemSpec.model_fields if name not in ("lump_sum", "state")])
def test_what_is_posted_of_a_line_is_kept_of_it(name: str) -> None:
    assert name in LINE
    assert LINE[name].origin in ("name", "posted", "ordered")


@pytest.mark.parametrize("kind", get_args(FactKind))
def test_a_fact_comes_back_from_its_row_as_it_was(kind: FactKind) -> None:
    made, hints = KINDS[kind], get_type_hints(KINDS[kind])
    given = {field.name: _some(hints[field.name]) for field in fields(made)} | {"is_voided": False}
    fact = made(**given)
    row = FactRow.model_validate_json(fact_row(fact, "doors", "f1", 1).model_dump_json())
    assert read_row(row) == fact


@pytest.mark.parametrize("name", FactDetails.model_fields)
def test_what_a_row_of_a_fact_keeps_is_a_field_of_a_fact_and_may_be_absent_from_old_rows(name: str) -> None:
    of_the_row_alone = {"document_url", "aside"}
    assert name in of_the_row_alone or any(name in made.__dataclass_fields__ for made in KINDS.values())
    assert not FactDetails.model_fields[name].is_required()


def test_kinds_of_rows_and_facts_are_the_ones_that_are_declared() -> None:
    assert set(KINDS) == set(get_args(FactKind))
    assert {FactRow, Item} <= TABLES.keys()
    assert FactView.model_fields.keys() >= {"day", "said_at", "received_at", "source", "event_id", "order", "quantity"}


@pytest.mark.parametrize("name", [name for name in LINE if LINE[name].origin in ("posted", "ordered")])
def test_a_posted_field_of_a_line_has_a_place_in_a_recording_without_names(name: str) -> None:
    posted = FLAT.get(name, name)
    is_number = isinstance(_value_of(Item, name), int | Decimal)
    known = anonymising.KEPT | anonymising.NAMED | anonymising.MONEY | set(anonymising.COUNTED)
    assert is_number or posted == "lump_sum" or posted in known


def _line(**changed: Any) -> Item:
    return Item(item_id="doors", name="Doors", currency="USD").model_copy(update=changed)


def _value_of(model: type[Item], name: str) -> Any:
    """Some value of a field, other than its default."""
    return _some(model.model_fields[name].annotation, {"currency": "EUR"}.get(name))


def _some(kind: Any, wanted: Any = None) -> Any:
    tried = [wanted] if wanted is not None else []
    tried += [
        date(2026, 5, 4),
        datetime(2026, 5, 4, 9, tzinfo=UTC),
        Decimal("12.5"),
        7,
        True,
        frozenset({"a", "b"}),
        ("x",),
        "EUR",
        *get_args(kind),
        *(inner for one in get_args(kind) for inner in get_args(one)),
        *(list(kind)[-1:] if isinstance(kind, type) and hasattr(kind, "__members__") else []),
    ]
    adapter = TypeAdapter(kind)
    for value in tried:
        try:
            return adapter.validate_python(value, strict=True)
        except ValueError:
            continue
    raise AssertionError(f"no value of {kind} is known here")
