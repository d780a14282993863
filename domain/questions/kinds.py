"""What a kind of question is: everything that Longlead knows of it, declared in one place, and nothing left out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.approvals import ApprovalKind, Option
from domain.buildings import Building
from domain.plain_json import FactValue, JsonObject, PlainObject
from domain.procurement import LineFile
from domain.situation import Situation


class Subject(BaseModel):
    """What a question is about beside the line's file. Keys that another version stored are kept and ignored,
    and every field has a default: a question on record can always be read."""

    model_config = ConfigDict(extra="allow", frozen=True)

    matter: str | None = None
    """Which of several things of this kind on the line it is about, where whoever raises it knows; wins over the
    kind's own."""
    policy_line: str | None = None
    """The line of the policy for which it is asked, where it is not the kind's own."""


S = TypeVar("S", bound=Subject)


@dataclass(frozen=True, kw_only=True)
class QuestionKind(Generic[S]):
    """One kind of question. No field has a default: a kind that leaves something out cannot be imported."""

    name: ApprovalKind
    subject: type[S]
    options: Callable[[Situation, S], list[Option]]
    """Ranked ways out, the recommended one first."""
    policy_line: Callable[[S], str]
    """Why a person is asked, as evidence shows it, unless the subject has its own line."""
    is_always_a_persons: bool
    """Whether it can be neither delegated nor learned: a hold ends by a person's word, a technical failure is no habit,
    and nobody decides on authority but people."""
    needs_a_person: bool
    """Whether a person decides whatever is answered, unless one delegated it."""
    any_key_may_answer: bool
    """Whether a program's key may answer without a delegation."""
    escalates: bool
    """Whether it moves up the approver chain; else whoever is asked is reminded once."""
    is_about_an_event: bool
    """Whether it can be what a report calls for; else time, a failure or trust raises it."""
    is_told_from_outside: bool
    """Whether its own sentence may hold words from outside."""
    is_put_to_models: bool
    """Whether a model is heard on it before a person is asked."""
    rests_on_vendors: bool
    """Whether it rests on which vendors there are, and on whether one is approved."""
    when: str | None
    """How a rule on it begins; None: no rule can be learned."""
    names_its_case: bool
    """Whether a rule's sentence goes on with the case itself: `When a report names "Pmps"`."""
    case: Callable[[S], str | None]
    """What tells questions of this kind apart beside the line, where habits are learned."""
    title: Callable[[S, PlainObject], str]
    """What a message's subject says of it, from its subject and its evidence; empty: the days say it."""

    def read(self, subject: PlainObject) -> S:
        """A subject as it is on record, typed."""
        return self.subject.model_validate(dict(subject))

    def policy(self, subject: S) -> str:
        """The line of the policy that evidence shows."""
        return subject.policy_line or self.policy_line(subject)


@dataclass(frozen=True, kw_only=True)
class LineKind(QuestionKind[S]):
    """A question about a line."""

    summary: Callable[[Situation, S], str]
    stands: Callable[[LineFile, Building, S], bool]
    """Whether the facts still ask it."""
    facts: Callable[[LineFile, Building, S], list[FactValue]]
    """The facts that it rests on, and no others: what has no bearing on the answer must not make a person read it
    again."""
    told_again: Callable[[LineFile, Building, S], JsonObject]
    """What of its subject the facts tell: told again whenever it is built, so that nothing old is left in it."""
    evidence: Callable[[Situation, S], JsonObject]
    """What evidence shows of it beside the line, its order and its dates."""
    matter: Callable[[LineFile, S], str]
    """Which of several things of this kind on the line it is about; empty: there is one."""
    earlier_facts: Callable[[LineFile, Building, S], list[list[FactValue]]]
    """What fingerprints of its questions were made of before it had a matter; empty: it has none."""
    decides_on: Literal["its_ncr", "all_ncrs", "nothing"]
    """Which rejected goods an answer is about that names none."""
    holds_line: bool
    """Whether the agent leaves the line alone until it is answered."""
    is_asked_once: bool
    """Whether the facts alone call for it as long as they stand: on the same facts it is put only once."""


@dataclass(frozen=True, kw_only=True)
class FreeKind(QuestionKind[S]):
    """A question about no line."""

    summary: Callable[[S], str]


def no_case(_subject: Subject) -> None:
    """Questions of this kind on a line are all alike."""


def nothing_again(_file: LineFile, _building: Building, _subject: Subject) -> JsonObject:
    """The subject says nothing that the facts tell."""
    return {}


def nothing_more(_situation: Situation, _subject: Subject) -> JsonObject:
    """Evidence shows nothing beside the line, its order and its dates."""
    return {}


def one_per_line(_file: LineFile, _subject: Subject) -> str:
    """There is only one matter of this kind on a line."""
    return ""


def never_without_matter(_file: LineFile, _building: Building, _subject: Subject) -> list[list[FactValue]]:
    """No version asked it differently."""
    return []


def says(words: str) -> Callable[[Subject, PlainObject], str]:
    """The same words in every message's subject."""
    return lambda _subject, _evidence: words


def line_of(words: str) -> Callable[[Subject], str]:
    """The same line of the policy for every question."""
    return lambda _subject: words


CONTRADICTS = "what cannot be true beside what is known is put to a person"
NOT_CLEAR = "what is not clear is put to a person"
