"""`python -m bootstrap.pins`: writes the pinned files again from the ranges in pyproject.toml. `make requirements`."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
PINNED = "requirements-pinned.txt"
COMPILE = ["pip", "compile", "-", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links"]
COMPILE += ["--no-header", "--quiet"]


def read_ranges(pyproject: str) -> dict[str, list[str]]:
    """The ranges that pyproject.toml names: of what builds the package, what runs it, and what working on it needs."""
    project = tomllib.loads(pyproject)
    run = list(project["dependency-groups"]["run"])
    extras = project["project"]["optional-dependencies"].values()
    return {
        "build": list(project["build-system"]["requires"]),
        "run": run,
        "dev": run + [requirement for extra in extras for requirement in extra],
    }


def strip_hashes(requirements: str) -> str:
    """The versions of a file with hashes, one a line: the metadata of a package can hold no hashes."""
    entries = re.sub(r"\\\n", " ", requirements).splitlines()
    pins = [re.sub(r"\s+--hash=\S+", "", entry).strip() for entry in entries]
    return "".join(f"{pin}\n" for pin in pins if pin and not pin.startswith("#"))


def _compile(ranges: list[str], output: str, *options: str) -> None:
    call: list[str | Path] = [UV, *COMPILE, *options, "--output-file", output]
    subprocess.run(call, input="\n".join(ranges), text=True, cwd=CHECKOUT, check=True)


def write_pins() -> None:
    """Write all pinned files. Versions in them are kept where the ranges still allow them."""
    ranges = read_ranges((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    _compile(ranges["build"], "requirements-build.txt", "--no-annotate")
    _compile(ranges["dev"], "requirements-dev.txt", "--constraints", "requirements-build.txt")
    _compile(ranges["run"], "requirements.txt", "--constraints", "requirements-dev.txt")
    pins = strip_hashes((CHECKOUT / "requirements.txt").read_text(encoding="utf-8"))
    (CHECKOUT / PINNED).write_text(pins, encoding="utf-8")


if __name__ == "__main__":
    write_pins()
