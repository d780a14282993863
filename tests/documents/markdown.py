"""What a document holds: its fenced blocks, the commands in them, and the code within its sentences."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

HOUSE = Path(__file__).parent.parent.parent
SHELLS = ("sh", "bash", "console")
PROMPT = "$ "

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is where its first line stands in the document."""

    language: str
    text: str
    line: int


@dataclass
class Command:
    """A command as a reader types it, and the output that the document shows for it; empty: it shows none."""

    text: str
    line: int
    output: list[str] = field(default_factory=list)


def documents() -> list[Path]:
    """Every document of the project that has commands for people; decisions and the log of changes are for reading."""
    files = [*HOUSE.glob("*.md"), *HOUSE.glob("docs/*.md")]
    return sorted(file for file in files if file.name != "CHANGELOG.md")


def name_of(file: Path) -> str:
    return str(file.relative_to(HOUSE))


def blocks_of(file: Path) -> list[Block]:
    text = file.read_text(encoding="utf-8")
    return [
        Block(found[2], dedent(found[3]), text.count("\n", 0, found.start()) + 2) for found in _BLOCK.finditer(text)
    ]


def inline_code_of(file: Path) -> list[str]:
    """Code within sentences and tables."""
    return _INLINE.findall(_BLOCK.sub("", file.read_text(encoding="utf-8")))


def commands_of(file: Path) -> list[Command]:
    """The commands of a document, from top to bottom."""
    return [command for block in blocks_of(file) if block.language in SHELLS for command in _commands_in(block)]


def _commands_in(block: Block) -> list[Command]:
    has_prompts = block.language == "console"
    commands: list[Command] = []
    typed: list[str] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if typed:
            typed.append(line)
        elif has_prompts and line.startswith(PROMPT):
            typed = [line.removeprefix(PROMPT)]
        elif has_prompts:
            commands[-1].output.append(line)
            continue
        elif line.strip() and not line.lstrip().startswith("#"):
            typed = [line]
        if typed and _is_complete("\n".join(typed)):
            commands.append(Command("\n".join(typed), number - len(typed) + 1))
            typed = []
    if typed:
        raise ValueError(f"the block at line {block.line} ends within a command: {typed[0]}")
    return commands


def _is_complete(typed: str) -> bool:
    """Whether the shell would run it: no open quote, no line to be continued."""
    if typed.endswith("\\"):
        return False
    said = subprocess.run(["bash", "-n"], input=typed, capture_output=True, text=True, check=False)
    return said.returncode == 0 and "here-document" not in said.stderr
