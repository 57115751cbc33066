"""That the search for secrets, which every test's session ends with, finds one wherever it is planted."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from fakes.slack.directory import C_DEPLOY
from local.driver import Driver
from local.session import ROOT, STACK, Session
from tests.leaks import Watch
from tests.statemachine.conftest import CANARIES, scenario

pytestmark = pytest.mark.engine


def _row(watch: Watch, pk: str, **more: Any) -> None:
    item = {"pk": {"S": pk}, "sk": {"S": "PLANTED"}, **{k: {"S": v} for k, v in more.items()}}
    watch.session.dynamodb.put_item(TableName=f"{STACK}-table", Item=item)


PLACES: dict[str, Callable[[Watch, str, int], object]] = {
    "the log plan.log": lambda w, s, _: (w.session.runtime.log_dir / "plan.log").open("a").write(f"token={s}\n"),
    "a message": lambda w, s, _: w.session.slack.space.post(C_DEPLOY, f"see `{s}`", []),
    "the answer to /prod/x": lambda w, s, _: w.answers.append(("/prod/x", f'{{"message": "{s}"}}')),
    "a history": lambda w, s, n: w.session.start({"command": "frobnicate", "note": s}, f"planted-{n}"),
    "the row DEPLOYMENT#x PLANTED": lambda w, s, _: _row(w, "DEPLOYMENT#x", said=f"({s})"),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A deployment that is asked about: a ticket, a finish token and a task token have been made. Its session ends in
    the test."""
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        made = Session(stack, targets=scenario(approval=True).targets(), speed=50, wait_time_scale=0.02)
        driver = Driver(made)
        driver.slash("/platform-deploy", "v1.2.3")
        driver.until_state("Request Approval")
        driver.card("approve")
        watch = Watch(made)
        watch.end = stack.close  # type: ignore[attr-defined]
        yield watch


@pytest.mark.slow
def test_what_is_planted_is_found_and_fails_the_test_whose_world_it_is(asked: Watch) -> None:
    """Each kind of secret in each kind of place; and nothing before."""
    assert asked.leaks() == []
    rows = asked.session.dynamodb.scan(TableName=f"{STACK}-table")["Items"]
    histories = [asked.session.history(e["executionArn"]) for e in asked.session.executions()]
    own = asked.made(rows, histories)
    assert all(own.values()), "of each kind there is one"
    assert set(CANARIES.values()) <= asked.given()
    secrets = {name: min(values) for name, values in own.items()}
    secrets["a secret of the environment"] = CANARIES["GITHUB_PERSONAL_ACCESS_TOKEN"]
    for number, (name, secret) in enumerate(secrets.items()):
        for place, plant in PLACES.items():
            plant(asked, secret, number)
            assert f"{name} in {place}" in asked.leaks()
    with pytest.raises(AssertionError, match="a secret of the environment in a history"):
        asked.end()  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "acts"),
    [
        ("rejected", ["dana: /platform-deploy dev v1.2.3", "lee presses Reject…", "lee writes: Not on a Friday."]),
        pytest.param("slack-down", ["dana: /platform-deploy dev v1.2.3"], marks=pytest.mark.weekly),
    ],
)
def test_the_demo_tells_who_does_what_and_prints_no_secret_and_no_mark(name: str, acts: list[str]) -> None:
    done = _python("-m", "local.demo", name)
    said, _ = done.communicate(timeout=180)
    assert done.returncode == 0, said[-2000:]
    assert '"scenario"' in said
    assert [value for value in CANARIES.values() if value in said] == []
    assert not re.search(r"xox[bap]-|gh[ps]_", said)
    told = [line.split("s  ", 1)[1] for line in said.splitlines() if re.match(r" *\d+\.\d\ds  \w", line)]
    assert list(dict.fromkeys(told)) == acts, "a press that came too late is repeated"
    assert not re.search(r"<[@#!]", said)


@pytest.mark.slow
def test_the_local_run_prints_no_secret(free_port: int) -> None:
    """From its start, over a request that is not signed, to Ctrl-C."""
    running = _python("-m", "local.run", PORT=str(free_port))
    url = f"http://127.0.0.1:{free_port}/prod/slack/events"
    answered = 0
    for _ in range(600):
        try:
            urllib.request.urlopen(url, b"command=/platform-deploy", timeout=10)
        except urllib.error.HTTPError as refused:
            answered = refused.code
            if answered == 401:
                break
        except OSError:
            pass  # it has not begun to listen
        threading.Event().wait(0.1)
    assert answered == 401
    running.send_signal(signal.SIGINT)
    said, _ = running.communicate(timeout=60)
    assert str(free_port) in said
    assert [value for value in CANARIES.values() if value in said] == []


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _python(*arguments: str, **more: str) -> subprocess.Popen[str]:
    """The project's own command, with secrets to leak, both outputs as one."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "lambdas" / "shared")))
    environment = {**os.environ, **CANARIES, "PYTHONPATH": path, **more}
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
