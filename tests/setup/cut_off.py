"""`python cut_off.py MOMENT ARGUMENTS...`: set-up that is killed before its nth act on the outside; 0 counts them."""

import os
import signal
import sys
from pathlib import Path

ACTS = {"subprocess.Popen", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.chmod", "os.open"}
"""What Python announces before it changes something: programs started, files made, renamed and removed."""

sys.path.insert(0, str(Path.cwd()))
from bootstrap.environment import main  # noqa: E402

moment, *arguments = sys.argv[1:]
count = 0


def _watch(event: str, details: tuple[object, ...]) -> None:
    global count
    is_written = event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+")
    if event in ACTS or is_written:
        count += 1
        if count == int(moment):
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(_watch)
status = main(arguments)
seen = count
print(seen)
sys.exit(status)
