"""A checkout as small as it can be, with the real Makefile and bootstrap/, and packages that come from a folder."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")

BACKEND = """
import os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    files = {
        "longlead.pth": os.getcwd(),
        "longlead-1.dist-info/METADATA": "Metadata-Version: 2.1\\nName: longlead\\nVersion: 1\\n",
        "longlead-1.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "longlead-1.dist-info/entry_points.txt": "[console_scripts]\\nlonglead = small:main\\n",
    }
    record = "".join(f"{name},,\\n" for name in [*files, "longlead-1.dist-info/RECORD"])
    with zipfile.ZipFile(os.path.join(folder, "longlead-1-py3-none-any.whl"), "w") as wheel:
        for name, text in {**files, "longlead-1.dist-info/RECORD": record}.items():
            wheel.writestr(name, text)
    return "longlead-1-py3-none-any.whl"
"""
PROGRAM = """
import os, sys

def main():
    import need
    print("longlead runs in", os.path.dirname(os.path.abspath(__file__)), "with need", need.VERSION)
"""


@dataclass(frozen=True)
class SmallCheckout:
    """A checkout with its own folder of wheels."""

    path: Path
    wheels: Path

    @property
    def environment(self) -> Path:
        """The environment that set-up makes."""
        return self.path / ".venv"

    def variables(self, *, uv: bool = True) -> dict[str, str]:
        """The environment variables of a machine that knows these wheels and nothing else."""
        tools = self.wheels / "with-uv"
        tools.mkdir(exist_ok=True)
        if not (tools / "uv").exists():
            (tools / "uv").symlink_to(UV)
            (tools / "python3").symlink_to(sys.executable)
        path = [str(tools)] if uv else []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "MAKE"))}
        return kept | {
            "PATH": os.pathsep.join([*path, str(Path(sys.base_prefix) / "bin"), "/usr/bin", "/bin"]),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
            "UV_FIND_LINKS": str(self.wheels),
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(self.wheels / "cache"),
        }

    def set_up(
        self, kind: str = "run", *, uv: bool = True, folder: str = ".venv"
    ) -> "subprocess.CompletedProcess[str]":
        """Run set-up to its end, as the Makefile does."""
        return subprocess.run(
            ["sh", "bootstrap/setup.sh", kind, folder],
            cwd=self.path,
            env=self.variables(uv=uv),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def run_longlead(self) -> str:
        """What the installed command says, or how it failed."""
        done = subprocess.run([self.environment / "bin" / "longlead"], capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip()

    def want(self, *, need: int) -> None:
        """Change what is pinned, as `git pull` does."""
        self._pin("requirements-build.txt", "backend==1")
        self._pin("requirements.txt", f"need=={need}")
        self._pin("requirements-dev.txt", f"need=={need}", "extra==1")

    def _pin(self, name: str, *pins: str) -> None:
        lines = []
        for pin in pins:
            package, _, version = pin.partition("==")
            wheel = self.wheels / f"{package}-{version}-py3-none-any.whl"
            lines.append(f"{pin} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
        (self.path / name).write_text("".join(lines), encoding="utf-8")


def make_small_checkout(root: Path) -> SmallCheckout:
    """Make one in a folder that is there."""
    checkout = SmallCheckout(root / "checkout", root / "wheels")
    checkout.path.mkdir()
    checkout.wheels.mkdir()
    shutil.copytree(HOUSE / "bootstrap", checkout.path / "bootstrap", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(HOUSE / "Makefile", checkout.path)
    (checkout.path / "small.py").write_text(PROGRAM, encoding="utf-8")
    (checkout.path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["backend==1"]\nbuild-backend = "backend"\n\n'
        '[project]\nname = "longlead"\nversion = "1"\nscripts = { longlead = "small:main" }\n',
        encoding="utf-8",
    )
    _write_wheel(checkout.wheels, "backend", 1, BACKEND)
    _write_wheel(checkout.wheels, "extra", 1, "")
    for version in (1, 2):
        _write_wheel(checkout.wheels, "need", version, f"VERSION = {version}\n")
    checkout.want(need=1)
    return checkout


def _write_wheel(folder: Path, name: str, version: int, code: str) -> None:
    files = {
        f"{name}.py": code,
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-{version}.dist-info/RECORD"
    rows = [f"{path},sha256={_sum(text)},{len(text.encode())}\n" for path, text in files.items()]
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, record: "".join([*rows, f"{record},,\n"])}.items():
            wheel.writestr(path, text)


def _sum(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
