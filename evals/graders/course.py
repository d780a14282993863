"""Was every entry processed, every answer applied, every refusal the right one?"""

from collections.abc import Iterator

from domain.text import folded
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
        wanted = "outdated" if step.outdated else "applied"
        if seen.settled != wanted:
            yield Problem(Kind.FAILED, f"the answer is {seen.settled}, expected {wanted}")
    notes = [str((entry["outcome"] or {}).get("note", "")) for entry in seen.entries]
    if step.notes is not None and not any(folded(step.notes) in folded(note) for note in notes):
        yield Problem(Kind.WRONG_STATE, f"noted {'; '.join(notes) or 'nothing'!r}, expected {step.notes!r}")


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
