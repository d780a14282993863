"""Lines that an upgrade adopted: people are told of those that stay released by a verdict of before."""

from typing import cast

from domain.actions import action
from domain.buildings import MANAGER
from domain.events import Entry
from domain.lines.adopting import ToldLines, describe_told
from tools.context import ActionContext, Toolbox
from tools.recording import Finding, record_facts


async def tell_of_adopted(toolbox: Toolbox, entry: Entry) -> Finding:
    """One message to the manager; nothing is asked."""

    async def act(context: ActionContext) -> Finding:
        message = describe_told(cast(ToldLines, context.entry.body))
        return Finding(
            note="lines that were released stay released",
            say=[action("notify_team", team=MANAGER, message=message, item=None)],
        )

    return await record_facts(toolbox, entry, act)
