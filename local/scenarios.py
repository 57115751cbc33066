"""Named ways through the state machine: what is set up, who does what, and how it must end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakes.codedeploy import Course
from fakes.ecs import Rollout
from fakes.github import Script
from local.driver import Driver
from local.scenario import Scenario

ALL: dict[str, Scenario] = {}
"""By name."""
Play = Callable[[Driver], None]


def _scenario(ends: str, about: str, **more: Any) -> Callable[[Play], Play]:
    """Adds a scenario of the function's name. `more`: fields of Scenario."""

    def add(play: Play) -> Play:
        name = play.__name__.strip("_").replace("_", "-")
        ALL[name] = Scenario(name, about, ends, play, **more)
        return play

    return add


@_scenario("Deployed", "deployed after an approval", approval=True)
def _happy(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.approve()
    driver.end()


@_scenario("Deployed", "deployed; the target wants no approval")
def _no_approval(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.2.3")


@_scenario("Rejected", "an approver says no, and why", approval=True)
def _rejected(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.reject("Not on a Friday.")
    driver.end()


@_scenario("Expired", "nobody decides in time", timing={"approval": 3, "reminder": 1}, approval=True)
def _expired(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.2.3")


@_scenario("Cancelled", "the requester changes their mind during the build")
def _cancelled(driver: Driver) -> None:
    driver.session.github.script["build"] = Script(seconds=60)
    driver.ask("/platform-deploy", "v1.2.3")
    driver.until_state("Wait For Build")
    driver.slash("/platform-deploy", f"cancel {driver.deployment_id}")
    driver.end()


@_scenario("Build Failed", "a test fails in the build")
def _build_fails(driver: Driver) -> None:
    driver.session.github.script["build"] = Script(outcome="failure", failed_step="Test", seconds=3)
    driver.run("/platform-deploy", "v1.2.3")


@_scenario(
    "Deploy Failed",
    "the deploy stage breaks before it changes the service, which is left as it is",
    kinds=("ecs", "codedeploy"),
)
def _deploy_fails(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.session.github.script["deploy"] = Script(outcome="failure", failed_step="Update service", seconds=2)
    driver.run("/platform-deploy", "v1.2.3")


@_scenario("Rolled Back", "ECS's circuit breaker trips, and is believed", kinds=("ecs",))
def _rollout_fails_and_rolls_back(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.session.ecs.next_rollout = Rollout(seconds=6, outcome="circuit_breaker")
    driver.run("/platform-deploy", "v1.2.3")


@_scenario("Restored", "back to the last healthy version, with a reason")
def _rollback_command(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.run("/platform-deploy", "v1.2.3")
    driver.run("/platform-rollback", "orders cannot be paid")


@_scenario("Rolled Back", "the first deployment ever fails; back to what ran before", kinds=("ecs",))
def _first_deploy_fails(driver: Driver) -> None:
    driver.session.ecs.next_rollout = Rollout(seconds=6, outcome="circuit_breaker")
    driver.run("/platform-deploy", "v1.2.3")


@_scenario(
    "Deployed",
    "a canary waits for people, before and after its first tenth of the traffic",
    strategy="canary",
    kinds=("ecs",),
)
def _promote(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.click("promote")  # nobody sees it yet: a tenth of the traffic, please
    driver.click("promote")  # looks well: all of it
    driver.end()


@_scenario(
    "Restored",
    "a canary that does not look well at a tenth of the traffic is rolled back",
    strategy="canary",
    kinds=("ecs",),
)
def _promote_rolled_back(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0", promote=True)
    driver.ask("/platform-deploy", "v1.2.3")
    driver.click("promote")
    driver.click("pause_roll_back")
    driver.end()


@_scenario(
    "Rolled Back",
    "CodeDeploy's deployment fails; its last good revision is deployed again",
    codedeploy=True,
    kinds=("codedeploy",),
)
def _codedeploy_fails(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.session.platforms.codedeploy_group(driver.session.targets[driver.target or "dev"]).courses = [
        Course(outcome="fails")
    ]
    driver.run("/platform-deploy", "v1.2.3")


@_scenario("Reported", "what is live, and what happened last")
def _status(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.2.3")
    driver.run("/platform-status")


@_scenario("Refused", "a second deployment of the same target is told whose the first is")
def _busy(driver: Driver) -> None:
    driver.session.github.script["build"] = Script(seconds=30)
    driver.ask("/platform-deploy", "v1.2.3")
    first = driver.arn
    driver.until_state("Wait For Build")
    driver.ask("/platform-deploy", "v1.1.0", user=driver.decider)
    driver.end()
    driver.end(arn=first)


@_scenario("Build Failed", "GitHub takes the event and starts nothing", timing={"appear": 3})
def _run_never_appears(driver: Driver) -> None:
    driver.session.github.actions_enabled = False
    driver.run("/platform-deploy", "v1.2.3")


@_scenario("Restored", "GitHub is down; the rollback does not need it", kinds=("ecs", "codedeploy"))
def _github_down_rollback(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.run("/platform-deploy", "v1.2.3")
    driver.session.github.down = True
    driver.run("/platform-rollback", "v1.1.0")


@_scenario("Deployed", "Slack goes away; the deployment does not care")
def _slack_down(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.until_state("Poll Build")
    driver.session.slack.down = True
    driver.end()
    before = {message.ts for message in driver.session.slack.messages}
    driver.session.slack.down = False
    # the final message comes with the next sweep
    driver.session.slack.wait_for(lambda m: bool(m.thread_ts) and m.ts not in before, 30)
