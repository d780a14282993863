"""Finding scenarios: those that come along, and files and folders of one's own."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from pydantic import ValidationError

from domain.buildings import BuildingSpec
from domain.events import EVENT
from domain.plain_json import JsonObject
from evals.scenario import Scenario
from evals.source import ScenarioError, Source, read_yaml

FOLDER = Path(__file__).parent / "scenarios"


def load_scenario(name: str) -> Scenario:
    """The scenario `evals/scenarios/<name>.yaml`.

    Raises:
        ScenarioError: it does not fit the schema, or what it would post does not fit the API.
    """
    return load_file(FOLDER / f"{name}.yaml")


def load_file(file: Path) -> Scenario:
    """The scenario of a file, named after it.

    Raises:
        ScenarioError: as above; the message names file, line and field.
    """
    try:
        source = read_yaml(_shown(file), file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file} cannot be read: {error}") from error
    return scenario_of(source, file.stem.replace("_", "-"))


def scenario_of(source: Source, name: str) -> Scenario:
    """The scenario that a file holds.

    Raises:
        ScenarioError: it does not fit the schema.
    """
    if not isinstance(source.value, dict):
        raise ScenarioError(f"{source.name}:1: a scenario is a mapping with title, why, building and steps")
    given: JsonObject = {"name": name, **source.value}
    try:
        scenario = Scenario.model_validate(given)
    except ValidationError as error:
        raise ScenarioError("\n".join(source.problems(error))) from error
    if refused := [*_building(source, scenario), *_events(source, scenario)]:
        raise ScenarioError("\n".join(refused))
    return scenario


def _building(source: Source, scenario: Scenario) -> list[str]:
    """What the API would refuse of the building."""
    try:
        BuildingSpec.model_validate(scenario.building)
    except ValidationError as error:
        return source.problems(error, ("building",))
    return []


def _events(source: Source, scenario: Scenario) -> Iterator[str]:
    """What the API would refuse of the events; those that are to be refused or are put in unchecked, apart."""
    for part, steps in (("given", scenario.given), ("steps", scenario.steps)):
        for number, step in enumerate(steps):
            if step.event is None or step.unchecked or step.refused is not None:
                continue
            try:
                EVENT.validate_python(step.body)
            except ValidationError as error:
                yield from source.problems(error, (part, number, "event"))


def find(patterns: list[str]) -> list[Scenario]:
    """The scenarios that are asked for: by words or `*` of their names, by file, by folder; all where none is named.

    Raises:
        ScenarioError: nothing has that name, one does not fit, or two share a building.
    """
    found = {file: load_file(file) for pattern in patterns or ["*"] for file in _files(pattern)}
    chosen = sorted(found.values(), key=lambda scenario: scenario.name)
    buildings: dict[str, str] = {}
    for scenario in chosen:
        building_id = scenario.spec.building_id
        if building_id in buildings:
            raise ScenarioError(f"{scenario.name} and {buildings[building_id]} share the building {building_id}.")
        buildings[building_id] = scenario.name
    return chosen


def _files(pattern: str) -> list[Path]:
    path = Path(pattern)
    if path.is_dir():
        found = sorted(path.glob("*.yaml"))
        if not found:
            raise ScenarioError(f"There is no scenario in the folder {pattern}: they are files named *.yaml.")
        return found
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise ScenarioError(f"There is no file {pattern}.")
        return [path]
    wanted = pattern.replace("_", "-")
    wanted = wanted if "*" in wanted else f"*{wanted}*"
    found = [file for file in sorted(FOLDER.glob("*.yaml")) if fnmatch(file.stem.replace("_", "-"), wanted)]
    if not found:
        raise ScenarioError(f"No scenario is called {pattern!r}. List them with `longlead evals --list`.")
    return found


def _shown(file: Path) -> str:
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)
