"""Running a building's record again, on a fork: the same entries and answers, at their own times, under today's code
and changed settings. Nothing here asks the wall clock, nobody is woken, and no entry is made that is not on record.

- An answer is given as soon as its question stands: the same kind and line, resting on the same facts. Where it does
  not stand when the answer's turn comes, a person would have been asked differently: that is told, and the answer left.
- What the agent entered itself (a restated event, the telling of a dead one) is on record too. It waits in the inbox
  under its own number, so that the fork's run finds it there instead of adding it, and is taken in its turn if the
  fork's run came to it as well.
- Reminders and milestones are entered as they were; a reminder of a question that the fork does not ask is left out.
"""

import json
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from domain.actions import RestateArguments
from domain.approvals import Approval, Decision
from domain.errors import ConflictError
from domain.events import body_of
from domain.lines.taking_in import RESTATED
from domain.own_ids import without_owner
from domain.plain_json import JsonObject, PlainAction
from domain.principals import Author
from domain.questions import build_question, matter_on_file
from runtime.drain import Drainer, Ended
from runtime.replay_by_hand import ByHand
from runtime.slots import Slot, thread_lock
from storage import approvals, inbox, procurement, replays
from storage.buildings import thread_id
from storage.inbox import INTERNAL, Claimed, Lease
from storage.replayed_changes import Change
from storage.replays import Acceptance, Record, Recorded

WHO = Author(type="automated_rule", id="backtest", name="Backtest", via="local")


@dataclass
class RecordedClock:
    """Tells the time that is on record for what is being run."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True)
class AskedDifferently:
    """An answer on record that could not be given: its question did not stand, or rested on other facts."""

    seq: int
    asked: Approval
    standing: Approval | None


@dataclass(frozen=True)
class _Happens:
    """Something on record: its place among all that happened, and how it is done again."""

    place: tuple[int, int, int]
    again: Callable[[], Awaitable[bool | None]]


@dataclass
class Replay:
    """One record, run again on one fork."""

    drainer: Drainer
    clock: RecordedClock
    record: Record
    fork_id: str
    policy: JsonObject = field(default_factory=dict)
    """Fields that stand whatever people changed in the meantime."""
    tell: Callable[[int], None] = lambda _: None
    """Hears how many entries were run."""
    begin: Callable[[int], None] = lambda _: None
    """Hears which entry is run next."""
    differently: list[AskedDifferently] = field(default_factory=list)
    _given: set[int] = field(default_factory=set)
    _by_hand: ByHand = field(init=False)
    _numbered: dict[int, Recorded] = field(init=False)
    _accepted: list[Acceptance] = field(init=False)
    _entered_by: dict[int, list[Recorded]] = field(init=False)

    def __post_init__(self) -> None:
        self._numbered = {entry.seq: entry for entry in self.record.entries}
        known = (one for one in self.record.acceptances.values() if one.seq in self._numbered)
        self._accepted = sorted(known, key=lambda one: one.position)
        self._entered_by = self._by_what_entered_them()
        self._by_hand = ByHand(self.clock, self.record.building_id, self.fork_id, self.policy)

    @property
    def remarks(self) -> list[str]:
        """What could not be done again."""
        return self._by_hand.remarks

    async def run(self, slot: Slot) -> None:
        """Run everything on record, in the order in which it happened."""
        async with slot.saver.lock:
            lease = await inbox.begin_drain(slot.conn, self.fork_id)
            await replays.make_room(slot.conn, self.fork_id, self.record.last_seq)
        if lease is None:
            raise ConflictError(f"Fork {self.fork_id!r} is gone.")
        async with thread_lock(slot, thread_id(self.fork_id), self.drainer.settings.stalled_after):
            for happens in self._in_order(slot, lease):
                await happens.again()

    def _in_order(self, slot: Slot, lease: Lease) -> list["_Happens"]:
        """What happened, by its position: what people did before the run that found it so."""
        record = self.record
        made = [
            _Happens((entry.acted, 1, number), partial(self._entry, slot, lease, entry))
            for number, entry in enumerate(record.entries)
        ]
        made += [
            _Happens((acceptance.position, 0, 0), partial(self._answer, slot, self._numbered[acceptance.seq]))
            for acceptance in self._accepted
        ]
        made += [_Happens((change.position, 0, 0), partial(self._change, slot, change)) for change in record.changes]
        return sorted(made, key=lambda one: one.place)

    async def _change(self, slot: Slot, change: Change) -> None:
        """What somebody changed beside the inbox, over which the settings under trial stand."""
        self.clock.moment = change.at or self.clock.moment
        async with slot.saver.lock:
            await self._by_hand.again(slot.conn, change)

    async def _answer(self, slot: Slot, entry: Recorded) -> bool:
        """Give the answer if its question stands."""
        if entry.seq in self._given:
            return True
        asked = self.record.acceptances[entry.seq].asked
        self.clock.moment = entry.received_at
        async with slot.saver.lock:
            standing = await self._standing(slot, asked)
            if standing is None or not await self._rests_on_the_same(slot, asked, standing):
                return False
            decision = _meant(Decision.model_validate(entry.body["decision"]), asked, standing)
            if decision is None:
                return False
            await replays.answer(slot.conn, standing, entry, decision, self.clock.now())
        self._given.add(entry.seq)
        return True

    async def _standing(self, slot: Slot, asked: Approval) -> Approval | None:
        """The fork's pending question of the same kind, line and matter; without a line, the one on the same facts."""
        pending = await procurement.open_questions(slot.conn, self.fork_id)
        alike = [
            one
            for one in pending
            if (one.kind, one.item_id) == (asked.kind, asked.item_id) and await self._is_same_matter(slot, asked, one)
        ]
        same = [one for one in alike if await self._rests_on_the_same(slot, asked, one)]
        found = same or alike
        return found[0] if found else None

    async def _is_same_matter(self, slot: Slot, asked: Approval, standing: Approval) -> bool:
        """Whether both are about the same NCR, order or event. Records of earlier versions do not name it."""
        if asked.matter or not standing.matter or standing.item_id is None:
            return asked.matter == standing.matter
        file = await procurement.line_file(slot.conn, self.fork_id, standing.item_id)
        return matter_on_file(asked, file) == standing.matter

    async def _rests_on_what_was_recorded_before(self, slot: Slot, asked: Approval, standing: Approval) -> bool:
        """Whether a question recorded before questions had a matter rests on the facts of this one."""
        if asked.matter or not standing.matter or standing.item_id is None:
            return False
        file = await procurement.line_file(slot.conn, self.fork_id, standing.item_id)
        building = await procurement.building(slot.conn, self.fork_id)
        if file is None or building is None:
            return False
        today = self.clock.now().astimezone(building.zone).date()
        question = build_question(standing.kind, file, building, today, standing.subject)
        return question is not None and question.rests_on(asked.matter, asked.fingerprint)

    async def _rests_on_the_same(self, slot: Slot, asked: Approval, standing: Approval) -> bool:
        """Whether two questions rest on the same facts. Those of one that is about no line name rules and events by
        ids, which are each building's own. A limit under trial is no fact: where the same order is put to a person
        with the same ways out, the answer is the same."""
        if asked.fingerprint == standing.fingerprint:
            return True
        if await self._rests_on_what_was_recorded_before(slot, asked, standing):
            return True
        if asked.kind == "order_beyond_authority" and self.policy:
            return bool(_put(asked) == _put(standing))
        neutral = without_owner(self.record.building_id, self.fork_id)
        facts = [neutral(json.dumps(_whoever_read(one.subject), sort_keys=True)) for one in (asked, standing)]
        return asked.item_id is None and facts[0] == facts[1]

    async def _entry(self, slot: Slot, lease: Lease, entry: Recorded) -> None:
        """Run one entry, if it is one that the fork would have had."""
        for meanwhile in self._accepted_during(entry):
            await self._answer(slot, meanwhile)
        if await self._comes_here_too(slot, entry):
            await self._wait_for_what_it_enters(slot, entry)
            self.clock.moment = entry.started_at
            self.begin(entry.seq)
            await self._process(slot, lease, await self._taken(slot, lease, entry))
        self.tell(1)

    def _accepted_during(self, entry: Recorded) -> Iterator[Recorded]:
        """The answers that were accepted while the entry was being processed."""
        first = bisect_right(self._accepted, entry.began, key=lambda one: one.position)
        for acceptance in self._accepted[first:]:
            if acceptance.position > entry.position:
                return
            if acceptance.seq != entry.seq:
                yield self._numbered[acceptance.seq]

    async def _comes_here_too(self, slot: Slot, entry: Recorded) -> bool:
        """Whether the fork would have had the entry as well. What an answer or the fork's own run entered is in its
        inbox then; what came from outside is not yet."""
        if entry.event_type == "Decision":
            return await self._answered(slot, entry)
        async with slot.saver.lock:
            if entry.source == RESTATED:
                return await self._restated(slot, entry)
            if entry.event_type == "Event_Failed":
                return await self._died(slot, entry)
            if "approval_id" in entry.body:
                return await approvals.building_of(slot.conn, self._own(str(entry.body["approval_id"]))) is not None
        return True

    async def _taken(self, slot: Slot, lease: Lease, entry: Recorded) -> Claimed | None:
        if entry.source == RESTATED or entry.event_type in ("Decision", "Event_Failed"):
            return await self.drainer.claim(slot, lease, beyond=entry.seq - 1)
        body = entry.body
        if "approval_id" in body:
            body = {**body, "approval_id": self._own(str(body["approval_id"]))}
        async with slot.saver.lock:
            return await replays.take(slot.conn, lease, entry, body, self.clock.now())

    async def _answered(self, slot: Slot, entry: Recorded) -> bool:
        if entry.seq not in self.record.acceptances or await self._answer(slot, entry):
            return entry.seq in self._given
        asked = self.record.acceptances[entry.seq].asked
        async with slot.saver.lock:
            self.differently.append(AskedDifferently(entry.seq, asked, await self._standing(slot, asked)))
        return False

    async def _restated(self, slot: Slot, entry: Recorded) -> bool:
        arguments = await replays.restated(slot.conn, self.fork_id, self._restated_by(entry), self._own(entry.event_id))
        if arguments is None:
            await replays.drop(slot.conn, self.fork_id, entry.seq)
            return False
        body = body_of(RestateArguments.model_validate(arguments).event)
        await replays.release(slot.conn, self.fork_id, entry.seq, body)
        return True

    def _restated_by(self, entry: Recorded) -> int:
        """The entry whose run restated it: second in its id, after the building."""
        return int(self._own(entry.event_id).removeprefix(f"{self.fork_id}:").split(":")[0])

    async def _died(self, slot: Slot, entry: Recorded) -> bool:
        """The telling of an entry that died: if it died here too, or (it was tried again since) died back then."""
        seq, generation = _failed(entry)
        told = self._numbered.get(seq)
        again = told is not None and told.generation > generation
        if again:
            await replays.enter(slot.conn, self.fork_id, entry, entry.event_id)
        if again or await replays.status_of(slot.conn, self.fork_id, seq) == "dead":
            await replays.release(slot.conn, self.fork_id, entry.seq)
            return True
        await replays.drop(slot.conn, self.fork_id, entry.seq)
        return False

    def _by_what_entered_them(self) -> dict[int, list[Recorded]]:
        """What runs of the agent entered themselves, by the entry that they were processing."""
        found: dict[int, list[Recorded]] = {}
        for one in self.record.entries:
            if one.source == RESTATED:
                found.setdefault(self._restated_by(one), []).append(one)
            elif one.event_type == "Event_Failed":
                seq, generation = _failed(one)
                if seq in self._numbered and self._numbered[seq].generation == generation:
                    found.setdefault(seq, []).append(one)
        return found

    async def _wait_for_what_it_enters(self, slot: Slot, entry: Recorded) -> None:
        """Entries that this one's run made on record stand ready, so that the fork's run finds them."""
        async with slot.saver.lock:
            for one in self._entered_by.get(entry.seq, ()):
                own = self._own(one.event_id) if one.source == RESTATED else one.event_id
                await replays.enter(slot.conn, self.fork_id, one, own)

    async def _process(self, slot: Slot, lease: Lease, claimed: Claimed | None) -> None:
        """Process what was taken, and what its run entered beyond the record."""
        while claimed is not None:
            outcome = await self.drainer.process(slot, lease, claimed)
            if outcome is Ended.BACKING_OFF:
                return
            beyond = self.record.last_seq
            claimed = await self.drainer.end(slot, lease, claimed.entry, outcome, beyond=beyond)

    def _own(self, name: str) -> str:
        """An id that begins with the building's name, as the fork's."""
        return self.fork_id + name[len(self.record.building_id) :] if name.startswith(self.record.building_id) else name


def _whoever_read(subject: JsonObject) -> JsonObject:
    """What a question is about, whichever model read the text and however sure it was."""
    reading = subject.get("reading")
    if not isinstance(reading, dict):
        return subject
    return {**subject, "reading": {name: reading[name] for name in reading if name not in ("model", "confidence")}}


def _meant(decision: Decision, asked: Approval, standing: Approval) -> Decision | None:
    """What somebody's answer says where something else is recommended now: whoever approved wants what was
    recommended then; what whoever refused would say to this is not known."""
    if decision.type not in ("approve", "reject") or _neutral(asked) == _neutral(standing):
        return decision
    if decision.type == "reject":
        return None
    return decision.model_copy(update={"type": "edit", "actions": asked.recommended})


def _neutral(approval: Approval) -> list[tuple[str, JsonObject]]:
    """What is recommended, whichever text goes with it."""
    told = ("event", "message", "note", "question", "reason")
    return [
        (action["name"], {name: value for name, value in action["arguments"].items() if name not in told})
        for action in approval.recommended
    ]


def _put(approval: Approval) -> tuple[list[list[PlainAction]], JsonObject]:
    """What a person is shown of an order, but for the line of the policy."""
    options = [option.actions for option in approval.options[approval.refused :]]
    return options, {name: value for name, value in approval.evidence.items() if name in ("item", "order", "dates")}


def _failed(entry: Recorded) -> tuple[int, int]:
    """Of an `Event_Failed`: (seq, generation) of what died."""
    if entry.source != INTERNAL or not entry.event_id.startswith("failed:"):
        return (0, 0)
    _, seq, generation = entry.event_id.split(":")
    return int(seq), int(generation)
