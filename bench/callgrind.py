"""Instructions instead of seconds: the same however busy the machine is. https://valgrind.org/docs/manual/cl-manual.html"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

_REFS = re.compile(r"Collected : (\d+)")


def missing() -> str:
    """What to install, where valgrind is not."""
    return "" if shutil.which("valgrind") else "valgrind is not installed (apt-get install valgrind): no instructions"


def instructions(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """How many the command takes. Raises subprocess.CalledProcessError where it fails."""
    run = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    found = subprocess.run(run, env=dict(environment), check=True, capture_output=True, text=True)
    return int(_REFS.findall(found.stderr)[-1])
