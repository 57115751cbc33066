"""Instructions instead of seconds: the same however busy the machine is. https://valgrind.org/docs/manual/cl-manual.html

A built function is counted under Lambda's own runtime client, from the start of Python to the end of its first answer.
The Slack edge gives up after 2.4 s, AWS's clients after 5 s, and so does `stage` where it reads an issuer's keys, which
is nothing under valgrind: here they have ten minutes.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.built import CLIENT, Built
from bench.runtime_api import Function

_REFS = re.compile(r"Collected : (\d+)")
_PATIENT = """
import os, sys
try:
    import chatops.aws as aws, chatops.edge as edge
    edge.BUDGET = edge.SIGNING = edge.REPLY_BUDGET = aws.CONNECT_SECONDS = aws.READ_SECONDS = 600.0
    if os.environ["LAMBDA_TASK_ROOT"].endswith("/stage"):
        import chatops.github.oidc as oidc
        oidc.TIMEOUT = oidc.DEADLINE = 600.0
except ImportError:
    pass
from awslambdaric.__main__ import main
main(sys.argv)
"""
COMMAND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(CLIENT), "-c", _PATIENT)
"""Starts Lambda's runtime client, counted."""
_EMPTY = """
def handler(event, context):
    return {"statusCode": 200}
"""


def missing() -> str:
    """What to install, where valgrind is not."""
    return "" if shutil.which("valgrind") else "valgrind is not installed (apt-get install valgrind): no instructions"


def taken(function: Function) -> float:
    """Millions of instructions that it has taken; it ends. Raises IndexError where it was not counted."""
    function.end()
    return int(_REFS.findall(function.log())[-1]) / 1e6


def of(built: Built, name: str, environment: Mapping[str, str], event: Any) -> tuple[float, Any]:
    """Millions of instructions from a function's start to its first answer, and the answer."""
    with Function(built, name, environment, COMMAND) as function:
        answer = function.ask(event)
        return taken(function), answer.payload


def make_empty(folder: Path) -> None:
    """A function that does nothing, without a layer."""
    (folder / "var" / "empty").mkdir(parents=True)
    (folder / "var" / "empty" / "app.py").write_text(_EMPTY, encoding="utf-8")


def empty(folder: Path) -> float:
    """Millions of instructions of that one."""
    return of(Built(folder), "empty", {}, {})[0]
