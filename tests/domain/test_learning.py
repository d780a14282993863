"""What decisions teach, over any sequence of them: a rule never has more standing than people gave it."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.actions import action
from domain.approvals import Option
from domain.learning import Lesson, learn
from domain.policy import Policy
from domain.procurement import Item, LineFile
from domain.rules import TO_RULES, Case, Delegation, Rule, as_evidence, case_of, full_id, matching, scopes_of, split_id
from domain.templates import agree, fitting, template_of

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
POLICY = Policy(rule_autonomy_after=3)
REPLACE = [{"name": "reorder_item", "arguments": {"item": "{item}"}}]
REPAIR = [{"name": "repair_item", "arguments": {"item": "{item}"}}]
ACCEPT = [{"name": "accept_as_is", "arguments": {"item": "{item}"}}]
CHASE = [{"name": "request_information", "arguments": {"item": "{item}", "to": "vendor"}}]

CASES = st.builds(
    Case,
    kind=st.just("inspection_failed"),
    category=st.sampled_from([None, "05", "23"]),
    vendor_id=st.sampled_from([None, "air", "mill"]),
    item_id=st.sampled_from(["beams", "hvac", "doors"]),
)
TEMPLATES = st.sampled_from([REPLACE, REPAIR, ACCEPT])


def lesson(case: Case, template: Any, seq: int, **fields: Any) -> Lesson:
    return Lesson(
        case=case,
        seq=seq,
        at=NOW,
        source=f"{seq}.0",
        by="Project manager",
        item_name="It",
        template=template,
        title="t",
        **fields,
    )


class Learning(RuleBasedStateMachine):
    """A building, its manager and its rules: decided, refused, delegated and overruled in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.rules: dict[str, Rule] = {}
        self.delegations: list[Delegation] = []
        self.seq = 0
        self.asked: list[str] = []
        self.since: dict[str, int] = {}
        """Confirmations of a rule since it was learned, overruled or contradicted."""

    def advised(self, case: Case) -> Rule | None:
        return next(iter(matching(self.rules.values(), case)), None)

    def taught(self, given_lesson: Lesson) -> None:
        before = dict(self.rules)
        learned = learn(list(self.rules.values()), self.delegations, given_lesson, POLICY)
        for made in learned.rules:
            self.rules[made.rule_id] = made
        changed = {one.delegation_id: one for one in learned.delegations}
        self.delegations = [changed.get(one.delegation_id, one) for one in self.delegations]
        for made in learned.rules:
            if made.rule_id == learned.made:
                self.since[made.rule_id] = 1
            elif made.rule_id == learned.confirmed:
                self.since[made.rule_id] += 1
            else:
                self.since[made.rule_id] = 0
        if learned.ask_for is not None:
            self.asked.append(learned.ask_for.rule_id)
            assert learned.ask_for.may_stand_alone(POLICY.rule_autonomy_after)
            assert before[learned.ask_for.rule_id].delegation == "none", "asked once"

    @rule(case=CASES, template=TEMPLATES, heeded=st.booleans())
    def decided(self, case: Case, template: Any, heeded: bool) -> None:
        self.seq += 1
        best = self.advised(case)
        said = best.actions if best is not None and heeded else template
        self.taught(lesson(case, said, self.seq, advised=None if best is None else best.rule_id))
        latest = self.advised(case)
        disabled = any(one.status == "disabled" for one in self.rules.values())
        assert disabled or (latest is not None and agree(latest.actions, said)), "it says what was decided last"

    @rule(case=CASES)
    def refused(self, case: Case) -> None:
        self.seq += 1
        best = self.advised(case)
        self.taught(lesson(case, None, self.seq, refused=True, advised=None if best is None else best.rule_id))
        if best is not None:
            after = self.rules[best.rule_id]
            assert (after.streak, after.overruled) == (0, best.overruled + 1)
            assert not after.may_stand_alone(POLICY.rule_autonomy_after)
            names = {one["name"] for one in best.actions}
            assert not any(one.status == "active" and names <= set(one.actions) for one in self.delegations)

    @precondition(lambda self: self.asked)
    @rule()
    def delegated(self) -> None:
        found = self.rules[self.asked[-1]]
        self.seq += 1
        self.delegations.append(
            Delegation(
                delegation_id=f"d{self.seq}",
                kind=found.kind,
                actions=[str(one["name"]) for one in found.actions],
                granted_by="Project manager",
                granted_at=NOW,
            )
        )

    @precondition(lambda self: self.rules)
    @rule(data=st.data())
    def disabled(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.rules)))
        self.rules[name] = self.rules[name].model_copy(update={"status": "disabled"})

    @invariant()
    def no_rule_has_more_standing_than_people_gave_it(self) -> None:
        for found in self.rules.values():
            assert found.streak == self.since[found.rule_id] <= found.confirmed or found.status == "disabled"
            assert found.overruled >= found.refusals
            assert found.status != "active" or found.refusals < 2

    @invariant()
    def of_one_scope_at_most_one_active_rule_says_something(self) -> None:
        scopes = [tuple(one.scope.values()) for one in self.rules.values() if one.status == "active"]
        assert len(scopes) == len(set(scopes))


Learning.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLearning = Learning.TestCase


@given(case=CASES)
def test_scopes_grow_narrower_and_all_hold_for_their_case(case: Case) -> None:
    chain = [
        Rule(
            rule_id="r1",
            title="t",
            text="t",
            actions=REPLACE,
            source="1.0",
            learned_from="M",
            learned_at=NOW,
            **vars(s),
        )
        for s in scopes_of(case)
    ]
    assert all(one.holds_for(case) for one in chain)
    widths = [one.specificity for one in chain]
    assert widths == sorted(set(widths))
    assert matching(chain, case) == sorted(chain, key=lambda one: -one.specificity)


def taught(*templates: Any, **fields: Any) -> list[Rule]:
    """The rules after these decisions on three different lines, each as the rule of the time recommended it."""
    rules: dict[str, Rule] = {}
    for number, template in enumerate(templates, start=1):
        case = Case("inspection_failed", "23", None, f"line-{number}")
        advised = next(iter(matching(rules.values(), case)), None)
        given_lesson = lesson(case, template, number, advised=advised and advised.rule_id, **fields)
        for made in learn(list(rules.values()), [], given_lesson, POLICY).rules:
            rules[made.rule_id] = made
    return list(rules.values())


def test_whoever_decides_otherwise_in_a_category_teaches_a_rule_for_it() -> None:
    general, narrow = taught(REPLACE, REPLACE, REPAIR)
    assert (general.category, general.streak, general.overruled, general.status) == (None, 0, 1, "active")
    assert (narrow.category, narrow.actions, narrow.streak) == ("23", REPAIR, 1)


def test_where_nothing_is_narrower_the_rule_says_what_was_decided_last() -> None:
    case = Case("inspection_failed", item_id="hvac")
    rules = learn([], [], lesson(case, REPLACE, 1), POLICY).rules
    rules = [*rules, *learn(rules, [], lesson(case, REPAIR, 2, advised="r1"), POLICY).rules[1:]]
    last = learn(rules, [], lesson(case, ACCEPT, 3, advised="r2"), POLICY)
    (changed,) = last.rules
    assert (changed.rule_id, changed.actions, changed.streak, changed.source) == ("r2", ACCEPT, 1, "3.0")


def test_a_rule_that_is_refused_twice_in_a_row_goes_on_with_what_was_decided_instead() -> None:
    """The narrowest there is: the first time somebody decided otherwise for one vendor, and it kept what it says."""
    case, vendors = Case("inspection_failed", item_id="beams"), Case("inspection_failed", None, "air", "beams")
    rules: dict[str, Rule] = {}
    decisions = [(case, REPLACE), (case, ACCEPT), (vendors, REPLACE), (case, REPAIR)]
    for seq, (decided, template) in enumerate(decisions, start=1):
        advised = next(iter(matching(rules.values(), decided)), None)
        given_lesson = lesson(decided, template, seq, advised=advised and advised.rule_id)
        rules |= {made.rule_id: made for made in learn(list(rules.values()), [], given_lesson, POLICY).rules}
    assert (rules["r2"].status, rules["r2"].actions, rules["r2"].refusals) == ("active", REPAIR, 0)
    assert matching(rules.values(), case)[0].actions == REPAIR


def test_two_questions_open_at_once_that_are_answered_differently_overrule_nothing() -> None:
    case = Case("inspection_failed", "23", None, "hvac")
    rules = learn([], [], lesson(case, REPLACE, 1), POLICY).rules
    both = learn(rules, [], lesson(Case("inspection_failed", "26", None, "panels"), REPAIR, 2), POLICY)
    assert [(one.streak, one.overruled) for one in both.rules] == [(0, 0), (1, 0)]


def test_questions_of_one_kind_about_other_matters_are_told_apart() -> None:
    file = LineFile(item=Item(item_id="hvac", name="HVAC", currency="USD"))
    cases = [
        case_of("acknowledgement_exception", file, {"exceptions": [{"kind": kind, "detail": "d"}]})
        for kind in ("price", "backorder")
    ]
    cases.append(case_of("acknowledgement_exception", file, {"exceptions": [{"kind": "price"}, {"kind": "date"}]}))
    rules = learn([], [], lesson(cases[0], ACCEPT, 1), POLICY).rules
    assert [bool(matching(rules, case)) for case in cases] == [True, False, False]
    assert rules[0].text.startswith("When a vendor acknowledges an order with exceptions (price): t.")
    above, changed = (case_of("order_beyond_authority", file, {"change_order": it}) for it in (False, True))
    assert (above.about, changed.about) == (None, "change order")
    limit = learn([], [], lesson(above, REPLACE, 1), POLICY).rules
    assert [bool(matching(limit, case)) for case in (above, changed)] == [True, False]


def test_a_word_beside_what_needs_a_person_does_not_make_it_another_decision() -> None:
    told = [*REPLACE, {"name": "notify_team", "arguments": {"team": "site"}}]
    (confirmed,) = taught(REPLACE, told)
    assert confirmed.streak == 2


def test_what_needs_no_person_is_never_asked_for() -> None:
    rules: list[Rule] = []
    for number in range(1, 5):
        case = Case("milestone_overdue", item_id=f"line-{number}", about="ship")
        learned = learn(rules, [], lesson(case, CHASE, number), POLICY)
        rules = learned.rules
        assert learned.ask_for is None
    assert rules[0].may_stand_alone(POLICY.rule_autonomy_after)


def test_what_is_delegated_already_is_not_asked_for() -> None:
    rules = taught(REPLACE, REPLACE)
    granted = Delegation(
        delegation_id="d1", kind="inspection_failed", actions=["reorder_item"], granted_by="M", granted_at=NOW
    )
    third = lesson(Case("inspection_failed", "23", None, "line-3"), REPLACE, 3, advised="r1")
    assert learn(rules, [], third, POLICY).ask_for is not None
    assert learn(rules, [granted], third, POLICY).ask_for is None
    assert granted.covers(third.case, ["reorder_item"], TO_RULES, NOW)


def test_a_template_takes_days_and_quantities_from_the_new_situation() -> None:
    done = [
        action("repair_item", item="hvac", note="bearing"),
        action("schedule_inspection", item="hvac", on="2026-02-27"),
    ]
    template = template_of(done, "hvac")
    assert template is not None
    assert template_of(done, "doors") is None, "it was about another line"
    offered = [
        action("repair_item", item="doors", note="repair"),
        action("schedule_inspection", item="doors", on="2026-04-13"),
    ]
    options = [Option(title="Repair", actions=offered), Option(title="Nothing", actions=[])]
    found = fitting(template, options, "doors", "t")
    assert found is not None
    assert (found.title, found.actions) == ("Repair", offered)
    moved = template_of([action("change_required_by", item="hvac", required_by="2026-05-01")], "hvac")
    assert moved is not None
    assert fitting(moved, options, "doors", "t") is None, "no option says to which day"
    said = template_of([*done, action("notify_team", team="site", message="Mind the bearing.")], "hvac")
    assert said is not None
    assert [one["name"] for one in (fitting(said, options, "doors", "t") or options[1]).actions] == [
        "repair_item",
        "schedule_inspection",
    ]


@given(building=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"), number=st.integers(1, 10**9))
def test_an_id_names_its_building_and_its_rule(building: str, number: int) -> None:
    assert split_id(full_id(building, f"r{number}")) == (building, f"r{number}")


def test_evidence_names_the_rule_and_the_decision_that_it_comes_from() -> None:
    (shown,) = as_evidence(taught(REPLACE), "office", 3)
    assert (shown["rule_id"], shown["source"]) == ("office-r1", "office-1-0")
    assert (shown["in_a_row"], shown["needed_to_decide_alone"]) == (1, 3)
