"""What models once said, said again: so that a record can be run again for nothing, and comes out the same."""

from collections.abc import Sequence

from storage.replays import ModelAnswer
from tools.models import Completion, ModelAbstained, ModelRequest, Output


class RecordedModels:
    """Answers by what was asked and of which tier: first as on the same entry, then as on any.

    A mail or a reply that is asked about in other words (an order has another number by now) is read as it was then:
    the reading is held against the text itself. What nobody asked then in any other way, no tier answers now.
    """

    def __init__(self, answers: Sequence[ModelAnswer]) -> None:
        self._answers = answers
        self._entry = 0
        names = {row.tier: row.model for row in answers}
        self.tiers = tuple(names.get(tier, "") for tier in range(max(names, default=-1) + 1))
        self.missed = 0
        """How often a tier was asked what it was not asked then, though it was asked other things."""

    def begin(self, seq: int) -> None:
        """From now on this entry is run."""
        self._entry = seq

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        """The recorded answer. It takes no tokens.

        Raises:
            ModelAbstained: that tier abstained then, or was never asked this.
        """
        row = self._found(request)
        if row is None:
            raise ModelAbstained("no_tier", "this was not asked when the record was made")
        if row.outcome != "answered":
            raise ModelAbstained(row.outcome, row.detail or "", model=row.model)
        return Completion(row.answer or "", row.model)

    def _found(self, request: ModelRequest[Output]) -> ModelAnswer | None:
        asked = (request.worker, request.tier)
        of_tier = [row for row in self._answers if (row.worker, row.tier) == asked]
        of_entry = [row for row in of_tier if row.seq == self._entry]
        same = [row for row in (*of_entry, *of_tier) if row.request_hash == request.hash]
        if not same and not any(row.request_hash == request.hash for row in self._answers):
            same = of_entry if request.worker == "reader" else []
            self.missed += bool(of_tier) and not same
        return same[0] if same else None
