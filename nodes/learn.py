"""Learn from a person's decision: a rule is made, confirmed or overruled; in time a delegation is asked for."""

from domain.plain_json import object_in, text_in
from domain.plan import Ask, Done
from domain.settlement import Applied
from nodes.entry import done_in, entry_in, settlement_in
from nodes.state import BuildingState
from tools.approvals import ask
from tools.context import Toolbox
from tools.rules import learn_from
from tools.wording import word_rule


async def learn(toolbox: Toolbox, state: BuildingState) -> BuildingState:
    entry, done, settled = entry_in(state), done_in(state), settlement_in(state)
    if not isinstance(settled, Applied) or settled.approval_id is None:
        raise LookupError("learning was reached without an answer that was applied")
    learned = await learn_from(toolbox, entry, settled.approval_id)
    if (made := text_in(learned, "made")) is not None:
        await word_rule(toolbox, entry, made, settled.why)
    if not (subject := object_in(learned, "ask")):
        return {"learned": True}
    step = Ask(kind="delegation_request", item_id=None, subject=subject)
    result = await ask(toolbox, entry, step, ordinal=0, number=sum(one.do == "ask" for one in done))
    done.append(Done(name=step.name, item=None, do="ask", ordinal=0, result=result))
    return {"learned": True, "done": [one.model_dump(mode="json") for one in done]}
