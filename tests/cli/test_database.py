"""`longlead db` and the start of every process on a server that is too old; what a backup says of itself."""

import re
from pathlib import Path

import pytest

from cli.late_progress import LateProgress
from storage.server_version import MIN_SERVER_MAJOR, ServerTooOldError, check_server_version
from tests.cli.conftest import Run
from tests.postgres_servers import find_free_port


@pytest.mark.parametrize("number", [90624, 100023, 120022, 130000, 130023])
def test_a_server_that_is_too_old_is_named_with_what_is_needed(number: int) -> None:
    words = f"PostgreSQL {number // 10_000} is too old: Longlead needs 14 or newer"
    with pytest.raises(ServerTooOldError, match=words):
        check_server_version(number)


@pytest.mark.parametrize("number", [140000, 140023, 150018, 160014, 170010, 180006, 190000])
def test_every_version_from_14_on_is_taken(number: int) -> None:
    check_server_version(number)
    assert MIN_SERVER_MAJOR == 14


@pytest.mark.parametrize("command", ["serve --port {port}", "worker", "db migrate", "db restore {file}"])
def test_nothing_starts_on_a_server_that_is_too_old(
    command: str, run: Run, database: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "saved.dump"
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    assert run("db", "backup", str(file)).exit_code == 0
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", empty_database)
    monkeypatch.setattr("storage.server_version.MIN_SERVER_MAJOR", 99)  # no server is as old as the check forbids
    result = run(*command.format(port=find_free_port(), file=file).split())
    assert result.exit_code == 1
    assert "is too old: Longlead needs 99 or newer" in result.stderr
    assert "Traceback" not in result.stderr
    untouched = run("status")
    assert "no tables of Longlead yet" in untouched.stderr


def test_a_backup_and_a_restore_say_their_size_and_time_and_nothing_else(
    run: Run, database: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "saved.dump"
    monkeypatch.setattr("cli.late_progress.SHOWN_AFTER_S", 600.0)
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    saved = run("db", "backup", str(file))
    assert re.fullmatch(rf"Saved to {file}: [\d.,]+ kB in \d+\.\d s\.\n", saved.stdout)
    assert saved.stderr == ""
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", empty_database)
    restored = run("db", "restore", str(file))
    assert re.match(rf"Restored from {file}: [\d.,]+ kB in \d+\.\d s\. Links", restored.stdout)
    assert restored.stderr == ""


def test_progress_is_shown_only_of_what_takes_longer(capfd: pytest.CaptureFixture[str]) -> None:
    with LateProgress("Saving", shown_after_s=600) as quick:
        quick.show_size(1_500_000)
    assert capfd.readouterr() == ("", "")
    with LateProgress("Saving", shown_after_s=0) as slow:
        slow.show_size(1_500_000)
        slow.show_size(2_500_000)
    output, errors = capfd.readouterr()
    assert output == ""
    assert "Saving: 2.5 MB" in errors


@pytest.mark.parametrize("name", ["no_folder/saved.dump", "."])
def test_a_place_that_cannot_take_a_backup_is_said_in_a_sentence(
    name: str, run: Run, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    result = run("db", "backup", str(tmp_path / name))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "Create it" in result.stderr or "Name a file in it" in result.stderr


def test_a_restore_of_a_file_that_is_not_there_leaves_no_data_folder_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LONGLEAD_DATABASE_URL", raising=False)
    result = run("db", "restore", str(tmp_path / "nofile"), "--data", str(tmp_path / "new"))
    assert result.exit_code == 1
    assert "There is no backup file" in result.stderr
    assert list(tmp_path.iterdir()) == []
