"""What stands between a commit and production: staging first, a branch's head by its commit, somebody's lock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakes.github.pipeline import image_of
from fakes.slack.directory import U_DEV, U_KIM, U_LEE
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = pytest.mark.engine
TARGETS = f"""
targets:
  staging:
    ecs: {{cluster: checkout, service: checkout-api-staging}}
    policy: {{deploy_approval: false, branches: [main]}}
  prod:
    ecs: {{cluster: checkout, service: checkout-api}}
    policy: {{approvers: [{U_LEE}, {U_KIM}], rollback_approval: false, after: staging}}
"""


def told(it: HoursDriver) -> str:
    return str(it.session.slack.messages[-1].text)


def approve(it: HoursDriver, before: Callable[[], object] = lambda: None) -> None:
    """Lee approves whatever asks, and says why where that is asked; `before` happens first."""
    for message in it.session.slack.messages:
        for button in message.buttons:
            if button.action_id == "approve":
                before()
                it.session.user.click(message, "approve", U_LEE)
                for view in [one for one in it.session.slack.views if one.user == U_LEE]:
                    it.session.user.submit(view, {"reason": "it was rehearsed"}, U_LEE)


def test_a_branchs_head_goes_through_staging_to_production_unless_somebody_has_locked_it(
    play: Callable[[str], HoursDriver],
) -> None:
    it, locks = play(TARGETS), list[str]()

    def lock() -> None:
        if locks:
            it.session.user.slash("/platform-deploy", locks.pop(), U_KIM, it.session.channel)

    it.hours.every(20, lambda: approve(it, lock))
    head = it.session.github.default_repository.head().sha
    version = f"main@{head[:7]}"
    assert it.run("/platform-deploy", f"prod {version}") == "Refused"
    assert f"Deploy it there first: `/platform-deploy {version} staging`." in told(it)
    assert it.run("/platform-deploy", "staging main") == "Deployed"
    assert version in it.card_of().text

    known = {e["executionArn"] for e in it.session.executions()}
    staged = it.deployment_id
    for user in (U_DEV, U_DEV, U_LEE):  # twice, and somebody else
        it.click("deploy_to:prod", user, staged)
    (it.arn,) = [e["executionArn"] for e in it.session.executions() if e["executionArn"] not in known]
    assert it.end() == "Deployed"
    live = {name: it.session.platforms.live(target) for name, target in it.session.targets.items()}
    assert live == dict.fromkeys(live, image_of("acme/checkout-api", head))

    answer = it.session.user.slash("/platform-deploy", "lock prod for 1h migration", U_DEV, it.session.channel)
    assert answer.message
    assert "locked *prod* until" in answer.message.text
    assert it.run("/platform-deploy", f"prod {version}") == "Refused"
    assert f"<@{U_DEV}> has locked it (migration)." in told(it)
    it.hours.pass_by(3600)
    locks.append("lock prod a migration after all")
    assert it.run("/platform-deploy", f"prod {version}") == "Deployed", "who approves knew of the lock, and said why"
    assert "it was rehearsed" in str(it.card_of().blocks)
    assert it.run("/platform-rollback", "prod") == "Restored", "never a rollback"
