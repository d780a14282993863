#!/bin/sh
# Find a Python that can run Longlead, and hand over to it: `sh bootstrap/setup.sh run .venv` (or dev).
# A third argument names the Python to use; without one, the first that is new enough is taken.
set -u
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
kind=${1:?run or dev} folder=${2:-.venv} named=${3:-}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

say_what_is_missing() {
    if [ -n "$named" ]; then
        found=$("$named" -c 'import platform; print(platform.python_version())' 2>/dev/null) || found="not there"
        echo "Longlead needs Python 3.11 or newer; PYTHON=$named is $found. Name another: make PYTHON=python3.12 ..."
        return
    fi
    found=$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null)
    if [ -n "$found" ]; then
        echo "Longlead needs Python 3.11 or newer; python3 here is $found, and no newer one is on the PATH."
    else
        echo "Longlead needs Python 3.11 or newer; there is no python3 that runs on the PATH."
    fi
    if command -v uv >/dev/null 2>&1; then
        echo "This brings one:  uv python install 3.13"
    elif command -v brew >/dev/null 2>&1; then
        echo "This brings one:  brew install python@3.13"
    elif command -v apt-get >/dev/null 2>&1; then
        echo "This brings one on Debian 12, Ubuntu 24.04 and later:  sudo apt-get install -y python3 python3-venv"
        echo "On older ones, uv can bring it:  python3 -m pip install --user uv && ~/.local/bin/uv python install 3.13"
    elif command -v dnf >/dev/null 2>&1; then
        echo "This brings one:  sudo dnf install -y python3.12"
    else
        echo "Install one with your system's package manager, or with uv:  uv python install 3.13"
    fi
}

python=
if [ -n "$named" ]; then
    if is_new_enough "$named"; then python=$named; fi
else
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        if is_new_enough "$candidate"; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ] && command -v uv >/dev/null 2>&1; then
        candidate=$(uv python find --system '>=3.11' 2>/dev/null)
        if [ -n "$candidate" ] && is_new_enough "$candidate"; then python=$candidate; fi
    fi
fi
if [ -z "$python" ]; then
    say_what_is_missing >&2
    exit 2
fi
cd -- "$checkout" && exec "$python" -m bootstrap "$kind" "$folder" ${named:+--named}
