"""No sentence with holes: whatever is not known, and whichever step died of what, the text is whole."""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chatops.domain import causes, errors
from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.reason import Reason
from chatops.domain.request import where
from chatops.messages import card, catalogue, history, reports, unplanned
from chatops.messages.details import reply
from tests.holes import holes, texts
from tests.unit import views
from tests.unit.views import ENDS, PLAN, STATES, State

NAMES = [
    "States.Timeout",
    "States.TaskFailed",
    "Sandbox.Timedout",
    "Runtime.OutOfMemory",
    "Runtime.ExitError",
    "Runtime.ImportModuleError",
    "Lambda.Unknown",
    "Lambda.TooManyRequestsException",
    "KeyError",
    "",
]
REQUESTS: list[Any] = [
    {"command": "deploy"},
    {"command": "deploy", "version": "v1.2.3"},
    {"command": "deploy", "target": "prod"},
    {"command": "deploy", "version": "v1.2.3", "target": "prod"},
    {"command": "rollback"},
    {"command": "rollback", "version": "v1.2.3", "target": "prod"},
    {"command": "deploy", "version": 5, "target": ["prod"], "requester": {"id": None}},
    {"command": None},
    {},
    [],
    "deploy",
    5,
    None,
]
ALWAYS = {"version", "target", "command", "kind", "deployment_id", "key"}
"""What every plan and every cause has: a request without them is refused, or stands for itself."""


@pytest.fixture(autouse=True, params=["en", "ko"])
def spoken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CHATOPS_LANG", request.param)
    return str(request.param)


def whole(*shown: str) -> None:
    found = [hole for text in shown for hole in holes(text)]
    assert found == []


def written(state: State) -> list[str]:
    """Everything that is ever written of a deployment in that state."""
    seen = views.seen(state)
    message = card.message(seen)
    made, ended = [message["text"], *texts(message["blocks"])], seen.phase == "ended"
    return [*made, *texts(reply(seen)["blocks"])] if ended else made


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all members, and of the objects that hold them."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key not in ALWAYS:
            yield (*path, key)
            yield from leaves(value, (*path, key))


def without(state: State, path: tuple[Any, ...], value: Any) -> State:
    """The state with something else at that place; `...` takes it out."""
    made = copy.deepcopy(state)
    place = made
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return made


def test_every_phase_and_every_end() -> None:
    for state in STATES.values():
        whole(*written(state))


@pytest.mark.slow
@pytest.mark.parametrize("spoken", ["en"], indirect=True)  # Korean has the same placeholders, which take the same ways
@pytest.mark.parametrize("name", STATES)
def test_whatever_of_the_plan_is_not_known(name: str) -> None:
    for path in leaves(STATES[name]["plan"]):
        if path in (("approval", "eligible"), ("previous",), ("previous", "version")) and name in ENDS:
            continue  # an end that returned to something has something that it returned to
        for value in (..., None) if path != ("schema",) else ():
            whole(*written({**STATES[name], "plan": without(STATES[name]["plan"], path, value)}))


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["build", "deploy", "rollback", "rollout", "restored", "approval"])
def test_whatever_a_phase_did_not_tell(phase: str) -> None:
    for state in STATES.values():
        for path in leaves(state.get(phase) or {}):
            if path in (("pause",), ("pause", "mark")):
                continue  # what is paused has a pause
            whole(*written({**state, phase: without(state[phase], path, ...)}))


def test_a_deployment_of_which_nothing_is_known_but_what_goes_where() -> None:
    bare: State = {key: PLAN[key] for key in ("command", "version", "target", "kind", "verdict", "started_at")}
    for end in {str(state["outcome"]["end"]) for state in ENDS.values()} | {""}:
        for kind, command in itertools.product(("ecs", "codedeploy", "none"), ("deploy", "rollback")):
            if end in ("Rolled Back", "Restored"):
                continue  # there was something before it
            plan = {**bare, "kind": kind, "command": command}
            whole(*written({"plan": plan, "outcome": {"end": end, "said": "ABORTED"}}))


@pytest.mark.parametrize("name", NAMES)
def test_whatever_plan_dies_of(name: str, spoken: str) -> None:
    for request in REQUESTS:
        plan_dies(request, name, spoken)


def plan_dies(request: Any, name: str, spoken: str) -> None:
    """Version and target are the request's; step, error and execution are named."""
    asked = where(request)
    for error in ({"Error": name}, {"Error": name, "Cause": '{"errorMessage": "no"}'}, {"Error": name, "Cause": ""}):
        cause = rules.outcome(Deployment.of({"state": error}), None).why
        why = cause.reason if cause else None
        for read in (True, False):
            text = unplanned.sentence(asked, why, "d-1", "https://console.example/d-1", read=read)
            whole(text, unplanned.title(asked))
            assert "*Plan*" in text
            assert f", {name or 'unknown'})" in text
            assert "<https://console.example/d-1|" in text
            if asked.command in ("deploy", "rollback"):
                assert asked.version in text
                assert asked.target in text
                assert asked.version or spoken == "ko" or re.search("latest|last healthy", text)


OURS = [
    errors.ServiceUnavailable("aws_not_now", operation="GetItem", code="ThrottlingException"),
    errors.InvalidConfiguration("not_set", name="CHATOPS_TABLE", what=Reason("what_table")),
    errors.GitHubUnavailable("github_silent", request="GET /repos", error="ConnectTimeout"),
    errors.SlackRefused("users.info", "missing_scope"),
    errors.UnknownSchema("plan", "9", "1-2"),
    errors.GitHubRefused(401, "acme/shop", "Bad credentials"),
    errors.TargetBusy("The target changed hands at this moment."),
]


@pytest.mark.parametrize("raised", OURS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("step", ["Plan", ""])
def test_what_our_own_errors_say_of_a_step(raised: errors.ChatOpsError, step: str) -> None:
    cause = {"errorType": type(raised).__name__, "errorMessage": str(raised)}
    why = causes.reason_of({"Error": type(raised).__name__, "Cause": json.dumps(cause)}, step)
    text = catalogue.reason_text(why)
    whole(text)
    assert not step or why.values["error"] == type(raised).__name__


def test_every_text_of_the_catalogue_with_something_in_it() -> None:
    for key, text in catalogue.texts(catalogue.language()).items():
        values = dict.fromkeys(re.findall(r"\{(\w+)\}", text), "2026-01-02T03:04:05Z")
        whole(catalogue.say(key, values).strip(), catalogue.plain(key, values).strip())


def test_reports_of_which_little_is_known() -> None:
    rows = [{"deployment_id": "d-1", "started_at": "2026-01-02T03:04:05Z", "end": end} for end in ("", "Deployed")]
    for kind, last in itertools.product(("ecs", "codedeploy", "none"), ([], rows)):
        fact: State = {"target": "prod", "kind": kind, "last": last}
        for rollout in ({}, {"running": 0, "desired": 0, "pending": 0, "status": ""}, {"status": "Failed"}):
            shown = reports.status(views.status_of({**fact, "rollout": rollout}))
            whole(shown["text"], *texts(shown["blocks"]))
        shown = history.history(views.status_of(fact))
        whole(shown["text"], *texts(shown.get("blocks", [])))
    bare = {key: PLAN[key] for key in ("version", "target", "verdict")}
    for command, more in itertools.product(("deploy", "rollback"), ({}, {"sha": "4f0c1aa", "title": "", "url": ""})):
        whole(reports.dry_run(views.plan_of({**bare, **more, "command": command}))["text"])


@pytest.mark.parametrize(
    "torn",
    ["? was not deployed to prod.", "Running now: `?`.", "v1 → ", "It is  gone", "`` is live", "** runs", "None runs",
     "by {user}", "Before: `\u2013`.", "a (b: ).", "It ended ().", "Done ."],
)  # fmt: skip
def test_what_a_hole_is(torn: str) -> None:
    assert holes(torn)
