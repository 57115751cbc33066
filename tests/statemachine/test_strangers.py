"""People of another company in a shared channel, and guests: each command, button and modal says so, and does nothing
else."""

from __future__ import annotations

import pytest

from fakes.slack.directory import C_SHARED, U_GUEST, U_LEE, U_PARTNER
from local.driver import Driver
from tests.statemachine.conftest import Build, scenario

pytestmark = [pytest.mark.engine, pytest.mark.slow]

WORDS = {U_PARTNER: "app's own workspace", U_GUEST: "Guests can't"}


def told(driver: Driver, user: str) -> int:
    """How often this user has been told that they are nobody here."""
    return sum(m.ephemeral_to == user and WORDS[user] in m.text for m in driver.session.slack.messages)


def until_told(driver: Driver, user: str, times: int) -> None:
    driver.session.slack.wait_for(lambda _: told(driver, user) >= times, 20)


@pytest.mark.parametrize("user", [U_PARTNER, U_GUEST])
def test_nobody_of_elsewhere_gets_anything_done(user: str, build: Build) -> None:
    driver = build(scenario(approval=True))
    driver.slash("/platform-deploy", "v1.2.3", channel=C_SHARED)
    driver.card("approve")
    execution, count = driver.arn, 0
    for command, text in [
        ("/platform-status", ""),
        ("/platform-deploy", "history"),
        ("/platform-deploy", "v1.0.0"),
        ("/platform-rollback", ""),
        ("/platform-deploy", f"cancel {driver.deployment_id}"),
    ]:
        driver.slash(command, text, user=user, channel=C_SHARED)
        count += 1
        until_told(driver, user, count)
    card = driver.card("approve", execution.rpartition(":")[2])
    for action in ("approve", "reject", "cancel"):
        driver.session.user.click(card, action, user)
        count += 1
        until_told(driver, user, count)
    assert not driver.session.slack.views
    driver.session.user.click(card, "reject", U_LEE)
    driver.session.user.submit(driver.session.slack.views[0], {"reason": "no"}, user)
    driver.arn = execution
    assert driver.session.describe(execution)["status"] == "RUNNING"
    driver.click("approve", U_LEE)
    assert driver.end() == "Deployed"
    driver.session.user.click(driver.card("roll_back"), "roll_back", user)
    until_told(driver, user, count + 1)
    assert len([e for e in driver.session.executions() if e["status"] == "RUNNING"]) == 0
    ran = {run.payload["deployment_id"] for run in driver.session.github.runs}
    assert ran == {driver.deployment_id}, "nothing was built for them"
