"""The documents can be followed from top to bottom: every command is typed, every output that they show compared."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.lazy import Placeholder, load_command
from cli.main import app
from evals.library import FOLDER
from tests.documents.left_out import reason_to_leave_out
from tests.documents.markdown import HOUSE, commands_of, documents, inline_code_of, name_of
from tests.documents.reader import Reader, first_difference, following
from tests.documents.stages import STAGES

READ_IN_ONE_GO = [
    ["README.md", "docs/for-integrators.md", "docs/for-managers.md", "docs/your-own-project.md", "docs/evals.md"],
    ["docs/operations.md", "docs/upgrading.md"],
]
"""Documents that are read one after the other, on one installation: what the first has made is there."""


def courses() -> list[list[str]]:
    """Each document once, alone or after those that are read before it."""
    typed = [name_of(file) for file in documents() if any(not reason_to_leave_out(c.text) for c in commands_of(file))]
    together = {name for course in READ_IN_ONE_GO for name in course}
    return [*READ_IN_ONE_GO, *([name] for name in typed if name not in together)]


@pytest.fixture
def reader(open_tmp_path: Path) -> Iterator[Reader]:
    with following(open_tmp_path) as somebody:
        yield somebody


@pytest.mark.slow
@pytest.mark.parametrize("course", courses(), ids=" then ".join)
def test_a_document_can_be_followed(course: list[str], reader: Reader) -> None:
    if "jq" in uses(course) and shutil.which("jq") is None:
        pytest.skip("these documents use jq, which is not installed here")
    for name in course:
        if name in STAGES:
            STAGES[name](reader)
        for command in commands_of(HOUSE / name):
            if reason_to_leave_out(command.text) is None:
                reader.type(command)


def uses(course: list[str]) -> set[str]:
    """The words of all commands of these documents."""
    return {word for name in course for command in commands_of(HOUSE / name) for word in command.text.split()}


def test_output_that_differs_is_found() -> None:
    assert first_difference(["[...]", "2 orders"], ["Ready after 3.1 s", "2 orders"]) is None
    assert first_difference(["Ready after 5 s"], ["Ready after 3.1 s"]) is None
    assert first_difference(["2 orders"], ["3 orders"])
    assert first_difference(["2 orders"], ["2 orders", "and a warning"])
    assert first_difference(["[...]", "2 orders"], ["3 orders"])
    assert first_difference(["2 orders", "[...]"], ["2 orders", "and more"]) is None


def shell_words() -> list[tuple[str, str]]:
    """Every call of `longlead` and `make`, in blocks and within sentences, with the document that it is in."""
    return [
        (name_of(file), call)
        for file in documents()
        for text in (*(command.text for command in commands_of(file)), *inline_code_of(file))
        for call in re.split(r"\s*(?:&&|\|\||;|\||\$\()\s*", text)
        if re.match(r"(longlead|make)\s+\w", call)
    ]


@pytest.mark.parametrize(("file", "call"), [words for words in shell_words() if words[1].startswith("longlead")])
def test_every_command_that_is_named_exists_with_its_options(file: str, call: str) -> None:
    words = shlex.split(re.sub(r"[<>\[\]\"']|\.\.\.", " ", call), comments=True)[1:]
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="longlead")
    while hasattr(command, "get_command") and words and not words[0].startswith("-"):
        below = command.get_command(context, words[0])
        assert below is not None, f"{file} names `{call}`: there is no {words[0]!r}"
        below = load_command(below.entry) if isinstance(below, Placeholder) else below
        command, words = below, words[1:]
        context = command.context_class(command, parent=context)
    known = {option for given in command.get_params(context) for option in (*given.opts, *given.secondary_opts)}
    named = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert [option for option in named if option not in known] == [], f"{file} names `{call}`"


@pytest.mark.parametrize("call", sorted({call for _, call in shell_words() if call.startswith("make")}))
def test_every_target_of_make_that_is_named_exists(call: str) -> None:
    words = [word for word in shlex.split(call, comments=True)[1:] if re.match(r"[\w-]+$|[A-Z]+=", word)]
    said = subprocess.run(["make", "-n", *words], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_the_number_of_scenarios_is_that_of_the_files() -> None:
    count = len(list(FOLDER.glob("*.yaml")))
    for file in documents():
        text = file.read_text(encoding="utf-8")
        named = re.findall(r"\b(\d+)(?: of \d+)? scenarios\b", text)
        assert set(named) <= {str(count)}, f"{name_of(file)} speaks of {named} scenarios; there are {count}"
