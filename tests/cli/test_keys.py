"""Keys on the command line: listed without secrets, checked, and given a new secret that both sides know."""

import json
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runtime.keys import read_key_file
from tests.api.office import BUILDING, SPEC
from tests.cli.conftest import Run

OLD = "the-old-secret-of-pm"
KEYS: list[dict[str, Any]] = [
    {"key": OLD, "id": "pm", "name": "PM", "roles": ["approver"], "approver": "project_manager"},
    {"key": "the-secret-of-the-erp", "id": "erp", "name": "ERP", "type": "automated_rule", "roles": ["events"]},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "keys.json"
    found.write_text(json.dumps(KEYS))
    found.chmod(0o644)
    return found


def test_keys_are_listed_without_their_secrets(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["--file", str(file)], []):
        monkeypatch.setenv("LONGLEAD_API_KEYS", f"@{file}")
        shown = run("keys", "list", *arguments)
        rows = json.loads(run("keys", "list", *arguments, "--json").stdout)
        assert [row["id"] for row in rows] == ["pm", "erp"]
        assert "project_manager" in shown.stdout
        assert all(key["key"] not in shown.stdout + json.dumps(rows, default=str) for key in KEYS)
        assert len({row["fingerprint"] for row in rows}) == 2


def test_a_check_warns_and_fails_where_the_service_would_not_start(run: Run, file: Path) -> None:
    checked = run("keys", "check", "--file", str(file))
    assert checked.exit_code == 0
    assert "erp" in checked.stdout
    assert "chmod 600" in checked.stdout
    for wrong in ("", "[]", json.dumps([{**KEYS[0], "id": "rules"}]), json.dumps([KEYS[0], KEYS[0]])):
        file.write_text(wrong)
        refused = run("keys", "check", "--file", str(file))
        assert refused.exit_code == 1
        assert OLD not in refused.stdout + refused.stderr
    assert run("keys", "check", "--file", str(file) + ".none").exit_code == 1


def test_a_rotation_writes_a_new_secret_for_its_owner_alone_and_lets_the_old_one_run_out(run: Run, file: Path) -> None:
    before = datetime.now(UTC)
    rotated = run("keys", "rotate", "pm", "--file", str(file))
    assert rotated.exit_code == 0, rotated.stderr
    secret = rotated.stdout.splitlines()[0]
    assert len(secret) >= 43
    old, erp, new = read_key_file(file)
    assert (new.key, new.expires_at, new.identity()) == (secret, None, old.identity())
    assert old.key == OLD
    assert old.expires_at is not None
    assert timedelta(hours=23, minutes=59) < old.expires_at - before <= timedelta(hours=24, seconds=10)
    assert erp.key == KEYS[1]["key"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == [file.name]

    again = json.loads(run("keys", "rotate", "pm", "--file", str(file), "--overlap", "0", "--json").stdout)
    live = [key for key in read_key_file(file) if key.id == "pm" and not key.is_expired(datetime.now(UTC))]
    assert [key.key for key in live] == [again["key"]]


def test_a_rotation_that_cannot_be_done_changes_nothing(run: Run, file: Path) -> None:
    before = file.read_text()
    for arguments in (["nobody"], ["pm", "--overlap", "soon"], ["pm", "--overlap", "-1h"]):
        assert run("keys", "rotate", *arguments, "--file", str(file)).exit_code != 0
    assert run("keys", "rotate", "pm").exit_code == 1  # no file is named
    assert file.read_text() == before
    file.write_text("[]")
    assert run("keys", "rotate", "pm", "--file", str(file)).exit_code == 1
    assert file.read_text() == "[]"


def test_a_rotation_does_not_give_a_key_more_time_than_it_had(run: Run, file: Path) -> None:
    ends = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    file.write_text(json.dumps([{**KEYS[0], "expires_at": ends.isoformat()}]))
    assert run("keys", "rotate", "pm", "--file", str(file), "--overlap", "30d").exit_code == 0
    assert {key.expires_at for key in read_key_file(file)} == {ends}


def test_rotations_at_once_lose_none(run: Run, file: Path) -> None:
    from runtime.keys import edited_key_file, rotate

    def one(number: int) -> None:
        with edited_key_file(file) as keys:
            keys[:] = rotate(keys, "pm", f"secret-number-{number:04}", datetime.now(UTC), timedelta(hours=1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(16)))
    assert len(read_key_file(file)) == 2 + 16


def test_links_are_revoked_on_the_command_line(longlead: Run, database: str, tmp_path: Path) -> None:
    spec = tmp_path / "building.json"
    spec.write_text(json.dumps(SPEC))
    longlead("building", "create", str(spec))
    assert longlead("links", "revoke").exit_code == 1
    assert longlead("links", "revoke", "--all", "--person", "pm").exit_code == 1
    assert longlead("links", "revoke", "--approval", "none").exit_code == 1
    assert longlead("links", "revoke", "--person", "project_manager", "--building", BUILDING).exit_code == 0
    told = longlead("links", "revoke", "--all")
    assert re.search(r"until 20.* no longer open", told.stdout)
    with psycopg.connect(database) as conn:
        rows = conn.execute("SELECT scope, subject, within, revoked_by ->> 'id' FROM link_revocations ORDER BY 1, 2")
        assert rows.fetchall() == [("all", None, None, "local"), ("person", "project_manager", BUILDING, "local")]
