"""How large an execution's state and history become, against Step Functions' limits and our own promises.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatops.domain.target import LOOKS, Timing
from chatops.steps.policy import MOST_ASKED
from fakes.ecs import Rollout, describe
from fakes.github import Script
from fakes.slack.directory import C_DEPLOY, U_KIM, User
from local.session import states_entered
from pipeline.caller import HERE, caller, path_of
from tests.definition import BOXES, STATES, TOKENS
from tests.statemachine import checks
from tests.statemachine.hours import HoursDriver, play
from tests.unit.test_looks import RAMP, ROLLOUT_RAMP

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

EVENTS_LIMIT, BYTES_LIMIT, ROW_LIMIT = 25_000, 262_144, 409_600
STATE_PROMISE = 32 * 1024
HOUR = 3600
TIMING = "{build: 25200, approval: 4000}"
UNTIL_TOLD = Script(seconds=1e9, appear_seconds=0)


def texts(found: Any) -> Iterator[str]:
    """Every text in an event: inputs, outputs, parameters, causes."""
    if isinstance(found, dict):
        for value in found.values():
            yield from texts(value)
    elif isinstance(found, str):
        yield found


def size(text: str, *, escaped: bool = False) -> int:
    """Bytes as Step Functions counts them, those of the UTF-8 text; or with other letters than ASCII escaped, as
    Lambda's runtime for this Python hands them over."""
    try:
        return len(json.dumps(json.loads(text), ensure_ascii=escaped).encode())
    except ValueError:
        return len(text.encode())


def states(events: list[dict[str, Any]]) -> Iterator[str]:
    for event in events:
        yield event.get("stateEnteredEventDetails", {}).get("input", "")
        yield event.get("stateExitedEventDetails", {}).get("output", "")


def news_at_every_look(play: HoursDriver, stage: str) -> None:
    """Another step of another job each time somebody looks, with names as long as anybody could make them."""
    play.session.github.script[stage] = UNTIL_TOLD

    def rename() -> None:
        for run in play.session.github.runs:
            if run.payload.get("stage") == stage and run.status == "in_progress":
                for job in run.attempt_jobs():
                    job.name = f"{play.hours.at:.0f} " + "job " * 100
                    for step in job.steps:
                        step.name = f"{play.hours.at:.0f} " + "step " * 100

    play.hours.every(1, rename)


@pytest.mark.weekly
def test_six_hours_of_building_and_an_hour_of_asking(play: Callable[[str], HoursDriver], capsys: Any) -> None:
    """Something new at every look, the usual pace, reminders, and a deployment that uses all of its time."""
    it = play(
        "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, policy: {approvers: [U0LEE0001, U0KIM0001]}, "
        f"timing: {TIMING}}}}}"
    )
    for stage in ("build", "deploy"):
        news_at_every_look(it, stage)
    it.session.ecs.rollout = Rollout(seconds=14 * 60)
    it.hours.later(6 * HOUR, lambda: it.let_end("build"))
    it.hours.later(7 * HOUR, lambda: it.session.user.click(it.card("approve"), "approve", U_KIM))
    it.hours.later(7 * HOUR + 29 * 60, lambda: it.let_end("deploy"))
    began = it.hours.at
    it.slash("/platform-deploy", "v1.2.3")
    assert it.end(300) == "Deployed"
    events = it.session.history(it.arn)
    entered = states_entered(events)
    with capsys.disabled():
        print(  # noqa: T201 - the numbers that the gate shows
            f"\n  {(it.hours.at - began) / HOUR:.1f} hours: {len(events)} of {EVENTS_LIMIT} history events, "
            f"{entered.count('Poll Build')} looks at the build, "
            f"the largest state {max(map(size, states(events)))} bytes"
        )
    assert it.hours.at - began >= 7.5 * HOUR, "these hours have passed for the handlers"
    # at first the polls are closer together than a message may change
    assert entered.count("Show Build") > 0.9 * entered.count("Poll Build"), "there was something new at every poll"
    reminded = [m for m in it.session.slack.messages if m.thread_ts and "left" in m.text]
    assert len(reminded) == 3, [m.text for m in it.session.slack.messages]
    assert len(events) < EVENTS_LIMIT / 2
    assert max(map(size, states(events))) < STATE_PROMISE


# -- the longest texts that get through ----------------------------------------------------------------------

WIDE = "\N{ROCKET}"
"""One character; four bytes as it is, twelve where it is escaped."""
ASKED = [f"U{n:020}" for n in range(MOST_ASKED + 1)]
REASON = WIDE * 500
OWNER, NAME, TARGET, EVENT = "o" * 100, "n" * 100, "t" * 32, "e" * 100
YAML = f"""
targets:
  {TARGET}:
    repository: {OWNER}/{NAME}
    event_type: {EVENT}
    ecs: {{cluster: checkout, service: checkout-api}}
    policy: {{approvers: [{", ".join(ASKED)}], quorum: {MOST_ASKED}, rollback_approval: true}}
    freeze: [{{from: 2020-01-01, to: 2099-01-01, zone: UTC, reason: {"r" * 100}}}]
"""


@pytest.fixture
def largest(play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch) -> HoursDriver:
    """As many people as may be asked, and every name as long as the allow-lists admit."""
    it = play(YAML)
    github, space = it.session.github, it.session.slack.space
    ours = dataclasses.replace(github.default_repository, owner=OWNER, name=NAME)
    github.repositories = {ours.full_name: ours}
    ours.files[ours.default_branch] |= {path_of(TARGET): caller(TARGET, EVENT, HERE)}
    for n in range(12):
        ours.add_commit(f"{WIDE * 300} (#{n})", it.hours.at - 1000, login=f"{n:03}" + "a" * 36, pull=n)
    for user in ASKED:
        space.users[user] = User(user, WIDE * 80, WIDE * 80)
    filler = {"codedeploy_deployment_id": "c" * 64, "failed_job": WIDE * 100, "failed_step": WIDE * 100}
    image = f"{'i' * 430}@sha256:{'0' * 64}"
    for stage in ("build", "deploy"):
        github.script[stage] = Script(appear_seconds=0, seconds=0, outputs=filler | {"image": image})
    service = describe.service

    def talkative(*arguments: Any) -> Any:
        return {**service(*arguments), "events": [{"id": "1", "createdAt": 1.0, "message": WIDE * 3000}] * 100}

    monkeypatch.setattr(describe, "service", talkative)
    return it


def deploy(it: HoursDriver, version: str, name: str) -> None:
    it.session.github.add_tag(version)
    asked = {
        "schema": 1,
        "command": "deploy",
        "version": version,
        "target": TARGET,
        "reason": REASON,
        "break_glass": True,
        "requester": {"id": ASKED[0], "name": WIDE * 80},
        "channel": C_DEPLOY,
        "response_url": "https://hooks.slack.com/" + "x" * 450,
    }
    it.console(asked, name)


def everybody_approves(it: HoursDriver) -> None:
    def approve() -> None:
        card = it.card("approve")
        for user in ASKED[1:]:
            assert it.session.user.click(card, "approve", user).status == 200

    it.hours.later(60, approve)


def measured(it: HoursDriver, what: str, capsys: Any) -> int:
    events = it.session.history(it.arn)
    state = max(map(size, states(events)))
    anything = max(size(text, escaped=True) for event in events for text in texts(event))
    row = max(len(json.dumps(row)) for row in checks.rows(it.session))
    with capsys.disabled():
        print(  # noqa: T201 - the numbers that the gate shows
            f"\n  {what}: state {state}, the largest payload (escaped) {anything} of {BYTES_LIMIT}, "
            f"row {row} of {ROW_LIMIT} bytes"
        )
    assert anything < BYTES_LIMIT / 3
    assert row < ROW_LIMIT / 4
    return state


def test_the_largest_state(largest: HoursDriver, capsys: Any) -> None:
    """Two deployments by break-glass with everybody's approval; the second rollout fails and is put back; then one that
    is rejected at length."""
    it = largest
    everybody_approves(it)
    deploy(it, "v1" + "-" * 126, "a" * 80)
    assert it.end(60) == "Deployed"
    it.session.ecs.next_rollout = Rollout(seconds=600, outcome="circuit_breaker")
    everybody_approves(it)
    deploy(it, "v2" + "-" * 126, "b" * 80)
    assert it.end(60) == "Rolled Back"
    assert measured(it, "everything happened", capsys) < STATE_PROMISE
    it.hours.later(60, lambda: it.reject(WIDE * 500, ASKED[1]))
    deploy(it, "v3" + "-" * 126, "c" * 80)
    assert it.end(60) == "Rejected"
    assert measured(it, "rejected at length", capsys) < STATE_PROMISE


# -- what no timing can bring about --------------------------------------------------------------------------


def cost(*names: str) -> int:
    """History events of one way through these states: a token's wait times out, nothing is retried."""
    events = 0
    for name in names:
        kind, token = STATES[name]["Type"], name in TOKENS
        events += {"Task": 6 if token else 5, "Choice": 2, "Wait": 2}[kind]
    return events


LOOK_AT_STAGE = ("Poll Deploy", "Deploy Finished?", "Show Deploy", "Wait For Deploy")
LOOK_AT_ECS = ("Check Rollout", "Rollout Settled?", "Show Rollout", "Wait For Rollout")
LOOK_AT_PAUSE = ("Check Rollout", "Rollout Settled?", "Request Promotion")
LOOK_AT_DECISION = ("Read Decision", "Decided?", "Request Approval")
PAUSED = 24 * HOUR // 300
"""Looks at a rollout that waits for people as long as an execution may last."""


def test_no_timing_that_a_target_may_have_fills_the_history() -> None:
    """Everything as long as it may be and looked at as often, every look with news, all of it in one execution: two
    stages whose runs go on for long after their report, every reminder, a rollout, its pause, and what is put back."""
    stage = cost(*LOOK_AT_STAGE) * (LOOKS + 2 * RAMP)
    rollout = cost(*LOOK_AT_ECS) * (LOOKS + ROLLOUT_RAMP)
    paused = cost(*LOOK_AT_PAUSE) * (PAUSED + RAMP)
    boxes = 4 * len(BOXES)
    total = 2 * stage + cost(*LOOK_AT_DECISION) * LOOKS + rollout + paused + rollout + boxes
    assert total < EVENTS_LIMIT, total


def test_the_pace_before_there_was_a_bound_would_have_filled_it() -> None:
    """Why there is one: at the shortest pace six hours alone are six times the limit."""
    looks = 6 * HOUR / Timing().poll_min
    assert looks * cost(*LOOK_AT_STAGE) > 5 * EVENTS_LIMIT
    assert math.ceil(Timing(poll_max=30).widest(6 * HOUR)) == 144
