"""The files that Longlead is deployed with are read as their tools read them, and what they start is there."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from cli.main import app
from runtime.settings import VARIABLES

HOUSE = Path(__file__).parent.parent
UNITS = sorted((HOUSE / "deploy").glob("*.service"))
DOCKERFILE = HOUSE / "Dockerfile"
COMPOSE: dict[str, Any] = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, in order."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def unit(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read_string(path.read_text(encoding="utf-8"))
    return parsed


def is_a_command(words: list[str]) -> bool:
    """Whether the words are a command of `longlead`, with options that it has."""
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    found = command.commands.get(words[1]) if words[0].endswith("longlead") else None
    options = {name for parameter in (found.params if found else []) for name in parameter.opts}
    return found is not None and set(words[2:]) <= options


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_of_ours_under_a_user_of_its_own(path: Path) -> None:
    service = unit(path)["Service"]
    assert is_a_command(shlex.split(service["ExecStart"]))
    assert service["User"] == "longlead"
    assert service["Restart"] == "always"
    assert int(service["TimeoutStopSec"]) > 15, "longer than LONGLEAD_SHUTDOWN_GRACE"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_reads_a_unit_without_complaint(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("/usr/local/bin/longlead", "/bin/true")
    (tmp_path / path.name).write_text(text, encoding="utf-8")
    run = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / path.name)], capture_output=True, text=True, timeout=30
    )
    complaints = [line for line in run.stderr.splitlines() if path.name in line]
    assert complaints == []


def test_there_is_a_unit_for_the_service_and_one_for_workers() -> None:
    assert [path.name for path in UNITS] == ["longlead-worker.service", "longlead.service"]


def test_the_image_is_built_of_files_that_are_there_and_installs_only_what_is_pinned() -> None:
    found = instructions()
    assert {word for word, _ in found} <= INSTRUCTIONS
    copied = [name for word, rest in found if word == "COPY" for name in rest.split()[:-1]]
    assert copied
    assert [name for name in copied if not (HOUSE / name).exists()] == []
    installs = [part for word, rest in found if word == "RUN" for part in rest.split("&&") if "pip install" in part]
    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-deps" in part for part in installs)


def test_the_image_does_not_run_as_root_and_starts_the_service() -> None:
    found = dict(instructions())
    assert found["USER"] == "longlead"
    assert is_a_command(json.loads(found["CMD"]))
    variables = [pair.split("=")[0] for pair in shlex.split(found["ENV"])]
    assert set(variables) <= set(VARIABLES.values())


def test_the_image_gets_what_the_package_is_made_of() -> None:
    let_in = {line[1:] for line in (HOUSE / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    packages = {path.parent.name for path in HOUSE.glob("*/__init__.py")} - {"tests"}
    assert packages <= let_in
    assert {"pyproject.toml", "README.md", "requirements*.txt"} <= let_in


def test_the_health_check_asks_an_address_that_is_there() -> None:
    check = dict(instructions())["HEALTHCHECK"]
    words = json.loads(check[check.index("CMD ") + 4 :])
    compile(words[2], "health check", "exec")
    assert "/healthz" in words[2]


def test_compose_starts_the_service_with_settings_that_exist_beside_a_database() -> None:
    service = COMPOSE["services"]["longlead"]
    assert is_a_command(service["command"])
    assert set(service["environment"]) <= set(VARIABLES.values())
    assert service["stop_grace_period"] == "60s"
    assert service["environment"]["LONGLEAD_API_KEYS"] == f"@/run/secrets/{service['secrets'][0]}"
    assert set(service["depends_on"]) <= set(COMPOSE["services"])
    assert set(service["secrets"]) <= set(COMPOSE["secrets"])


def test_no_password_stands_in_any_of_the_files() -> None:
    database = COMPOSE["services"]["database"]["environment"]
    assert database["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_every_change_runs_what_ci_runs() -> None:
    workflow = yaml.safe_load((HOUSE / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step.get("run") for job in workflow["jobs"].values() for step in job["steps"]]
    assert "bash .ci/run" in steps


def test_a_commit_is_looked_at_by_the_tools_of_make_lint() -> None:
    hooks = yaml.safe_load((HOUSE / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    tools = {shlex.split(hook["entry"])[0] for hook in hooks}
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert lint is not None
    assert {tool.removeprefix(".venv/bin/") for tool in tools} == set(re.findall(r"\$\(BIN\)/(\w+)", lint[1]))
