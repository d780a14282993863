"""`make try-setup`: the real set-up, with its real packages, killed at random moments. Every next one must work."""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOUSE = Path(__file__).parents[2]


def copy_checkout(target: Path) -> None:
    """The files that Git knows, as a clone has them."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (HOUSE / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOUSE / name, target / name)


def variables(checkout: Path, tool: str) -> dict[str, str]:
    """With uv on the PATH, or without."""
    tools = checkout.parent / "tools"
    tools.mkdir(exist_ok=True)
    if tool == "uv" and not (tools / "uv").exists():
        (tools / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    path = [str(tools), str(Path(sys.base_prefix) / "bin"), "/usr/bin", "/bin"]
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAKEFLAGS")} | {
        "PATH": os.pathsep.join(path)
    }


def set_up(checkout: Path, tool: str, kill_after_s: float | None = None) -> tuple[int, str, float]:
    """Its exit status, what it said and the seconds it took; its whole process group is killed after a while."""
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "ready-to-run"],
        cwd=checkout,
        env=variables(checkout, tool),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=kill_after_s)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[0]
    return process.returncode, said, time.monotonic() - began


def cut_files_short(folder: Path, chance: random.Random) -> int:
    """What a power cut does to files that were not yet on the disk: a few are empty. Returns how many."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()] if folder.exists() else []
    unlucky = chance.sample(files, min(20, len(files)))
    for path in unlucky:
        path.write_bytes(b"")
    return len(unlucky)


def try_once(checkout: Path, tool: str, moment_s: float, chance: random.Random) -> str:
    """Kill set-up once, damage what it left, and run it again. Raises SystemExit where that does not work."""
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    status, _, _ = set_up(checkout, tool, moment_s)
    left = sorted(path.name for path in checkout.glob(".venv*"))
    damaged = sum(cut_files_short(checkout / name, chance) for name in (".venv", ".venv.partial"))
    again, said, took_s = set_up(checkout, tool)
    ran = subprocess.run([checkout / ".venv/bin/longlead", "--version"], capture_output=True, text=True, check=False)
    if again or not ran.stdout.startswith("longlead "):
        raise SystemExit(f"After a kill at {moment_s:.1f} s the next set-up failed:\n{said}\n{ran.stderr}")
    if leftovers := [name for name in (".venv.partial", ".venv.old") if (checkout / name).exists()]:
        raise SystemExit(f"After a kill at {moment_s:.1f} s there are still {leftovers}")
    what = "killed" if status < 0 or status == 137 else f"ended with {status}"
    return f"{what} at {moment_s:5.1f} s, left {left}, {damaged} files emptied; the next one worked in {took_s:.1f} s"


def main() -> None:
    """Kill and repeat, and say what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--with", dest="tool", choices=["pip", "uv"], default="pip")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="longlead-setup-") as folder:
        checkout = Path(folder) / "checkout"
        copy_checkout(checkout)
        status, said, whole_s = set_up(checkout, options.tool)
        if status:
            raise SystemExit(said)
        print(f"Undisturbed, with {options.tool}: {whole_s:.1f} s", flush=True)
        for number in range(1, options.kills + 1):
            told = try_once(checkout, options.tool, chance.uniform(0, whole_s), chance)
            print(f"{number:2}: {told}", flush=True)
    print(f"{options.kills} kills, and every next set-up worked.")


if __name__ == "__main__":
    main()
