"""A hundred people who deploy to a hundred targets at once, on the local run as `make run` has it: all are answered in
time, and none of their deployments is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.session import Session, session, states_entered
from tests.statemachine import checks

pytestmark = pytest.mark.slow

CROWD, SPEED = 100, 50
MINUTES = 20
"""Real ones; it takes three on two processors that have little else to do."""


def target(number: int) -> str:
    place = f"repository: acme/r-{number}, ecs: {{cluster: checkout, service: s-{number}}}"
    return f"  t-{number}: {{{place}, policy: {{deploy_approval: false}}}}\n"


@pytest.fixture
def crowded() -> Iterator[Session]:
    """Everybody has typed the command, and has been answered."""
    targets = "targets:\n" + "".join(map(target, range(CROWD)))
    with (
        session(targets=targets, speed=SPEED, wait_time_scale=1 / SPEED, max_warm=24) as made,
        ThreadPoolExecutor(CROWD) as people,
    ):
        answers = list(people.map(lambda n: made.user.slash("/platform-deploy", f"t-{n} v1.2.3"), range(CROWD)))
        told = [answer.message.text if answer.message else answer.text for answer in answers]
        assert [text for text in told if not text.startswith("Got it.")] == []
        yield made


def test_all_are_answered_in_time_and_all_deployments_begin(crowded: Session) -> None:
    assert len(crowded.executions()) == CROWD


@pytest.mark.weekly
def test_none_is_lost(crowded: Session) -> None:
    pause = threading.Event()
    for _ in range(MINUTES * 60):
        if all(execution["status"] != "RUNNING" for execution in crowded.executions()):
            break
        pause.wait(1)
    ends = Counter(states_entered(crowded.history(one["executionArn"]))[-1] for one in crowded.executions())
    assert ends == {"Deployed": CROWD}
    told = "".join(message.text for message in crowded.slack.messages)
    assert [n for n in range(CROWD) if told.count(f"v1.2.3 is live in t-{n} · ") != 1] == [], "each is told once"
    checks.all_hold(crowded)
