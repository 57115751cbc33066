"""Named ways through the state machine: what is set up, who does what, and how it must end."""

from __future__ import annotations

from fakes.codedeploy import Course
from fakes.ecs import Rollout
from fakes.github import Script
from local.driver import Driver
from local.scenario import Scenario


def _happy(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.approve()
    driver.end()


def _no_approval(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.2.3")


def _rejected(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.reject("Not on a Friday.")
    driver.end()


def _expired(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.2.3")


def _cancelled(driver: Driver) -> None:
    driver.session.github.script["build"] = Script(seconds=60)
    driver.ask("/platform-deploy", "v1.2.3")
    driver.until_state("Wait For Build")
    driver.slash("/platform-deploy", f"cancel {driver.deployment_id}")
    driver.end()


def _build_fails(driver: Driver) -> None:
    driver.session.github.script["build"] = Script(outcome="failure", failed_step="Test", seconds=3)
    driver.run("/platform-deploy", "v1.2.3")


def _deploy_fails(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.session.github.script["deploy"] = Script(outcome="failure", failed_step="Update service", seconds=2)
    driver.run("/platform-deploy", "v1.2.3")


def _rollout_fails(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.session.ecs.next_rollout = Rollout(seconds=6, outcome="circuit_breaker")
    driver.run("/platform-deploy", "v1.2.3")


def _rollback_command(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.run("/platform-deploy", "v1.2.3")
    driver.run("/platform-rollback", "orders cannot be paid")


def _first_deploy_fails(driver: Driver) -> None:
    driver.session.ecs.next_rollout = Rollout(seconds=6, outcome="circuit_breaker")
    driver.run("/platform-deploy", "v1.2.3")


def _promote(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.click("promote")  # nobody sees it yet: a tenth of the traffic, please
    driver.click("promote")  # looks well: all of it
    driver.end()


def _promote_rolled_back(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0", promote=True)
    driver.ask("/platform-deploy", "v1.2.3")
    driver.click("promote")
    driver.click("pause_roll_back")
    driver.end()


def _codedeploy_fails(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.session.platforms.codedeploy_group(driver.session.targets[driver.target or "dev"]).courses = [
        Course(outcome="fails")
    ]
    driver.run("/platform-deploy", "v1.2.3")


def _status(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.2.3")
    driver.run("/platform-status")


def _busy(driver: Driver) -> None:
    driver.session.github.script["build"] = Script(seconds=30)
    driver.ask("/platform-deploy", "v1.2.3")
    first = driver.arn
    driver.until_state("Wait For Build")
    driver.ask("/platform-deploy", "v1.1.0", user=driver.decider)
    driver.end()
    driver.end(arn=first)


def _run_never_appears(driver: Driver) -> None:
    driver.session.github.actions_enabled = False
    driver.run("/platform-deploy", "v1.2.3")


def _github_down_rollback(driver: Driver) -> None:
    driver.run("/platform-deploy", "v1.1.0")
    driver.run("/platform-deploy", "v1.2.3")
    driver.session.github.down = True
    driver.run("/platform-rollback", "v1.1.0")


def _slack_down(driver: Driver) -> None:
    driver.ask("/platform-deploy", "v1.2.3")
    driver.until_state("Poll Build")
    driver.session.slack.down = True
    driver.end()
    before = {message.ts for message in driver.session.slack.messages}
    driver.session.slack.down = False
    # the final message comes with the next sweep
    driver.session.slack.wait_for(lambda m: bool(m.thread_ts) and m.ts not in before, 30)


ALL = {
    s.name: s
    for s in (
        Scenario("happy", "deployed after an approval", "Deployed", _happy, approval=True),
        Scenario("no-approval", "deployed; the target wants no approval", "Deployed", _no_approval),
        Scenario("rejected", "an approver says no, and why", "Rejected", _rejected, approval=True),
        Scenario(
            "expired",
            "nobody decides in time",
            "Expired",
            _expired,
            {"approval": 3, "reminder": 1},
            approval=True,
        ),
        Scenario("cancelled", "the requester changes their mind during the build", "Cancelled", _cancelled),
        Scenario("build-fails", "a test fails in the build", "Build Failed", _build_fails),
        Scenario(
            "deploy-fails",
            "the deploy stage breaks before it changes the service, which is left as it is",
            "Deploy Failed",
            _deploy_fails,
            kinds=("ecs", "codedeploy"),
        ),
        Scenario(
            "rollout-fails-and-rolls-back",
            "ECS's circuit breaker trips, and is believed",
            "Rolled Back",
            _rollout_fails,
            kinds=("ecs",),
        ),
        Scenario(
            "rollback-command",
            "back to the last healthy version, with a reason",
            "Restored",
            _rollback_command,
        ),
        Scenario(
            "first-deploy-fails",
            "the first deployment ever fails; back to what ran before",
            "Rolled Back",
            _first_deploy_fails,
            kinds=("ecs",),
        ),
        Scenario(
            "promote",
            "a canary waits for people, before and after its first tenth of the traffic",
            "Deployed",
            _promote,
            strategy="canary",
            kinds=("ecs",),
        ),
        Scenario(
            "promote-rolled-back",
            "a canary that does not look well at a tenth of the traffic is rolled back",
            "Restored",
            _promote_rolled_back,
            strategy="canary",
            kinds=("ecs",),
        ),
        Scenario(
            "codedeploy-fails",
            "CodeDeploy's deployment fails; its last good revision is deployed again",
            "Rolled Back",
            _codedeploy_fails,
            codedeploy=True,
            kinds=("codedeploy",),
        ),
        Scenario("status", "what is live, and what happened last", "Reported", _status),
        Scenario("busy", "a second deployment of the same target is told whose the first is", "Refused", _busy),
        Scenario(
            "run-never-appears",
            "GitHub takes the event and starts nothing",
            "Build Failed",
            _run_never_appears,
            {"appear": 3},
        ),
        Scenario(
            "github-down-rollback",
            "GitHub is down; the rollback does not need it",
            "Restored",
            _github_down_rollback,
            kinds=("ecs", "codedeploy"),
        ),
        Scenario("slack-down", "Slack goes away; the deployment does not care", "Deployed", _slack_down),
    )
}
