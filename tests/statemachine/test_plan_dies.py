"""Whatever dies in Plan, before or after it has written the deployment's record: people are told what was not done,
which step failed of what, and where its execution is; nothing goes on, and the target is free.

Each death and each request once; `tests/unit/test_no_holes.py` has the text of every death with every request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fakes.slack.directory import C_DEPLOY
from local.runtime.invocation import Invocation, failed
from tests import holes
from tests.statemachine import checks
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

TARGETS = "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, policy: {deploy_approval: false}}}"
DEATHS = {
    "Sandbox.Timedout": "2026-01-02T03:04:05.678Z 1b2c Task timed out after 60.00 seconds",
    "Runtime.OutOfMemory": "RequestId: 1b2c Error: Runtime exited with error: signal: killed",
    "Runtime.ImportModuleError": "Unable to import module 'app': No module named 'yaml'",
    "KeyError": "'commit'",
    "InvalidConfiguration": "CHATOPS_TABLE is not set; it should hold the name of the DynamoDB table.",
}
REQUESTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "from the console, bare": ({"command": "deploy"}, ("The latest version", "dev")),
    "a version": ({"command": "deploy", "version": "v1.2.3"}, ("v1.2.3", "dev")),
    "a way back": ({"command": "rollback", "target": "dev"}, ("the last healthy version", "dev")),
    "by somebody": (
        {"command": "deploy", "version": "v1.2.3", "requester": {"id": "U0DANA001"}, "channel": C_DEPLOY},
        ("v1.2.3", "dev"),
    ),
    "nonsense": ([{"deploy": None}], ("The request",)),
}


def dying(it: HoursDriver, kind: str, *, after: bool) -> None:
    """Plan does its work or none of it, and Lambda answers with this error, however often it is called."""
    run = it.session.runtime._run

    def broken(function: Any, request: dict[str, Any]) -> Invocation:
        if function.name != "plan":
            return run(function, request)
        if after:
            run(function, request)
        return Invocation(failed(kind, DEATHS[kind], request["request_id"]), kind, "", False, request["request_id"])

    it.session.runtime._run = broken  # type: ignore[method-assign]


def told(it: HoursDriver) -> list[str]:
    """What names the step."""
    return [message.text for message in it.session.slack.messages if "*Plan*" in message.text]


@pytest.mark.parametrize(("kind", "asked"), list(zip(DEATHS, REQUESTS, strict=True)))
def test_before_anything_is_written(play: Callable[[str], HoursDriver], kind: str, asked: str) -> None:
    it = play(TARGETS)
    dying(it, kind, after=False)
    request, parts = REQUESTS[asked]
    it.console(request, "console-1")
    assert it.end() == "Refused"
    (text,) = told(it)
    for part in (*parts, kind, f"/#/{it.deployment_id}|execution>", "Nothing was begun"):
        assert part in text
    assert holes.in_world(it.session) == []
    assert checks.rows(it.session) == []
    assert it.session.github.runs == []


@pytest.mark.parametrize(("kind", "version"), [("Sandbox.Timedout", "v1.2.3"), ("KeyError", "")])
def test_after_the_record_was_written(play: Callable[[str], HoursDriver], kind: str, version: str) -> None:
    """The deployment has its message, and frees the target that it had taken."""
    it = play(TARGETS)
    dying(it, kind, after=True)
    it.slash("/platform-deploy", version)
    assert it.end() == "Refused"
    shown = it.card_of().text
    for part in ("Not possible: ", version, " → dev", "*Plan*", "*dev* still runs `v1.0.0`."):
        assert part in shown
    assert f"/d/{it.deployment_id}#" in json.dumps(it.card_of().blocks)
    assert any(m.thread_ts and kind in json.dumps(m.blocks) for m in it.session.slack.messages)
    assert holes.in_world(it.session) == []
    checks.nothing_left_behind(it.session)
    assert it.session.github.runs == []


def test_where_the_table_cannot_be_read_either(
    play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settle fails as well; what is known is said all the same."""
    it = play(TARGETS)
    dying(it, "KeyError", after=False)
    for name in ("CHATOPS_TABLE", "CHATOPS_TARGETS_FILE"):
        monkeypatch.setenv(name, "nowhere")
    from tests.statemachine.hours import _forget

    _forget()
    it.console({"command": "deploy", "version": "v1.2.3"}, "console-1")
    assert it.end() == "Refused"
    (text,) = told(it)
    assert "Not deployed: v1.2.3 → the default target" in text
    assert "could not be read" in text
    assert holes.in_world(it.session) == []
