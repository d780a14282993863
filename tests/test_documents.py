"""The documents say what the code does: pictures, tables and links are held against it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from domain.actions import ACTION_NAMES
from domain.approvals import ApprovalKind
from domain.errors import ConfigurationError
from domain.events import EVENT, EVENT_TYPES, ItemEvent, PublicEvent
from graph.building import STEPS
from graph.picture import BEGIN, DOCUMENTS, END, pictured
from graph.routes import HANDLERS
from runtime.settings import VARIABLES, Settings
from runtime.settings_page import PAGE, write_page
from tools.catalogue import EFFECTS

HOUSE = Path(__file__).parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"`((?:LONGLEAD|OPENAI|LANGFUSE|OTEL)_\w+)`")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(name: str) -> str:
    return (HOUSE / name).read_text(encoding="utf-8")


def documents() -> list[Path]:
    hidden = {".venv", "node_modules"}
    files = [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]
    return sorted(file for file in files if not hidden & set(file.parts))


def rows(document: str) -> dict[str, list[str]]:
    """The rows of a document's tables that begin with a word of code, by that word."""
    found = {}
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and (word := re.fullmatch(r"`(\w+)`", cells[0])):
            found[word[1]] = cells[1:]
    return found


def documented_defaults() -> list[tuple[str, str, str]]:
    """Each default that a document names: the document, the variable, the default; in a table of settings, or in
    brackets within a sentence."""
    return [
        (str(file.relative_to(HOUSE)), variable, default)
        for file in documents()
        for variable, default in _defaults_in(file.read_text(encoding="utf-8"))
    ]


def _defaults_in(document: str) -> Iterator[tuple[str, str]]:
    has_defaults = False
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) > 1 and not VARIABLE.search(cells[0]) and not cells[0].startswith("-"):
            has_defaults = cells[1] == "default"
        variables = VARIABLE.findall(cells[0]) if cells and has_defaults else []
        if variables:
            given = cells[1].split(", ")
            defaults = given if len(given) == len(variables) else [cells[1]] * len(variables)
            yield from zip(variables, (default.strip("`") for default in defaults), strict=True)
        if not cells or not has_defaults:
            yield from re.findall(r"`(LONGLEAD_\w+)`(?: seconds| days)? \((\d[\d.]*)[ ;)]", line)


def _as_written(setting: str) -> set[str]:
    """How documents may write the default of a setting."""
    default = Settings.model_fields[setting].default
    default = default.get_secret_value() if isinstance(default, SecretStr) else default
    if default in ("", None, [], {}):
        return {"none", "empty", str(default)}
    return {f"{default:g}" if isinstance(default, float) else str(default)}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_picture_is_that_of_the_compiled_graph(name: str) -> None:
    document = text_of(name)
    assert pictured(document) == document, f"the picture in {name} is stale: run `make picture`"


def test_a_stale_picture_is_found() -> None:
    stale = text_of("ARCHITECTURE.md").replace("decide -.-> carry_out;", "decide -.-> guess;")
    assert pictured(stale) != stale
    with pytest.raises(ConfigurationError, match="no place for the picture"):
        pictured(f"{BEGIN} and no end")
    assert pictured(f"before {BEGIN}{END} after").startswith("before ")


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_event_type_has_its_handler_and_its_row(event_type: str) -> None:
    assert HANDLERS[event_type] in {step.__name__ for step in STEPS}
    table = rows(text_of("docs/for-integrators.md"))
    assert event_type in table, f"docs/for-integrators.md does not have {event_type}"
    assert _documented(table[event_type][0]) == _fields(event_type)


def _documented(cell: str) -> dict[str, bool]:
    """The fields of a row, and whether each is needed: `item, revision?`."""
    return {name.rstrip("?"): not name.endswith("?") for name in cell.split(", ") if name}


def _fields(event_type: str) -> dict[str, bool]:
    model = _model_of(event_type)
    shared = {*ItemEvent.model_fields, *PublicEvent.model_fields, "event_type"} - {"item"}
    fields = {name: field.is_required() for name, field in model.model_fields.items() if name != "event_type"}
    return {name: needed for name, needed in fields.items() if name not in shared or needed}


def _model_of(event_type: str) -> Any:
    models = {m.model_fields["event_type"].annotation.__args__[0]: m for m in _union()}
    return models[event_type]


def _union() -> tuple[Any, ...]:
    members: tuple[Any, ...] = EVENT._type.__origin__.__args__
    return members


@pytest.mark.parametrize("action", ACTION_NAMES)
def test_an_action_has_its_effect_and_its_row(action: str) -> None:
    assert action in EFFECTS
    assert action in rows(text_of("docs/for-managers.md")), f"docs/for-managers.md does not have {action}"


def test_there_is_no_effect_without_an_action() -> None:
    assert set(EFFECTS) == set(ACTION_NAMES)


def test_every_kind_of_question_is_explained() -> None:
    kinds = set(ApprovalKind.__args__)  # type: ignore[attr-defined]
    assert kinds <= set(rows(text_of("docs/for-managers.md")))


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(HOUSE)))
def test_relative_links_resolve(file: Path) -> None:
    targets = LINK.findall(FENCED.sub("", file.read_text(encoding="utf-8")))
    local = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in local if not (file.parent / target).exists()] == []


@pytest.mark.parametrize("file", documents(), ids=lambda file: str(file.relative_to(HOUSE)))
def test_settings_that_are_named_exist(file: Path) -> None:
    named = set(re.findall(r"\bLONGLEAD_([A-Z_]+)\b", file.read_text(encoding="utf-8")))
    known = {name.upper() for name in Settings.model_fields} | {"NAMESPACE"}
    assert named - known == set()


@pytest.mark.parametrize(("file", "variable", "default"), documented_defaults())
def test_a_default_that_is_named_is_that_of_the_setting(file: str, variable: str, default: str) -> None:
    name = next(name for name, known in VARIABLES.items() if known == variable)
    assert default in _as_written(name), f"{file} says that {variable} is {default}"


def test_a_default_is_found_in_tables_and_in_sentences() -> None:
    found = {variable: default for _, variable, default in documented_defaults()}
    assert found["LONGLEAD_PORT"] == "8000"
    assert found["LONGLEAD_EVENT_CRASHES"] == "10"
    assert len(found) > 40


def test_the_page_of_settings_is_that_of_the_settings() -> None:
    assert text_of(str(PAGE)) == write_page(), f"{PAGE} is stale: run `make docs`"


def test_every_setting_is_on_the_page_of_settings() -> None:
    named = set(VARIABLE.findall(text_of(str(PAGE))))
    assert set(VARIABLES.values()) <= named


@pytest.mark.parametrize("file", ["CONTRIBUTING.md", "ARCHITECTURE.md"])
def test_files_that_are_named_exist(file: str) -> None:
    named = re.findall(
        r"`((?:cli|evals|api|runtime|graph|nodes|tools|storage|domain|docs|tests)/[\w./-]*)`", text_of(file)
    )
    assert named
    assert [path for path in named if not (HOUSE / path).exists()] == []


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md"])
def test_make_targets_that_are_named_exist(file: str) -> None:
    named = set(re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", text_of(file), re.MULTILINE))
    named |= set(re.findall(r"`make ([a-z][a-z-]*)`", text_of(file)))
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert named
    assert named - targets == set()


def test_each_promise_of_security_names_a_test_that_is_there() -> None:
    promises = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text_of("SECURITY.md"))
    assert len(promises) > 20
    for file, test in promises:
        assert (HOUSE / file).exists(), file
        assert not test or f"def {test}(" in text_of(file), f"{file}::{test}"
