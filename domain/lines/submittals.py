"""Which verdict on a line's submittal counts: the one on the newest revision, and of one revision the newest saying."""

from collections.abc import Iterable
from dataclasses import replace

from domain.lines.facts import Fact, Submitted


def newest_verdict(facts: Iterable[Fact]) -> Submitted | None:
    """The verdict that stands, with the revision that it is of. One that names no revision is of the newest that was
    known when it was said."""
    told = [fact for fact in facts if isinstance(fact, Submitted) and not fact.is_voided]
    standing: Submitted | None = None
    for fact in sorted(told, key=lambda one: one.saying):
        if standing is None or fact.revision is None:
            revision = standing.revision if standing is not None and fact.revision is None else fact.revision
            standing = replace(fact, revision=revision)
        elif standing.revision is None or fact.revision >= standing.revision:
            standing = fact
    return standing
