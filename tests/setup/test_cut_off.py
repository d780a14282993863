"""Set-up may be cut off anywhere and damaged in any way: the next one makes it whole."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.stamp import find_fault
from tests.setup.small_checkout import UV, SmallCheckout, make_small_checkout

pytestmark = pytest.mark.skipif(not UV.exists(), reason="these tests make environments with uv, which is not here")

CUT_OFF = Path(__file__).with_name("cut_off.py")
MOMENTS = 3  # of each course, spread evenly; `make try-setup` kills at random ones


@pytest.fixture
def checkout(tmp_path: Path) -> SmallCheckout:
    return make_small_checkout(tmp_path)


@pytest.fixture
def whole(checkout: SmallCheckout) -> SmallCheckout:
    assert checkout.set_up().returncode == 0
    return checkout


def expect_whole(checkout: SmallCheckout, *, need: int = 1) -> None:
    """`longlead` runs from this checkout, and nothing half is left lying about."""
    assert checkout.run_longlead() == f"longlead runs in {checkout.path} with need {need}"
    assert {path.name for path in checkout.path.glob(".venv*")} == {".venv", ".venv.lock"}
    assert not (checkout.environment / "tmp").exists()


def run_until(checkout: SmallCheckout, moment: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, CUT_OFF, str(moment), "run", ".venv"],
        cwd=checkout.path,
        env=checkout.variables(),
        capture_output=True,
        text=True,
        check=False,
    )


def cut_off_everywhere(checkout: SmallCheckout, begin: Callable[[], None], *, need: int) -> None:
    begin()
    whole_course = run_until(checkout, 0)
    assert whole_course.returncode == 0, whole_course.stderr
    acts = int(whole_course.stdout.split()[-1])
    assert acts > MOMENTS
    for step in range(MOMENTS):
        begin()
        killed = run_until(checkout, 1 + step * (acts - 1) // (MOMENTS - 1))
        assert killed.returncode == -9, killed.stderr
        again = checkout.set_up()
        assert again.returncode == 0, again.stderr
        expect_whole(checkout, need=need)


def test_a_first_set_up_that_is_killed_goes_on_at_the_next_call(checkout: SmallCheckout) -> None:
    cut_off_everywhere(checkout, lambda: shutil.rmtree(checkout.environment, ignore_errors=True), need=1)


def test_a_change_of_packages_that_is_killed_goes_on_at_the_next_call(whole: SmallCheckout, tmp_path: Path) -> None:
    shutil.copytree(whole.environment, tmp_path / "before", symlinks=True)
    whole.want(need=2)

    def begin() -> None:
        shutil.rmtree(whole.environment, ignore_errors=True)
        shutil.copytree(tmp_path / "before", whole.environment, symlinks=True)

    cut_off_everywhere(whole, begin, need=2)


def site(checkout: SmallCheckout) -> Path:
    return next(checkout.environment.glob("lib/python*/site-packages"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def early_stamp(checkout: SmallCheckout) -> None:
    """The stamp reached the disk before the power went, most packages did not."""
    for package in site(checkout).glob("need*"):
        shutil.rmtree(package) if package.is_dir() else package.unlink()


def half_of_an_older_set_up(checkout: SmallCheckout) -> None:
    """What the Makefile of earlier versions left when it was cut off: folders, and stamps of its own."""
    shutil.rmtree(checkout.environment)
    (checkout.environment / "bin").mkdir(parents=True)
    (checkout.environment / "bin" / "python").symlink_to(sys.executable)
    (checkout.environment / ".build").touch()
    (checkout.environment / ".run").touch()


def python_that_is_gone(checkout: SmallCheckout) -> None:
    (checkout.environment / "bin" / "python").unlink()
    (checkout.environment / "bin" / "python").symlink_to("/nowhere/python3.11")


def no_stamp_but_text(checkout: SmallCheckout) -> None:
    (checkout.environment / "longlead.json").write_text('{"python": 3}')


def file_in_its_place(checkout: SmallCheckout) -> None:
    shutil.rmtree(checkout.environment)
    checkout.environment.touch()


def link_to_nowhere(checkout: SmallCheckout) -> None:
    """A folder on another disk that somebody removed: it is made there again."""
    shutil.rmtree(checkout.environment)
    checkout.environment.symlink_to(checkout.path.parent / "elsewhere")


def python_of_another_version(checkout: SmallCheckout) -> None:
    stamp = checkout.environment / "longlead.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"python": "3.10"}))


DAMAGES: dict[str, Callable[[SmallCheckout], None]] = {
    "no stamp": lambda c: (c.environment / "longlead.json").unlink(),
    "an empty stamp": lambda c: empty(c.environment / "longlead.json"),
    "a stamp that is no stamp": no_stamp_but_text,
    "a stamp before its time": early_stamp,
    "a file cut short": lambda c: empty(site(c) / "need.py"),
    "a file that is missing": lambda c: (site(c) / "need.py").unlink(),
    "a package without its list of files": lambda c: next(site(c).glob("need*/RECORD")).unlink(),
    "a list of files cut short": lambda c: empty(next(site(c).glob("need*/RECORD"))),
    "an empty command": lambda c: empty(c.environment / "bin" / "longlead"),
    "no command": lambda c: (c.environment / "bin" / "longlead").unlink(),
    "no packages at all": lambda c: shutil.rmtree(site(c)),
    "an empty pyvenv.cfg": lambda c: empty(c.environment / "pyvenv.cfg"),
    "a Python that is gone": python_that_is_gone,
    "a Python of another version": python_of_another_version,
    "half of an older set-up": half_of_an_older_set_up,
    "a file in its place": file_in_its_place,
    "a link to nowhere": link_to_nowhere,
}


HARD_TO_REMOVE = ["half of an older set-up", "a file in its place", "a link to nowhere", "no stamp"]


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> SmallCheckout:
    """A whole checkout, of which tests damage a copy, or which they leave whole again."""
    checkout = make_small_checkout(tmp_path_factory.mktemp("patient"))
    assert checkout.set_up().returncode == 0
    return checkout


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_seen_before_the_environment_is_used(damage: str, patient: SmallCheckout, tmp_path: Path) -> None:
    copy = SmallCheckout(tmp_path / "checkout", patient.wheels)
    shutil.copytree(patient.path, copy.path, symlinks=True)
    assert find_fault(copy.environment, copy.path, "run", None) is None
    DAMAGES[damage](copy)
    assert find_fault(copy.environment, copy.path, "run", None) is not None


@pytest.mark.parametrize("damage", HARD_TO_REMOVE)
def test_a_damaged_environment_is_made_again(damage: str, patient: SmallCheckout) -> None:
    DAMAGES[damage](patient)
    again = patient.set_up()
    assert again.returncode == 0, again.stderr
    assert patient.run_longlead() == f"longlead runs in {patient.path} with need 1"


def test_a_whole_environment_is_used_as_it_is(whole: SmallCheckout) -> None:
    before = (whole.environment / "longlead.json").stat().st_mtime_ns
    os.utime(whole.path / "requirements.txt")
    assert whole.set_up().stderr == ""
    assert (whole.environment / "longlead.json").stat().st_mtime_ns == before


def test_one_for_running_becomes_one_for_work_which_also_runs(whole: SmallCheckout) -> None:
    assert whole.set_up("dev").returncode == 0
    assert (site(whole) / "extra.py").exists()
    assert whole.set_up("run").stderr == ""
    expect_whole(whole)


def test_a_checkout_that_was_moved_runs_where_it_is_now(whole: SmallCheckout, tmp_path: Path) -> None:
    moved = SmallCheckout(tmp_path / "moved to a place with blanks", whole.wheels)
    whole.path.rename(moved.path)
    assert moved.set_up().returncode == 0
    expect_whole(moved)
    assert str(moved.environment) in (moved.environment / "bin" / "activate").read_text()


def test_a_second_set_up_waits_for_the_first(checkout: SmallCheckout) -> None:
    with (checkout.path / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            ["sh", "bootstrap/setup.sh", "run"],
            cwd=checkout.path,
            env=checkout.variables(),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        assert "Another set-up is at work" in second.stderr.readline()
        assert not checkout.environment.exists()
    second.communicate(timeout=60)
    assert second.returncode == 0
    expect_whole(checkout)


def test_two_at_once_make_one_environment(checkout: SmallCheckout) -> None:
    both = [
        subprocess.Popen(["sh", "bootstrap/setup.sh", "run"], cwd=checkout.path, env=checkout.variables(), stderr=-1)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(b"Setting up" in words for words in said) == 1
    expect_whole(checkout)


def test_a_failed_change_leaves_the_environment_that_was_there(
    whole: SmallCheckout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")  # so that pip, which takes over, is refused at once
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    whole.want(need=2)
    (whole.wheels / "need-2-py3-none-any.whl").unlink()
    assert whole.set_up().returncode == 2
    expect_whole(whole, need=1)


@pytest.mark.slow
def test_pip_takes_over_where_uv_cannot(checkout: SmallCheckout) -> None:
    broken = checkout.wheels / "with-uv" / "uv"
    checkout.variables()
    broken.unlink()
    broken.write_text("#!/bin/sh\necho 'error: dns error'\nexit 2\n")
    broken.chmod(0o755)
    done = checkout.set_up()
    assert done.returncode == 0, done.stderr
    assert "Trying pip instead" in done.stderr
    assert (site(checkout) / "pip").is_dir()
    expect_whole(checkout)
