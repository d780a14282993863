"""English that names and sentences are held against (`words.yaml`)."""

from pathlib import Path

import yaml

_LISTS: dict[str, str] = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text(encoding="utf-8"))


def _read(name: str) -> frozenset[str]:
    return frozenset(_LISTS[name].split(", "))


IRREGULAR_PARTICIPLES, NO_PARTICIPLES = _read("irregular_participles"), _read("no_participles")
FILLERS, ARCHAIC = _read("fillers"), _read("archaic")


def is_participle(name: str) -> bool:
    """Whether a whole name is one past participle: `found`, `filed`."""
    return name in IRREGULAR_PARTICIPLES or (
        name.isalpha() and name.endswith("ed") and len(name) > 3 and name not in NO_PARTICIPLES
    )
