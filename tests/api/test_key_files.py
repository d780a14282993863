"""Keys as they are configured: wrong ones are refused at the start, and a file is read again when it changes."""

import ast
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import runtime.keyring
from domain.errors import ConfigurationError
from domain.principals import RESERVED_IDS, is_reserved
from runtime.keys import warn_about
from runtime.resources import Resources
from runtime.settings import ApiKey, Settings, load_settings
from tests.api.office import ADMIN, APPROVER, READER, SENDER, assert_problem, bearer, client_of

HOUSE = Path(__file__).parent.parent.parent
SECRET = "a-secret-that-is-long-enough"
KEY: dict[str, Any] = {"key": SECRET, "id": "pm", "name": "Project manager", "roles": ["approver"]}
OTHER = "another-secret-long-enough"


def variable(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("LONGLEAD_API_KEYS", raising=False)
    if value is not None:
        monkeypatch.setenv("LONGLEAD_API_KEYS", value)


@pytest.mark.parametrize("value", [None, ""])
def test_only_an_unset_or_empty_variable_is_no_key(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    variable(monkeypatch, value)
    assert load_settings().api_keys == []


@pytest.mark.parametrize("content", ["", " ", "\n", "[]", "[ ]", "{}", "null", "\ufeff", "[[]]", '"key"', "\x00"])
@pytest.mark.parametrize("in_a_file", [True, False])
def test_what_was_meant_to_hold_keys_and_holds_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, in_a_file: bool
) -> None:
    if not in_a_file and content in ("", "\x00"):
        pytest.skip("an empty variable is none, and none can hold NUL")
    (tmp_path / "keys.json").write_text(content)
    variable(monkeypatch, f"@{tmp_path}/keys.json" if in_a_file else content)
    with pytest.raises(ConfigurationError, match="LONGLEAD_API_KEYS"):
        load_settings()


@pytest.mark.parametrize("where", ["/none.json", "", "/"])
def test_a_file_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
    variable(monkeypatch, f"@{tmp_path}{where}")
    with pytest.raises(ConfigurationError, match="LONGLEAD_API_KEYS"):
        load_settings()


RESERVED = [*sorted(RESERVED_IDS), "Rules", " policy ", "LOCAL", "rule:r17", "Rule:1", "longlead", "Longlead-worker"]
WRONG: list[tuple[Sequence[dict[str, Any]], str]] = [
    *(([{**KEY, "id": reserved}], "Longlead's own") for reserved in RESERVED),
    ([{**KEY, "id": "ｒules"}], "Longlead's own"),
    ([{**KEY, "id": "ru\u200bles"}], "invisible"),
    ([{**KEY, "id": "p\x00m"}], "NUL|control"),
    ([KEY, {**KEY, "id": "other"}], "same secret"),
    ([KEY, KEY], "same secret"),
    ([KEY, {**KEY, "key": OTHER, "roles": ["admin"]}], "twice"),
    ([KEY, {**KEY, "key": OTHER, "type": "ai_agent"}], "twice"),
    ([KEY, {**KEY, "key": OTHER, "name": "Somebody"}], "twice"),
    ([KEY, {**KEY, "key": OTHER, "buildings": ["office"]}], "twice"),
    ([KEY, {**KEY, "key": OTHER, "approver": "director"}], "twice"),
    ([KEY, {**KEY, "key": OTHER, "id": "PM"}], "twice"),
    ([{**KEY, "roles": ["boss"]}], "key 1 roles.0"),
    ([{**KEY, "roles": []}], "key 1 roles"),
    ([{**KEY, "buildings": []}], "key 1 buildings"),
    ([{**KEY, "sources": []}], "key 1 sources"),
    ([{**KEY, "sources": ["Longlead.decision"]}], "Longlead's own"),
    ([{**KEY, "key": "too-short"}], "key 1 key"),
    ([{**KEY, "expires_at": "tomorrow"}], "key 1 expires_at"),
    ([KEY, {**KEY, "key": OTHER, "id": "b", "building": ["x"]}], "key 2 building"),
]


@pytest.mark.parametrize(("keys", "words"), WRONG)
def test_wrong_keys_are_refused_by_name_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, keys: Sequence[dict[str, Any]], words: str
) -> None:
    variable(monkeypatch, json.dumps(keys))
    with pytest.raises(ConfigurationError, match=words) as refused:
        load_settings()
    assert all(key["key"] not in str(refused.value) for key in keys)


def test_every_responder_of_our_own_is_reserved() -> None:
    """No key may act under an id that the code gives itself."""
    found = set()
    for room in ("domain", "tools", "nodes", "graph", "runtime"):
        for file in (HOUSE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Responder":
                    given = {word.arg: word.value for word in node.keywords}.get("id")
                    if isinstance(given, ast.Constant):
                        found.add(str(given.value))
                    elif isinstance(given, ast.JoinedStr) and isinstance(given.values[0], ast.Constant):
                        found.add(str(given.values[0].value))
    assert found >= {"policy", "local", "recorder", "summariser", "rule:"}
    assert [one for one in found if not is_reserved(one)] == []


def test_a_key_is_never_shown() -> None:
    key = ApiKey.model_validate(KEY)
    assert SECRET not in repr(key) + str(key) + repr(key.principal) + key.fingerprint


def test_old_keys_stay_valid_and_what_they_leave_open_is_said() -> None:
    program = ApiKey.model_validate({**KEY, "id": "erp", "type": "automated_rule", "roles": ["events"], "key": OTHER})
    person = ApiKey.model_validate(KEY)
    principal = person.principal
    assert (principal.buildings, principal.sources, principal.approver) == (None, None, None)
    now = datetime(2026, 2, 1, tzinfo=UTC)
    said = warn_about([person, program, READER], now)
    assert any("pm" in one and "approver" in one and "po_limit" in one for one in said)
    assert any("erp" in one and "sources" in one for one in said)
    bound = [person.model_copy(update={"approver": "project_manager"}), program.model_copy(update={"sources": ["erp"]})]
    assert warn_about(bound, now) == []


async def test_two_secrets_of_one_id_overlap_until_the_old_one_expires(resources: Resources) -> None:
    now = datetime.now(UTC)
    old = ApiKey.model_validate({**KEY, "expires_at": now + timedelta(hours=1)})
    new = ApiKey.model_validate({**KEY, "key": OTHER})
    gone = ApiKey.model_validate({**KEY, "key": "the-oldest-secret-of-all", "expires_at": now - timedelta(seconds=1)})
    resources.settings.api_keys = [gone, old, new]
    async with client_of(resources) as client:
        for key in (old, new):
            assert (await client.get("/buildings", headers=bearer(key))).status_code == 200
        refused = await client.get("/buildings", headers=bearer(gone))
        assert_problem(refused, 401, "expired", "pm")
        assert_problem(await client.get("/buildings", headers={"X-API-Key": "unknown"}), 401, "not known")


@pytest.fixture
def file(resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the service's keys are in, looked at on every call."""
    monkeypatch.setattr(runtime.keyring, "LOOK_EVERY_S", 0.0)
    found = tmp_path / "keys.json"
    write(found, READER)
    resources.settings = Settings(database_url=resources.conninfo, api_keys=f"@{found}")  # type: ignore[arg-type]
    return found


def write(file: Path, *keys: ApiKey) -> None:
    file.write_text(json.dumps([key.model_dump(mode="json", exclude_none=True) for key in keys]))


def remove(file: Path) -> None:
    file.unlink()


def replace_folder(file: Path, *keys: ApiKey) -> None:
    file.rmdir()
    write(file, *keys)


def write_unseen(file: Path, *keys: ApiKey) -> None:
    """Write without a new time, as within one tick of the file system's clock."""
    before = file.stat()
    write(file, *keys)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


async def status(client: httpx.AsyncClient, key: ApiKey) -> int:
    return (await client.get("/buildings", headers=bearer(key))).status_code


async def test_a_changed_file_is_read_again(resources: Resources, file: Path) -> None:
    async with client_of(resources) as client:
        assert [await status(client, key) for key in (READER, ADMIN)] == [200, 401]
        write(file, ADMIN)  # in place
        assert [await status(client, key) for key in (READER, ADMIN)] == [401, 200]
        write(file.with_name("new"), SENDER)
        file.with_name("new").replace(file)  # as editors and `keys rotate` do
        assert [await status(client, key) for key in (ADMIN, SENDER)] == [401, 200]
        write_unseen(file, ADMIN)
        assert await status(client, SENDER) == 401
    assert [key.id for key in resources.settings.api_keys] == ["it"]


async def test_a_file_that_is_wrong_unreadable_or_gone_keeps_the_keys_and_says_so(
    resources: Resources, file: Path
) -> None:
    async with client_of(resources) as client:
        for break_it in (
            lambda: file.write_text(""),
            lambda: file.write_text("[]"),
            lambda: file.write_text('[{"key": "x"}]'),
            lambda: file.write_bytes(b"\xff\xfe\x00"),
            file.unlink,
            file.mkdir,
        ):
            break_it()
            assert [await status(client, key) for key in (READER, ADMIN)] == [200, 401]
            keyring = client._transport.app.state.keyring  # type: ignore[attr-defined]
            assert str(file) in keyring.problem
            assert READER.key not in keyring.problem
        replace_folder(file, READER, APPROVER)
        assert [await status(client, key) for key in (READER, APPROVER)] == [200, 200]
        assert keyring.problem is None


async def test_readiness_says_that_the_keys_are_old(resources: Resources, file: Path) -> None:
    async with resources.pool.connection() as conn:
        await conn.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    async with client_of(resources) as client:
        assert "warning" not in (await client.get("/readyz")).json()
        remove(file)
        told = (await client.get("/readyz")).json()
    assert told["status"] == "ready"
    assert "keys" in told["warning"]
    assert str(file) not in told["warning"]


def test_a_process_of_ours_is_handed_the_same_keys(tmp_path: Path) -> None:
    found = tmp_path / "keys.json"
    write(found, READER)
    of_file = Settings(api_keys=f"@{found}")  # type: ignore[arg-type]
    assert of_file.api_keys_variable == f"@{found}"
    for settings in (Settings(api_keys=[READER, ADMIN]), Settings()):
        assert Settings(api_keys=settings.api_keys_variable).api_keys == settings.api_keys  # type: ignore[arg-type]
