"""Slack of no use for five minutes, in every way and at every phase: the deployment goes on in its own time, people can
decide once Slack is back, and then every message says what is true, once."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise

import pytest

from fakes.github import Script
from fakes.slack.directory import C_DEPLOY, U_KIM
from fakes.slack.store import Message
from tests.statemachine import checks
from tests.statemachine.hours import HoursDriver, play
from tests.statemachine.slack_trouble import RETRY_AFTER, WAYS, SlackTrouble

__all__ = ["play"]
pytestmark = pytest.mark.engine
slow = pytest.mark.slow

MINUTE = 60
TARGETS = (
    "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, policy: {approvers: [U0LEE0001, U0KIM0001]}, "
    "timing: {poll_min: 30}}}"
)
BUILT, DECIDED, DEPLOYED = 6 * MINUTE, 12 * MINUTE, 14 * MINUTE
PHASES = {
    "start": (0, 5 * MINUTE),
    "build": (MINUTE, 5.5 * MINUTE),
    "approval": (5.5 * MINUTE, 10.5 * MINUTE),
    "end": (13 * MINUTE, 18 * MINUTE),
}
"""When trouble begins and ends, in seconds after the command."""
ONCE = {"down": "end", "slow": "build", "rate limit": "start", "channel_not_found": "start"}
"""The phase of each way; the others are asked about where it matters most: while people should decide. OUTAGES=all
takes these four everywhere. The simulator has Slack away in every phase (`tests/simulator/test_broken.py`)."""
EVERYDAY = {("down", "end")}


def cases() -> list[object]:
    every = os.environ.get("OUTAGES") == "all"
    pairs = [(w, p) for w in WAYS for p in PHASES if p == ONCE.get(w, "approval") or (every and w in ONCE)]
    return [pytest.param(*pair, marks=() if pair in EVERYDAY else slow, id="-".join(pair)) for pair in pairs]


def buttons(message: Message) -> list[str]:
    return [button.action_id for button in message.buttons]


def living(it: HoursDriver) -> list[Message]:
    return [m for m in it.session.slack.messages if m.channel == C_DEPLOY and not m.thread_ts and not m.ephemeral_to]


def begin(it: HoursDriver) -> list[str]:
    """A build of six minutes with news at every look, a decision six minutes after it, a deploy stage of two. What
    keeps somebody from deciding goes into the list."""
    for stage in ("build", "deploy"):
        it.session.github.script[stage] = Script(seconds=1e9, appear_seconds=0)
    obstacles: list[str] = []

    def decide() -> None:
        (card,) = living(it)
        if "approve" not in buttons(card):
            obstacles.append(f"no button on {card.text}")
            it.session.sfn.stop_execution(executionArn=it.arn)
        else:
            it.session.user.click(card, "approve", U_KIM)

    it.hours.every(7, lambda: rename(it))
    it.hours.later(BUILT, lambda: it.let_end("build"))
    it.hours.later(DECIDED, decide)
    it.hours.later(DEPLOYED, lambda: it.let_end("deploy"))
    it.slash("/platform-deploy", "v1.2.3")
    return obstacles


@pytest.mark.parametrize(("way", "phase"), cases())
def test_the_deployment_goes_on_and_slack_is_told_when_it_is_back(
    way: str, phase: str, play: Callable[[str], HoursDriver]
) -> None:
    it = play(TARGETS)
    it.slash("/platform-status")  # Slack has said today that the requester is a member
    it.end()
    trouble = SlackTrouble(it)
    trouble.between(way, *PHASES[phase])
    began = it.hours()
    obstacles = begin(it)
    end = it.end()
    assert obstacles == []
    assert end == "Deployed"
    assert trouble.asked, "there was trouble, and somebody met it"
    assert it.hours() - began < DEPLOYED + 3 * MINUTE, "the deployment took its own time"
    it.hours.sleep(15 * MINUTE)  # Slack is back, and sweep has come by
    (card,) = living(it)
    assert "is live" in card.text
    assert buttons(card) == ["roll_back"]
    said = [m.text for m in it.session.slack.messages if m.thread_ts == card.ts]
    finals = [text for text in said if "<@" in text and "is live" in text]
    assert len(finals) == 1, said
    assert sum("decide" in text for text in said) == 1, said
    checks.nothing_left_behind(it.session)
    checks.each_stage_once(it.session)


@slow
def test_a_rate_limit_is_obeyed(play: Callable[[str], HoursDriver]) -> None:
    """No call about this deployment's message before the pause that Slack asked for is over."""
    it = play(TARGETS)
    trouble = SlackTrouble(it)
    trouble.between("rate limit", *PHASES["build"])
    begin(it)
    assert it.end() == "Deployed"
    it.hours.sleep(15 * MINUTE)
    times = [at for at, method in trouble.asked if method.startswith("chat.")]
    assert len(times) > 1
    assert all(later - earlier >= RETRY_AFTER for earlier, later in pairwise(times)), times


def rename(it: HoursDriver) -> None:
    """Another step, so that there is something to show."""
    for run in it.session.github.runs:
        for job in run.attempt_jobs():
            for step in job.steps:
                step.name = f"step {it.hours():.0f}"
