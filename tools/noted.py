"""What people noted on lines that the agent is about to order: it does not read notes, so each is put to a person."""

from collections.abc import Sequence

from domain.outstanding import is_to_order, note_subject
from domain.plan import RaisedQuestion
from domain.procurement import LineFile
from storage import procurement
from storage.notes import notes_not_asked
from tools.context import ActionContext


async def ask_about_notes(context: ActionContext, files: Sequence[LineFile]) -> list[RaisedQuestion]:
    """The questions about notes on these lines, where the agent would order the line and no question holds it. Once for
    each note and line."""
    conn, building = context.transaction.conn, context.building
    to_order = {
        file.item.item_id: file
        for file in files
        if not (file.item.removed or file.item.is_held) and is_to_order(file, building)
    }
    notes = await notes_not_asked(conn, building.building_id, list(to_order))
    if not notes:
        return []
    _, questions, _ = await procurement.standing(conn, building.building_id, [note.item_id for note in notes])
    held = {question.item_id for question in questions if question.holds_item}
    return [
        RaisedQuestion(
            kind="facts_contradict",
            item_id=note.item_id,
            subject=note_subject(to_order[note.item_id].item, note.text, note.seq),
        )
        for note in notes
        if note.item_id not in held
    ]


async def ask_about_new_note(context: ActionContext, item_ids: Sequence[str], text: str) -> list[RaisedQuestion]:
    """The same for a note that is being recorded: on the first day live only. In watch nothing is ordered, so it is
    asked when the building goes live; later the agent orders at once, and there is nothing to hold back."""
    conn, building = context.transaction.conn, context.building
    if building.is_watching or building.acts_from is None or not item_ids:
        return []
    _, questions, files = await procurement.standing(conn, building.building_id, list(item_ids))
    held = {question.item_id for question in questions if question.holds_item}
    return [
        RaisedQuestion(
            kind="facts_contradict",
            item_id=file.item.item_id,
            subject=note_subject(file.item, text, context.seq),
        )
        for file in files
        if file.item.item_id not in held and not file.item.is_held and is_to_order(file, building)
    ]
