"""Variables of `make` reach the commands letter for letter: blanks, quotes, dollars, other alphabets."""

import os
import re
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
STRANGE = ['a b\'s "data" $HOME $(HOME) $$ `id`; & a* \u00fc \u5efa \\ #1', "-x"]
DIARY = """#!/bin/sh
for word in "$@" "data=$LONGLEAD_DATA_DIR"; do printf '%s\\0' "$word"; done
"""

PLACES = {
    "DATA": ("serve", ["serve", "--port", "8000", "--data", "?"]),
    "PORT": ("serve", ["serve", "--port", "?", "--data", ".longlead"]),
    "PATTERN": ("evals", ["evals", "--", "?"]),
    "REPORT": ("evals", ["evals", "--report", "?"]),
    "JOBS": ("test", ["-m", "pytest", "-n", "?", "--dist", "loadfile"]),
    "EVENTS": ("chaos", ["-m", "evals.chaos", "--events", "?"]),
    "KILLS": ("chaos", ["-m", "evals.chaos", "--kills", "?"]),
    "SEED": ("chaos", ["-m", "evals.chaos", "--seed", "?"]),
    "BUILDINGS": ("soak", ["-m", "evals.soak", "--buildings", "?"]),
}


def call_make(tmp_path: Path, target: str, *variables: str, folder: str = "venv", **environment: str) -> list[str]:
    """The arguments that the command got, and then the data folder in its environment."""
    programs = tmp_path / folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("longlead", "python"):
        (programs / name).write_text(DIARY)
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in PLACES and not name.startswith("MAKE")}
    call = ["make", "-s", target, "SETUP=:", f"VENV={tmp_path / folder}", *variables]
    done = subprocess.run(call, cwd=HOUSE, env=kept | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("variable", PLACES)
def test_a_variable_reaches_the_command_letter_for_letter(variable: str, tmp_path: Path) -> None:
    target, expected = PLACES[variable]
    for value in STRANGE:
        wanted = [value if word == "?" else word for word in expected]
        assert call_make(tmp_path, target, f"{variable}={value}")[:-1] == wanted
    exported = call_make(tmp_path, target, **{variable: "a $b 'c'"})
    assert exported[:-1] == ["a $b 'c'" if word == "?" else word for word in expected]


def test_the_data_folder_reaches_studio(tmp_path: Path) -> None:
    for value in STRANGE:
        assert call_make(tmp_path, "studio", f"DATA={value}")[-1] == f"data={value}"


def test_the_environment_may_lie_in_a_folder_with_any_name(tmp_path: Path) -> None:
    for name in ("a b", "it's", "$HOME", "ü"):
        assert call_make(tmp_path, "serve", folder=name)[:-1] == ["serve", "--port", "8000", "--data", ".longlead"]


def test_variables_that_are_not_given_leave_no_trace(tmp_path: Path) -> None:
    played = [word for word in call_make(tmp_path, "evals") if not word.startswith("data=")]
    assert played == ["evals", "evals", "--stories"]
    assert call_make(tmp_path, "chaos")[:-1] == ["-m", "evals.chaos"]


def test_every_variable_that_make_help_names_is_tried_here() -> None:
    text = (HOUSE / "Makefile").read_text(encoding="utf-8")
    used = set(re.findall(r"\$\(call (?:quoted|option,--\w*),([A-Z]+)\)", text))
    tools = {"VENV", "PYTHON", "WITH"}  # of set-up itself
    assert used - tools == set(PLACES)
