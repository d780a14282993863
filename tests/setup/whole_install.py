"""`make try-install`: `pipx install .` and `uv tool install .` into folders that go away, and what one does first."""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.setup.kill_setups import copy_checkout

UV = Path(sys.executable).with_name("uv")
START_TIMEOUT_S = 120.0
STRANGE = 'a b\'s "data" $HOME \u00fc'


def install(tool: str, checkout: Path, root: Path) -> Path:
    """Install from the checkout, as the README says. Returns the folder where `longlead` is."""
    programs = root / "bin"
    places = {"PIPX_HOME": root / "pipx", "PIPX_BIN_DIR": programs, "UV_TOOL_DIR": root / "uv"}
    places |= {"UV_TOOL_BIN_DIR": programs, "HOME": root}
    pipx = [shutil.which("pipx")] if shutil.which("pipx") else [UV, "tool", "run", "pipx"]
    command = [*pipx, "install", "."] if tool == "pipx" else [UV, "tool", "install", "."]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment = kept | {name: str(path) for name, path in places.items()} | {"PIP_CACHE_DIR": str(pip_cache())}
    subprocess.run(
        [str(part) for part in command], cwd=checkout, env=environment | {"UV_CACHE_DIR": str(uv_cache())}, check=True
    )
    return programs


def pip_cache() -> Path:
    """Where pip keeps its downloads."""
    return Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip")


def uv_cache() -> Path:
    """Where uv keeps its downloads."""
    return Path(os.environ.get("UV_CACHE_DIR") or Path.home() / ".cache" / "uv")


def run(root: Path, *arguments: str) -> None:
    """Run the installed command somewhere else than in the checkout."""
    began = time.monotonic()
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [root / "bin" / "longlead", *arguments],
        cwd=root / "empty",
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stdout + done.stderr).strip().splitlines()[-1:]
    print(f"  longlead {' '.join(arguments)}: {done.returncode}, {time.monotonic() - began:.1f} s: {last}", flush=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)


def serve(root: Path) -> None:
    """Start the service on a data folder with a strange name, ask whether it is ready, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        [root / "bin" / "longlead", "serve", "--port", str(port), "--data", STRANGE], cwd=root / "empty", env=kept
    )
    try:
        for address in ("readyz", "docs", "openapi.json"):
            print(f"  GET /{address}: {ask(f'http://127.0.0.1:{port}/{address}', process)} bytes", flush=True)
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=60)
    print(f"  longlead serve --data {STRANGE!r}: ended with {status}", flush=True)
    if status or not (root / "empty" / STRANGE).is_dir():
        raise SystemExit("serve did not end well, or not where it was told to be")


def ask(address: str, process: "subprocess.Popen[bytes]") -> int:
    """The length of the answer, once there is one."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return len(answer.read())
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def check_versions(root: Path, tool: str) -> None:
    """Exactly the versions that are pinned came, not just some that fit."""
    python = next(root.glob("pipx/venvs/longlead/bin/python" if tool == "pipx" else "uv/longlead/bin/python"))
    code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    came = json.loads(subprocess.run([python, "-I", "-c", code], capture_output=True, check=True).stdout)
    pins = (line.split(";")[0].strip().split("==") for line in Path("requirements-pinned.txt").read_text().splitlines())
    others = {name: came[name] for name, version in pins if name in came and came[name] != version}
    print(f"  {len(came)} packages, {len(others)} not as pinned", flush=True)
    if others:
        raise SystemExit(f"not as pinned: {others}")


def main() -> None:
    """Install with each, and use what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--with", dest="tool", choices=["pipx", "uv"])
    chosen = parser.parse_args().tool
    for tool in [chosen] if chosen else ["uv", "pipx"]:
        with tempfile.TemporaryDirectory(prefix="longlead-install-") as folder:
            root = Path(folder)
            copy_checkout(root / "checkout")
            (root / "empty").mkdir()
            root.chmod(0o755)  # started by root, the server belongs to another account
            began = time.monotonic()
            install(tool, root / "checkout", root)
            shutil.rmtree(root / "checkout")
            print(f"Installed with {tool} in {time.monotonic() - began:.0f} s", flush=True)
            check_versions(root, tool)
            run(root, "--version")
            run(root, "demo")
            run(root, "evals", "submittal_approved")
            serve(root)
    print("All of it works from where it was installed.")


if __name__ == "__main__":
    main()
