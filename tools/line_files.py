"""Reading the files of many lines, some at once."""

from collections.abc import AsyncIterator, Sequence

from domain.procurement import LineFile
from storage import procurement
from tools.apart import breathe
from tools.context import ActionContext

MAX_FILES = 200
"""Lines whose files are read at once."""


async def read_files(context: ActionContext, ids: Sequence[str]) -> AsyncIterator[LineFile]:
    """The files of these lines, one after the other; others on the event loop go on meanwhile."""
    for start in range(0, len(ids), MAX_FILES):
        _, _, files = await procurement.standing(
            context.transaction.conn, context.building.building_id, list(ids[start : start + MAX_FILES])
        )
        for number, file in enumerate(files):
            await breathe(number)
            yield file
