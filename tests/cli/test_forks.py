"""What-ifs on the command line, in a form that a manager can read."""

import asyncio
import json
from pathlib import Path

import pytest

from runtime.clock import SystemClock
from runtime.drain import Drainer
from runtime.settings import Settings
from runtime.slots import SlotPool
from tests.api.office import APPROVED, BUILDING, SPEC
from tests.cli.conftest import Run

FAILED = {
    "event_type": "Inspection_Failed",
    "event_id": "qa-1",
    "item": "Steel Beams",
    "inspection_date": "2026-02-11",
    "document_url": "https://docs.example.com/qa-1",
    "document_name": "Report",
}
PRICED = {
    **SPEC,
    "items": [{"name": "Steel Beams", "vendor_id": "mill", "unit_price": "900", "quantity": "10"}],
    "vendors": [{"vendor_id": "mill", "name": "Mill"}],
    "policy": {"po_limit": "20000"},
}


def work(database: str, building_id: str) -> None:
    """Process what waits in a building's inbox, as a worker does."""

    async def drain() -> None:
        slots = SlotPool(database, SystemClock(), 1, "test slot")
        await Drainer(Settings(), SystemClock(), slots, asyncio.Event()).drain(building_id)
        await slots.close()

    asyncio.run(drain())


@pytest.fixture
def building(longlead: Run, database: str) -> str:
    """A building with an order, and a failed inspection that was answered with a replacement."""
    assert longlead("building", "create", "-", stdin=json.dumps(PRICED)).exit_code == 0
    for event in (APPROVED, FAILED):
        assert longlead("events", "send", BUILDING, json.dumps(event)).exit_code == 0
    work(database, BUILDING)
    assert longlead("approvals", "decide", f"{BUILDING}-2-0", "approve").exit_code == 0
    work(database, BUILDING)
    return BUILDING


def test_another_decision_is_tried_and_read_side_by_side(longlead: Run, building: str, database: str) -> None:
    made = longlead("fork", "create", building, "--before", "3").stdout
    fork = made.split()[0]
    assert f"{fork} begins after event 2" in made
    assert "the same up to event 2" in longlead("fork", "diff", building, fork).stdout
    assert longlead("approvals", "decide", f"{fork}-2-0", "reject", "--message", "Not again.").exit_code == 0
    work(database, fork)

    told = " ".join(longlead("fork", "diff", building, fork).stdout.split())
    assert "reality has gone on to event 3, the fork to event 3" in told
    assert "order 2" in told
    assert f"PO-{building}-0002 issued" in told
    assert "not ordered" in told
    assert "approved by local" in told
    assert "refused by local" in told
    plain = json.loads(longlead("fork", "diff", building, fork, "--json").stdout)
    assert plain["fork_id"] == fork
    assert fork in longlead("fork", "list", building).stdout
    assert longlead("fork", "delete", building, fork).stdout == f"{fork} is gone.\n"
    assert "There are none." in longlead("fork", "list", building).stdout


def test_a_backtest_prints_what_comes_out_differently(
    longlead: Run, building: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    same = longlead("backtest")
    assert same.exit_code == 0, same.output
    assert "Nothing comes out differently." in same.stdout
    assert "3 events of 1 building run again" in same.stdout

    policy = tmp_path / "policy.yaml"
    policy.write_text("po_limit: 100\n")
    changed = longlead("backtest", building, "--policy", str(policy))
    assert "with another outcome" in changed.stdout
    fork = json.loads(longlead("fork", "list", building, "--json").stdout)[0]["fork_id"]
    assert f"/buildings/{building}/forks/{fork}/diff" in changed.stdout
    (found,) = json.loads(longlead("backtest", building, "--policy", str(policy), "--json").stdout)["buildings"]
    first = found["differences"][0]
    assert first["event_type"] == "Submittal_Approved"
    assert first["was"][0].startswith("policy acts on alone (steel-beams): issue_purchase_order(item=steel-beams)")
    assert "order_beyond_authority (steel-beams): recommends issue_purchase_order" in first["now"][0]


@pytest.mark.parametrize(
    ("option", "text", "says"),
    [
        ("--policy", "po_limmit: 5", "file.yaml:1: po_limmit: the policy has no such field; did you mean po_limit?"),
        ("--policy", "reminder_after: PT1H\npo_limit: -5", "file.yaml:2: po_limit: Input should be greater"),
        ("--policy", "po_limit: 5\n  x: [", "file.yaml:2: not YAML"),
        ("--rules", "rulez: []", "file.yaml:1: rulez: there is no such field"),
        ("--rules", "rules: [{kind: hold_expired, title: x, actions: [nonsense]}]", "'nonsense' is no action"),
        ("--rules", "rules: [{kind: hold_expired, title: x, actions: [{hold_item: {why: x}}]}]", "no argument 'why'"),
        ("--policy", "- 1", "write the policy's fields"),
        ("--rules", "rules: [{kind: nonsense, title: x, actions: [{}]}]", "rules.0.kind"),
        ("--rules", "rules: [", "file.yaml:1: not YAML"),
        ("--rules", "", "write `rules:` or `delegations:`"),
    ],
)
def test_a_wrong_file_is_said(run: Run, tmp_path: Path, option: str, text: str, says: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    ended = run("backtest", option, str(file))
    assert ended.exit_code == 1
    assert says in ended.stderr


def test_a_building_that_is_not_there_is_said(run: Run, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    ended = run("backtest", "nowhere")
    assert ended.exit_code == 1
    assert "nowhere could not be run again" in ended.stdout
    assert "Nothing comes out differently" not in ended.stdout
