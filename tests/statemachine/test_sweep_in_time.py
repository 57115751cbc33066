"""However an execution ends from outside: one sweep later it is settled and told, its run is asked to end, and its
target is free one sweep after that run has ended, not before and not later. EventBridge's events are all lost here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakes.github import Script
from local import session as local_session
from local.runtime.template import Template
from tests.statemachine import checks
from tests.statemachine.hours import HoursDriver, _InProcess, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]

MINUTE, SWEEP = 60, 300
TARGETS = (
    "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, policy: {deploy_approval: false}, "
    "timing: {poll_min: 30, deploy: 7200}}}"
)
ENDED, RUN_ENDED = 10 * MINUTE, 27 * MINUTE
STUBBORN = Script(seconds=1e9, appear_seconds=0, ignores_cancel=True)


def _stop(it: HoursDriver) -> None:
    it.session.sfn.stop_execution(executionArn=it.arn)


def _time_out(it: HoursDriver) -> None:
    """The machine's own TimeoutSeconds, which are real ones and few here, pass by."""
    it.session.wait(it.arn, 60)


def _break(it: HoursDriver) -> None:
    """The next look answers what no Choice can read: States.Runtime, which nothing catches.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    assert isinstance(it.session.runtime, _InProcess)
    it.session.runtime.nonsense = frozenset({"poll"})


@pytest.mark.parametrize(
    ("end", "status"),
    [(_stop, "ABORTED"), (_time_out, "TIMED_OUT"), (_break, "FAILED")],
    ids=["stopped", "late", "uncaught"],
)
def test_it_is_settled_by_the_next_sweep_and_free_one_sweep_after_its_run(
    end: Callable[[HoursDriver], None], status: str, play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_session.ExecutionEvents, "beat", lambda _: None)
    if end is _time_out:
        definition = Template.definition
        machine = '"TimeoutSeconds": 86400'
        monkeypatch.setattr(Template, "definition", lambda t: definition(t).replace(machine, machine[:-5] + "10", 1))
    it = play(TARGETS)
    it.session.github.script["build"] = Script(seconds=0, appear_seconds=0)
    it.session.github.script["deploy"] = STUBBORN
    held: list[float] = []
    began = it.hours()

    def look() -> None:
        if any(checks.key(row)[1] == "LOCK" for row in checks.rows(it.session)):
            held.append(it.hours() - began)

    it.hours.every(10, look)
    it.hours.later(ENDED, lambda: end(it))
    it.hours.later(RUN_ENDED, lambda: it.let_end("deploy"))
    it.slash("/platform-deploy", "v1.2.3")
    it.session.wait(it.arn, 60)
    described = it.session.describe(it.arn)
    assert described["status"] == status
    if status == "FAILED":
        assert described["error"] == "States.Runtime"
    ended = it.hours() - began
    assert ended < ENDED + 6 * MINUTE  # a look comes every five minutes
    it.hours.sleep(SWEEP + 1)
    told = [m.text for m in it.session.slack.messages if m.thread_ts and " · <@" in m.text and "Stopped" in m.text]
    assert len(told) == 1, [m.text for m in it.session.slack.messages]
    asked = [call for call in it.session.github.calls if call.method == "POST" and call.path.endswith("/cancel")]
    assert asked, "GitHub is asked to end the run"
    assert not any(checks.key(row)[0] == "OPEN" for row in checks.rows(it.session))
    it.hours.sleep(RUN_ENDED + 3 * SWEEP - (it.hours() - began))
    assert it.hours.failed == []
    assert RUN_ENDED - 20 < max(held) <= RUN_ENDED + SWEEP, "until the run has ended, and no longer than one sweep more"
    assert len(held) >= max(held) // 10 - 5, "at no moment before was it free"
    checks.nothing_left_behind(it.session)


def test_where_nothing_may_go_on_the_next_deployment_has_the_target_after_the_sweep(
    play: Callable[[str], HoursDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build changes nothing: its run is asked to end, again and again, and nobody waits for that."""
    monkeypatch.setattr(local_session.ExecutionEvents, "beat", lambda _: None)
    it = play(TARGETS)
    it.session.github.script["build"] = STUBBORN
    it.hours.later(ENDED, lambda: _stop(it))
    it.slash("/platform-deploy", "v1.2.3")
    it.session.wait(it.arn, 60)
    it.hours.sleep(2 * SWEEP + 1)
    asked = [call for call in it.session.github.calls if call.method == "POST" and call.path.endswith("/cancel")]
    assert len(asked) > 1
    assert it.session.github.runs[0].status == "in_progress"
    it.session.github.script |= dict.fromkeys(("build", "deploy"), Script(seconds=0, appear_seconds=0))
    it.slash("/platform-deploy", "v1.2.3")
    assert it.end() == "Deployed"
    checks.nothing_left_behind(it.session)
