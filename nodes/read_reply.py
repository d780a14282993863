"""A person's reply in free words is read by a model. The call is alone in its step, so that its result is kept."""

from nodes.entry import entry_in
from nodes.state import BuildingState
from tools.context import Toolbox
from tools.reading_replies import read_reply_to


async def read_reply(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    return {"reply": vars(await read_reply_to(toolbox, entry_in(state)))}
