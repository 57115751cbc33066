"""Whatever stands behind the Slack edge stalls for ten seconds: it answers inside three all the same, below 500."""

from __future__ import annotations

import json
import socket
import threading
import time as real_time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from chatops import aws
from chatops.edge import handler
from chatops.messages.catalogue import plain
from chatops.settings import config, secrets
from lambdas.slack import app
from tests.faults.deliveries import body
from tests.faults.hostile_requests import event, signed

SLACKS_PATIENCE = 3.0
"""Seconds: https://docs.slack.dev/interactivity/implementing-slash-commands#responding_to_commands"""
KINDS = ("deploy", "cancel", "approve by Lee", "ask for a reason", "reject", "roll back by Lee", "promote", "help")


@pytest.fixture
def stalling() -> Iterator[str]:
    """Something at this address takes every connection, and says nothing for ten seconds and more."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    for one in taken:
        one.close()
    for thread in threading.enumerate():
        if thread.name == "delivery":  # given up: it may do nothing more, and not in the next test either
            thread.join(20)


def answered(kind: str) -> tuple[int, float]:
    """The status, and the seconds that it took."""
    raw, began = body(kind), real_time.monotonic()
    status = app.handler(event(raw, signed(raw, int(real_time.time()))), None)["statusCode"]
    return int(status), real_time.monotonic() - began


def _behind(environment: pytest.MonkeyPatch, url: str) -> None:
    for name in ("AWS_ENDPOINT_URL", "SLACK_API_URL", "CHATOPS_GITHUB_API_URL"):
        environment.setenv(name, url)
    config.reset()
    aws.made.cache_clear()
    aws.client("dynamodb")  # as in an environment that is warm: no import is measured here


def test_everything_downstream_stalls(environment: pytest.MonkeyPatch, stalling: str) -> None:
    _behind(environment, stalling)
    with ThreadPoolExecutor(len(KINDS)) as pool:
        found = dict(zip(KINDS, pool.map(answered, KINDS), strict=True))
    assert {status for status, _ in found.values()} == {200}
    late = {kind for kind, (_, seconds) in found.items() if seconds > SLACKS_PATIENCE}
    # a machine that is busy with other tests may have been slow itself: those are asked once more, alone
    assert {kind for kind in late if answered(kind)[1] > SLACKS_PATIENCE} == set()


def test_the_secret_stalls(environment: pytest.MonkeyPatch, stalling: str) -> None:
    """Nothing is let in without it."""
    environment.delenv("SLACK_SIGNING_SECRET")
    environment.setenv("CHATOPS_SLACK_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:x")
    _behind(environment, stalling)
    status, seconds = answered("deploy")
    assert (status, seconds < SLACKS_PATIENCE) == (401, True)


def test_a_secret_that_is_slow_takes_its_time_from_the_rest(environment: pytest.MonkeyPatch, stalling: str) -> None:
    _behind(environment, stalling)
    real = secrets.optional

    def slow(*given: object, **more: object) -> str:
        real_time.sleep(1.2)
        return real(*given, **more)  # type: ignore[arg-type]

    environment.setattr(secrets, "optional", slow)
    status, seconds = answered("approve by Lee")
    assert (status, seconds < SLACKS_PATIENCE) == (200, True)


def test_a_secret_that_is_too_slow_leaves_no_time_and_is_answered(
    environment: pytest.MonkeyPatch, stalling: str
) -> None:
    """As in a new environment with little processor: what is imported and asked for the secret used up everything."""
    _behind(environment, stalling)
    environment.setattr(handler, "BUDGET", 0.0)
    raw = body("approve by Lee")
    answer = app.handler(event(raw, signed(raw, int(real_time.time()))), None)
    assert answer["statusCode"] == 200
    assert plain("late") in json.loads(answer["body"])["text"]
