"""What stands is read, and vendors and buildings are changed, on the command line as over REST."""

import asyncio
import http.server
import json
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.procurement import Flag, Inspection, OrderLine, PurchaseOrder, Receipt, Shipment
from tests.api.office import APPROVED, BUILDING, SPEC
from tests.api.served import Served
from tests.api.test_ledger import act
from tests.api.test_procurement_log import BEAMS, save
from tests.cli.conftest import Run

FILED = (
    BEAMS,
    PurchaseOrder(number="PO-1", vendor_id="mill", currency="USD", total=Decimal("12600"), external_ref="ERP-9"),
    OrderLine(number="PO-1", line=1, item_id="steel-beams", round=1, quantity=Decimal("10.5"), unit="t"),
    Shipment(shipment_id="steel-1", item_id="steel-beams", round=1, purchase_order="PO-1", eta=date(2026, 2, 10)),
    Receipt(receipt_id="r-1", item_id="steel-beams", round=1, shipment_id="steel-1", received_on=date(2026, 2, 9)),
    Inspection(
        inspection_id="i-1", item_id="steel-beams", round=1, status="failed", defects=["rust"], ncr_number="N-7"
    ),
    Flag(flag_id="f-1", item_id="steel-beams", band="conflict", detail="It is late.", raised_seq=1),
)


@pytest.fixture
def building(longlead: Run) -> str:
    spec = {**SPEC, "vendors": [{"vendor_id": "mill", "name": "Sheffield Mill"}]}
    assert longlead("building", "create", json.dumps(spec)).exit_code == 0
    return BUILDING


def do(served: Served, work: Any) -> None:
    asyncio.run_coroutine_threadsafe(work, served.loop).result(10)


def test_what_stands_is_read_as_a_table_and_as_json(longlead: Run, building: str, served: Served) -> None:
    longlead("events", "send", building, json.dumps(APPROVED))
    do(served, save(served.resources, *FILED))
    do(served, act(served.resources, 1, "flag_potential_issue"))
    for words, cells in {
        ("items", "list", building): ("steel-beams", "PO-1", "hvac-units"),
        ("items", "show", building, "steel-beams"): ("12600.00", "It is late."),
        ("orders", "list", building): ("PO-1", "Sheffield Mill", "12600.00 USD", "ERP-9"),
        ("orders", "show", building, "PO-1"): ("10.5", "ERP-9", "Steel Beams"),
        ("shipments", "list", building): ("steel-1", "2026-02-10", "2026-02-09"),
        ("inspections", "list", building): ("i-1", "rust", "N-7"),
        ("schedule", "show", building): ("2026-05-31", "Steel Beams", "2026-02-15"),
        ("flags", building): ("f-1", "It is late."),
        ("actions", building): ("flag_potential_issue",),
        ("vendors", "list", building): ("mill", "Sheffield Mill", "no address", "approved"),
        ("events", "show", building, "docs-311"): ("Submittal_Approved", "queued"),
    }.items():
        shown, machine = longlead(*words), longlead(*words, "--json")
        assert (shown.exit_code, machine.exit_code) == (0, 0), (words, shown.stderr, machine.stderr)
        for cell in cells:
            assert cell in shown.stdout, words
        assert json.loads(machine.stdout)
    for words in (("decisions", building), ("messages", "log", building), ("links", "uses", building)):
        assert json.loads(longlead(*words, "--json").stdout) == []
    assert json.loads(longlead("flags", building, "--status", "cleared", "--json").stdout) == []
    assert json.loads(longlead("items", "list", building, "--removed", "--json").stdout) == []
    assert json.loads(longlead("actions", building, "--event", "none", "--json").stdout) == []


def test_what_is_not_there_is_said_with_the_command_that_lists_it(longlead: Run, building: str) -> None:
    for words, command in {
        ("orders", "show", building, "PO-9"): f"`longlead orders list {building}`",
        ("items", "show", building, "no-such"): f"`longlead items list {building}`",
        ("vendors", "change", building, "no-such", "--name", "N"): f"`longlead vendors list {building}`",
        ("schedule", "show", "nowhere"): "`longlead building list`",
        ("vendors", "list", "nowhere"): "`longlead building list`",
    }.items():
        refused = longlead(*words)
        assert (refused.exit_code, command in refused.stderr) == (1, True), refused.stderr


def test_vendors_are_added_and_changed(longlead: Run, building: str) -> None:
    pump = ("vendors", "add", building, "pump-works", "Pump Works")
    added = longlead(*pump, "--contact", "orders@pump.example", "--not-approved")
    assert (added.exit_code, "orders@pump.example, not approved" in added.stdout) == (0, True)
    assert longlead(*pump, "--contact", "orders@pump.example", "--not-approved").exit_code == 0
    other = longlead(*pump)
    assert (other.exit_code, f"`longlead vendors change {building} pump-works`" in other.stderr) == (1, True)
    changed = longlead("vendors", "change", building, "pump-works", "--approved", "--no-contact").stdout
    assert "approved: false -> true" in changed
    assert "contact: orders@pump.example -> none" in changed
    assert "name" not in changed
    again = longlead("vendors", "change", building, "pump-works", "--approved")
    assert "nothing has changed" in again.stdout
    listed = json.loads(longlead("vendors", "list", building, "--json").stdout)
    assert listed[1] == {
        "vendor_id": "pump-works",
        "name": "Pump Works",
        "contact": None,
        "contacts": {"orders": None, "logistics": None, "escalation": None},
        "approved": True,
    }
    others = ("--logistics", "Truck <truck@pump.example>", "--escalation", "boss@pump.example")
    moved = longlead("vendors", "change", building, "pump-works", *others).stdout
    assert "logistics: none -> Truck <truck@pump.example>" in moved
    gone = longlead("vendors", "change", building, "pump-works", "--no-escalation", "--orders", "o@pump.example").stdout
    assert "escalation: boss@pump.example -> none" in gone
    assert "contact: none -> o@pump.example" in gone
    assert "logistics: Truck <truck@pump.example>" in longlead("vendors", "list", building).stdout.replace("\n", " ")
    refused = longlead("vendors", "change", building, "pump-works", "--logistics", "Truck truck@pump.example")
    assert (refused.exit_code, "with commas between them" in refused.stderr) == (1, True)
    for wrong in ([], ["--contact", "x", "--no-contact"], ["--logistics", "x", "--no-logistics"]):
        assert longlead("vendors", "change", building, "pump-works", *wrong).exit_code == 1
    assert "vendor changed" in longlead("building", "audit", building).stdout


def test_a_building_is_changed_and_what_was_and_is_is_shown(longlead: Run, building: str, tmp_path: Path) -> None:
    file = tmp_path / "approvers.json"
    file.write_text(json.dumps([{"role": "project_manager", "name": "Ada", "limit": "100000"}]))
    changed = longlead(
        *("building", "change", building, "--policy", "po_limit=50000.50", "--policy", "ask_from_days_late=2"),
        *("--policy", "quiet_hours=none", "--policy", "share_memory=true", "--policy", "confidence_needed=0.95"),
        *("--policy", 'model_reports=["ETA_Changed"]', "--policy", "reminder_after = PT2H"),
        *("--approvers", str(file), "--contacts", '{"receiving": "gate@office.example"}'),
    )
    assert changed.exit_code == 0, changed.stderr
    for line in (
        "policy.po_limit: none -> 50000.50",
        "policy.ask_from_days_late: 0 -> 2",
        "policy.share_memory: false -> true",
        "policy.confidence_needed: 0.8 -> 0.95",
        "policy.reminder_after: PT4H -> PT2H",
        "contacts.receiving: none -> gate@office.example",
        "approvers: [] -> ",
    ):
        assert f"  {line}" in changed.stdout
    assert "escalate_after" not in changed.stdout
    policy = json.loads(longlead("building", "show", building, "--json").stdout)["policy"]
    assert (policy["po_limit"], policy["quiet_hours"], policy["model_reports"]) == ("50000.50", None, ["ETA_Changed"])
    again = longlead("building", "change", building, "--policy", "po_limit=50000.50")
    assert "nothing has changed" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say what is to change"),
        (["--policy", "po_limit"], "po_limit=50000"),
        (["--policy", "=5"], "po_limit=50000"),
        (["--policy", "po_limit=a lot"], "policy.po_limit"),
        (["--policy", "no_such_field=5"], "policy.no_such_field"),
        (["--policy", "quiet_hours={"], "not JSON"),
        (["--approvers", "{}"], "approvers"),
        (["--contacts", "[]"], "contacts"),
    ],
)
def test_a_change_that_is_none_is_said(longlead: Run, building: str, arguments: list[str], words: str) -> None:
    refused = longlead("building", "change", building, *arguments)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert words in refused.stderr


def test_the_mode_of_a_building_is_sent_as_it_is_named(run: Run) -> None:
    """To a service that only writes down what it gets."""
    got: list[Any] = []

    class Desk(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_PATCH(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.answer()

        def answer(self) -> None:
            mode = got[-1]["mode"] if got else "watch"
            body = json.dumps({"mode": mode, "policy": {}, "contacts": {}, "approvers": []}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Desk) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        changed = run("building", "change", "b", "--mode", "live", "--url", url)
        server.shutdown()
        thread.join()
    assert got == [{"mode": "live"}]
    assert "mode: watch -> live" in changed.stdout
    assert run("building", "change", "b", "--mode", "dead").exit_code == 2


def test_links_are_made_used_and_listed(longlead: Run, building: str, served: Served) -> None:
    question = served.ask()
    made = longlead("links", "make", "--approval", question)
    assert made.stdout.startswith("http")
    assert "It opens until 20" in made.stdout
    assert json.loads(longlead("links", "make", "--log", building, "--json").stdout)["url"]
    for wrong in ([], ["--approval", question, "--log", building]):
        assert longlead("links", "make", *wrong).exit_code == 1
    assert "link made" in longlead("building", "audit", building).stdout
    assert "No link was used yet." in longlead("links", "uses", building).stdout
