"""`make run` where it cannot start: what happened, and what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made.getsockname()[1]


def run(**more: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PORT", "LAMBDA_PORT", "ENGINE")}
    command = [sys.executable, "-m", "local.run"]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, "PORT": "0", **more}, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", ["PORT", "LAMBDA_PORT"])
def test_a_port_that_is_taken_is_told_once_with_what_to_do(taken: int, name: str) -> None:
    done = run(**{name: str(taken)})
    assert done.returncode == 1
    assert done.stderr.startswith(f"The bot could not start: cannot listen on 127.0.0.1:{taken}")
    assert f"{name}=… " in done.stderr
    assert done.stderr.count("\n") == 1, "nothing but that"


@pytest.mark.parametrize("port", ["80a", "65536", "-1", "²"])
def test_what_is_no_port_is_named(port: str) -> None:
    done = run(PORT=port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"PORT is {port!r}; it should hold a port number.\n"
