"""What models once said, said again: so that a record can be run again for nothing, and comes out the same."""

from typing import Any

from tools.models import Completion, ModelAbstained, ModelRequest, Output


class RecordedModels:
    """Answers by what was asked and which tier; what nobody asked then, no tier answers now."""

    def __init__(self, answers: dict[tuple[str, int], dict[str, Any]]) -> None:
        self._answers = answers
        names = {tier: row["model"] for (_, tier), row in answers.items()}
        self.tiers = tuple(names.get(tier, "") for tier in range(max(names, default=-1) + 1))

    async def complete(self, request: ModelRequest[Output]) -> Completion:
        """The recorded answer. It takes no tokens.

        Raises:
            ModelAbstained: that tier abstained then, or was never asked this.
        """
        row = self._answers.get((request.hash, request.tier))
        if row is None:
            raise ModelAbstained("no_tier", "this was not asked when the record was made")
        if row["outcome"] != "answered":
            raise ModelAbstained(row["outcome"], row["detail"] or "", model=row["model"])
        return Completion(row["answer"] or "", row["model"])
