"""What was learned and what is delegated, on the command line."""

import json

import psycopg
import pytest

from tests.api.office import BUILDING, SPEC
from tests.api.served import Served
from tests.cli.conftest import Run

RULE = f"{BUILDING}-r17"
LEARNED = f"""
INSERT INTO rules VALUES ('{BUILDING}', 'r17', 'inspection_failed', '23', NULL, NULL, NULL, 'Replace',
    'When an inspection fails (category 23): replace. Learned from Project manager on HVAC Units.',
    '[{{"name": "reorder_item", "arguments": {{"item": "{{item}}"}}}}]', '17.0', 'Project manager on HVAC Units', now(),
    2, 0, 3, 0, 3, 0, false, NULL, 'earned', 'none', 'active', false, NULL, 17)"""


@pytest.fixture
def building(longlead: Run, database: str) -> str:
    assert longlead("building", "create", json.dumps(SPEC)).exit_code == 0
    return BUILDING


def test_rules_are_listed_shown_and_changed(longlead: Run, building: str, database: str) -> None:
    assert "Nothing has been learned yet." in longlead("rules", "list").stdout
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(LEARNED.encode())
    listed = longlead("rules", "list", "--building", building).stdout
    assert "3 of 3" in listed
    assert "trusted" in listed
    shown = longlead("rules", "show", RULE).stdout
    assert f"approval {BUILDING}-17-0" in shown
    assert "reorder_item(item={item})" in shown
    assert "category 23" in shown
    assert json.loads(longlead("rules", "show", RULE, "--json").stdout)["confirmed"] == 3
    edited = longlead("rules", "edit", RULE, "--text", "Replace it.", "--autonomy", "recommend", "--share")
    assert f"{RULE}: recommends. Replace it." in edited.stdout
    assert "disabled" in longlead("rules", "disable", RULE).stdout
    assert "recommends" in longlead("rules", "edit", RULE, "--enable").stdout
    nothing = longlead("rules", "edit", RULE)
    assert (nothing.exit_code, "Say what is to change" in nothing.stderr) == (1, True)
    refused = longlead("rules", "overrule", RULE, "-m", "no")
    assert (refused.exit_code, "has decided nothing alone" in refused.stderr) == (1, True)


def test_delegations_are_granted_listed_and_revoked(longlead: Run, building: str, served: Served) -> None:
    assert "Nothing is delegated." in longlead("delegations", "list").stdout
    bounds = ["--category", "23", "--amount", "5000", "--days", "30", "--note", "for the fit-out"]
    granted = longlead("delegations", "grant", building, "inspection_failed", "reorder_item", *bounds, "--json")
    made = json.loads(granted.stdout)
    assert (made["amount_limit"], made["note"]) == ("5000", "for the fit-out")
    assert made["delegation_id"] in longlead("delegations", "list", "--building", building).stdout
    assert "Revoked" in longlead("delegations", "revoke", made["delegation_id"]).stdout
    assert "Nothing is delegated." in longlead("delegations", "list").stdout
    assert "revoked" in longlead("delegations", "list", "--status", "all").stdout
    wrong = longlead("delegations", "grant", building, "hold_expired", "reorder_item")
    assert (wrong.exit_code, "kind" in wrong.stderr) == (1, True)
