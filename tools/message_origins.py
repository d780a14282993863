"""Whose words the messages on file are: notes of the team, letters of a vendor, or of anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.procurement import Message, VendorRow
from storage import summaries
from storage.rows import select
from tools.context import Toolbox
from tools.provenance import MIXED, OUTSIDE, TEAM, Origin, written_by


@dataclass(frozen=True)
class MessageOrigins:
    """Tells the origin of each message of a building."""

    entries: Mapping[int, tuple[str, str]]
    """Type and source of the entries that they came with."""
    vendors: Sequence[VendorRow]

    def of(self, message: Message) -> Origin:
        """A message in is a note of the team, a known vendor's or anybody's. One out to a vendor may repeat its words;
        one to the team may hold anything."""
        if message.direction == "in":
            event_type, source = self.entries.get(message.caused_seq, ("", ""))
            if event_type != "Message_Received":
                return of_note(source) if event_type == "Human_Input" else MIXED
            known = next((one for one in self.vendors if one.is_address_of(message.party)), None)
            return OUTSIDE if known is None else written_by(known.vendor_id)
        named = [one for one in self.vendors if one.name == message.party]
        return written_by(named[0].vendor_id) if len(named) == 1 else MIXED


RESTATED = "longlead.restated"
"""The source of what was kept as a note though it came as a letter: its words are the writer's."""


def of_note(source: str) -> Origin:
    """Whose a note is, by the source that it came from."""
    return MIXED if source == RESTATED else TEAM


async def message_origins(toolbox: Toolbox, building_id: str, messages: Sequence[Message]) -> MessageOrigins:
    """What is needed to tell the origins of these messages."""
    async with toolbox.lock:
        seqs = [one.caused_seq for one in messages if one.direction == "in"]
        entries = await summaries.written_as(toolbox.conn, building_id, seqs)
        vendors = await select(toolbox.conn, VendorRow, "building_id = %s", (building_id,))
    return MessageOrigins(entries, vendors)
