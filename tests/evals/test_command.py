"""What `longlead evals` and `longlead record` say to what they cannot do: at once, and with what to do instead."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evals", "nosuch"], "No scenario is called 'nosuch'. List them with `longlead evals --list`."),
        (["evals", "{folder}"], "There is no scenario in the folder"),
        (["evals", "{folder}/none.yaml"], "There is no file"),
        (["evals", "eta", "--baseline", "{folder}/none.json"], "results.json that `longlead evals --report` wrote"),
        (["evals", "eta", "--baseline", "{folder}/file"], "results.json that `longlead evals --report` wrote"),
        (["evals", "eta", "--report", "{folder}/file/report"], "cannot be written: Not a directory"),
        (["evals", "eta", "--model", " ,"], "--model names no model"),
        (["backtest", "--model", ""], "--model names no model"),
        (["backtest", "--policy", "{folder}/none.yaml"], "cannot be read: No such file or directory."),
        (["record", "office", "--from", "3", "--to", "2"], "--from 3 comes after --to 2"),
        (["record", "nowhere"], "There is no building 'nowhere'. List the buildings with `longlead building list`."),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_played(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database: str,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.setenv("LONGLEAD_DATABASE_URL", database)
    (tmp_path / "file").write_text("{}")
    (tmp_path / "folder").mkdir()
    folder = str(tmp_path / "folder") if arguments[1] == "{folder}" else str(tmp_path)
    given = [argument.replace("{folder}", folder) for argument in arguments]
    ended = CliRunner().invoke(app, given, catch_exceptions=False)
    assert ended.exit_code == 1
    assert says in " ".join(ended.stderr.split())
    assert "passed" not in ended.stdout
