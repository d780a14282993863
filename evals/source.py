"""YAML that remembers its lines: whatever is wrong with a file is said with the file, the line and the field."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import yaml  # type: ignore[import-untyped]
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from domain.errors import LongleadError
from domain.plain_json import JsonObject

Place = tuple[str | int, ...]
"""The way to a value: keys and numbers, such as ("steps", 3, "event", "eta")."""


class ScenarioError(LongleadError):
    """A scenario does not fit its schema. The message names file, line and field; docs/evals.md explains them."""

    title = "Scenario does not fit"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Plain values: `on` and `no` are words; days and amounts stay the text that was written, to the digit."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


for _tag, _pattern, _first in (
    ("null", r"(?:~|null)?", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


@dataclass
class Source:
    """A file's content, and the line on which each of its values begins."""

    name: str
    value: JsonValue = None
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Iterable[str | int]) -> int:
        """The line of a value, or of the nearest one around it. Parts that pydantic adds (tags) are passed over."""
        found: Place = ()
        for part in place:
            if (*found, part) in self.lines:
                found = (*found, part)
        return self.lines.get(found, 1)

    def problem(self, place: Sequence[str | int], message: str) -> str:
        """`file:line: field: what is wrong`."""
        named = f"{'.'.join(str(part) for part in place)}: " if place else ""
        return f"{self.name}:{self.line(place)}: {named}{message}"

    def problems(self, error: ValidationError, at: Place = ()) -> list[str]:
        """What pydantic found in the value at `at`, each with its line."""
        return [
            self.problem((*at, *one["loc"]), _in_words(one))
            for one in error.errors(include_url=False, include_input=False)
        ]


def _in_words(error: ErrorDetails) -> str:
    """What pydantic says, where it does not speak of its own inputs."""
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    return "is missing" if error["type"] == "missing" else str(error["msg"]).removeprefix("Value error, ")


def read_yaml(name: str, text: str) -> Source:
    """The content of a YAML file with its lines.

    Raises:
        ScenarioError: it is not YAML, or a key is there twice.
    """
    source = Source(name)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        source.value = None if node is None else _value(source, loader, node, ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        raise ScenarioError(f"{name}:{line}: not YAML: {getattr(error, 'problem', error)}") from error
    finally:
        loader.dispose()
    return source


def _value(source: Source, loader: _Loader, node: yaml.Node, place: Place) -> JsonValue:
    source.lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_value(source, loader, inner, (*place, number)) for number, inner in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        found: JsonValue = loader.construct_object(node)
        return found
    made: JsonObject = {}
    for key_node, inner in node.value:
        key = str(key_node.value)
        if key in made:
            raise ScenarioError(f"{source.name}:{key_node.start_mark.line + 1}: {key} is there twice")
        made[key] = _value(source, loader, inner, (*place, key))
        source.lines[(*place, key)] = key_node.start_mark.line + 1
    return made
