"""Finding stories and reading them: those that come along, and files and folders of one's own."""

from pathlib import Path

from pydantic import ValidationError

from domain.buildings import BuildingSpec
from evals.source import ScenarioError, Source, read_yaml
from evals.stories.format import Story, list_mistakes

FOLDER = Path(__file__).parent
"""Where the stories are that come along."""
KNOWN_ERRORS = FOLDER / "known_errors.json"
"""What today's code gets wrong in them. The aim is an empty list."""


class StoryError(ScenarioError):
    """A story does not fit its schema. The message names file, line and field; docs/evals.md explains them."""

    title = "Story does not fit"


def find_stories(paths: list[str]) -> list[Story]:
    """The stories of these files and folders; those that come along where none is named.

    Raises:
        StoryError: one does not fit, cannot be read, or two have one name. Says all that is wrong, a line for each.
    """
    files = [file for path in paths or [str(FOLDER)] for file in _list_files(path)]
    stories: list[Story] = []
    problems: list[str] = []
    for file in dict.fromkeys(files):
        try:
            stories.append(load_story(file))
        except ScenarioError as error:
            problems.append(error.detail)
    names = [story.name for story in stories]
    problems += [f"Two stories are called {name}." for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise StoryError("\n".join(problems))
    return stories


def load_story(file: Path) -> Story:
    """The story of a file.

    Raises:
        StoryError: it does not fit; the message has a line for each mistake, with file, line and field.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoryError(f"{file} cannot be read: {error}") from error
    return parse_story(read_yaml(str(file), text))


def parse_story(source: Source) -> Story:
    """The story that a file holds.

    Raises:
        StoryError: it does not fit.
    """
    given = source.value
    if not isinstance(given, dict):
        raise StoryError(f"{source.name}:1: a story is a mapping with name, building and steps")
    try:
        story = Story.model_validate(given)
    except ValidationError as error:
        raise StoryError("\n".join(source.problems(error))) from error
    try:
        BuildingSpec.model_validate(story.building)
    except ValidationError as error:
        raise StoryError("\n".join(source.problems(error, ("building",)))) from error
    if mistakes := list(list_mistakes(story)):
        raise StoryError("\n".join(source.problem(place, message) for place, message in mistakes))
    return story


def _list_files(path: str) -> list[Path]:
    place = Path(path)
    if not place.is_dir():
        return [place]
    found = sorted([*place.glob("*.yaml"), *place.glob("*.yml")])
    if not found:
        raise StoryError(f"There is no story in the folder {path}: they are files named *.yaml.")
    return found
