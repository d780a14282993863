"""Was every entry processed, every answer applied, every refusal the right one?"""

from collections.abc import Iterator
from itertools import zip_longest

from domain.text import folded
from evals.graders.actions import same
from evals.playing import Played
from evals.problems import Kind, Problem


def grade(played: Played) -> Iterator[Problem]:
    """How the step itself ended."""
    step, seen = played.step, played.observed
    refused = None if seen.refusal is None else seen.refusal[0]
    if refused != step.refused:
        said = "taken" if seen.refusal is None else f"refused with {refused}: {seen.refusal[1]}"
        yield Problem(Kind.FAILED, f"it was {said}, expected {step.refused or 'that it is taken'}")
    yield from _ended(played)
    if step.answer is not None and refused is None and not step.queued:
        wanted = ("outdated",) if step.outdated else ("asked_again", "answered") if step.asked_again else ("applied",)
        if seen.settled not in wanted:
            kind = Kind.WRONG_READING if step.is_text else Kind.FAILED
            yield Problem(kind, f"the answer is {seen.settled}, expected {' or '.join(wanted)}")
    yield from _read(played)
    if step.learns is not None and sorted(step.learns) != sorted(seen.learned):
        yield Problem(Kind.WRONG_STATE, f"learned {seen.learned or 'nothing'}, expected {step.learns}")
    notes = [str((entry["outcome"] or {}).get("note", "")) for entry in seen.entries]
    if step.notes is not None and not any(folded(step.notes) in folded(note) for note in notes):
        yield Problem(Kind.WRONG_STATE, f"noted {'; '.join(notes) or 'nothing'!r}, expected {step.notes!r}")


def _read(played: Played) -> Iterator[Problem]:
    """What a text was taken for, against what it says."""
    wanted, found = played.step.reads, played.observed.restated
    if wanted is None and not (played.step.is_text and found and played.step.event is not None):
        return
    pairs = list(zip_longest(wanted or [], found))
    for expected, event in pairs:
        if expected is None or event is None or not all(same(key, expected[key], event.get(key)) for key in expected):
            yield Problem(Kind.WRONG_READING, f"read as {event or 'nothing'}, expected {expected or 'nothing'}")


def _ended(played: Played) -> Iterator[Problem]:
    """Entries that were given up, and those that should have been."""
    dead = [entry for entry in played.observed.entries if entry["status"] != "done"]
    died = False
    for entry in dead:
        expected = played.step.dies is not None and folded(played.step.dies) in folded(entry["error"] or "")
        died = died or expected
        if not expected:
            yield Problem(Kind.FAILED, f"{entry['event_type']} is {entry['status']}: {entry['error']}")
    if played.step.dies is not None and not died:
        yield Problem(Kind.FAILED, f"nothing was given up with {played.step.dies!r}")
