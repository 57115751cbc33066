"""Every target of every example file works in the local run: it is deployed, what is live everywhere is checked, and it
is rolled back. A deployment to one target changes that target and no other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatops.domain import freeze
from chatops.domain.target import Target
from doctor.checks import CHECKS
from doctor.local_run import described
from doctor.result import State
from doctor.runner import examine
from fakes.github.pipeline import image_of
from local import people
from local.driver import Driver
from local.session import Session

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
FILES = {
    "local": ROOT / "local" / "targets.yaml",
    "example": ROOT / "targets.example.yaml",
    "own": ROOT / "tests" / "samples" / "targets" / "own.yaml",
}


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    for name in ("SLACK_APPROVERS", "GITHUB_ID", "GITHUB_REPO", "SLACK_CHANNEL_ID"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as made:
        yield made


class Deploying:
    """Deployments of one target, beside those of all others."""

    def __init__(self, session: Session, target: Target) -> None:
        cast = people.cast(session.slack.space, target)
        self.session, self.target = session, target
        self.frozen = freeze.holding(target.freeze, time.time()) is not None
        if self.frozen:  # only an approver breaks the glass, and others approve
            asks = people.requesters(session.slack.space, target)
            deciders = people.approvers(session.slack.space, target)
            by = next(user for user in deciders if not asks or user in asks)
            cast = people.Cast(by, tuple(user for user in deciders if user != by or target.policy.own_approval))
        self.count = 0
        self.driver = Driver(session, target=target.name, cast=cast, quorum=target.policy.quorum, patience=120)

    def command(self, command: str, *, approve: bool, **more: object) -> str:
        """Started as in the console, by the requester: how long the Slack edge takes is no matter of this test."""
        self.count += 1
        who = {"requester": self.driver.cast.requester, "channel": self.session.channel}
        asked = {"command": command, "target": self.target.name, **who, **more}
        self.driver.console(asked, f"{self.target.name}-{self.count}")
        if approve:
            self.driver.approve()
        return self.promoted()

    def promoted(self) -> str:
        """The end, where every pause is promoted."""
        deadline = time.monotonic() + 300
        while self.session.describe(self.driver.arn)["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"{self.target.name}: {self.driver.arn} does not end"
            ours = [
                one
                for message in self.session.slack.messages
                for one in message.buttons
                if one.action_id == "promote" and self.driver._is(one.value, self.driver.deployment_id)
            ]
            if ours:
                self.driver.click("promote")
            time.sleep(0.2)
        return self.driver.end()

    def deploy(self, version: str) -> str:
        glass = {"break_glass": True, "reason": "the shop is down"} if self.frozen else {}
        return self.command("deploy", approve=self.target.policy.deploy_approval, version=version, **glass)

    def roll_back(self) -> str:
        return self.command("rollback", approve=self.target.policy.rollback_approval)

    def live(self, sha: str) -> str:
        """What should be live when this commit is."""
        if self.target.kind != "ecs":
            return sha[:7]
        owner, _, name = self.target.repository.partition("/")
        return image_of(self.session.github.repository(owner, name).full_name, sha)


def versions(session: Session) -> dict[str, tuple[str, str]]:
    """Two commits for each target, none of which is another's."""
    with session.github.lock:
        made = {}
        for name, target in session.targets.items():
            repository = session.github.repository(*target.repository.split("/"))
            commits = [repository.add_commit(f"For {name}", time.time()) for _ in range(2)]
            made[name] = (commits[0].sha, commits[1].sha)
        return made


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_target_is_deployed_and_rolled_back_and_no_other_with_it(
    name: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATOPS_TARGETS_FILE", str(FILES[name]))
    session = Session(stack, speed=50, wait_time_scale=0.02, sweep_seconds=2)
    commits = versions(session)
    ways = {one: Deploying(session, target) for one, target in session.targets.items()}

    def through(one: str) -> list[tuple[str, str]]:
        way, (first, second) = ways[one], commits[one]
        acts = (lambda: way.deploy(first[:7]), lambda: way.deploy(second[:7]), way.roll_back)
        return [(act(), session.platforms.live(way.target)) for act in acts]

    with ThreadPoolExecutor(3) as pool:
        found = dict(zip(ways, pool.map(through, ways), strict=True))
    for one, (first, second) in commits.items():
        live = ways[one].live
        assert found[one] == [("Deployed", live(first)), ("Deployed", live(second)), ("Restored", live(first))], one
    # each has a version of its own: whatever reached another target would be live there now
    assert {one: session.platforms.live(way.target) for one, way in ways.items()} == {
        one: ways[one].live(first) for one, (first, _) in commits.items()
    }
    roles = {target.role_arn for target in session.targets.values() if target.role_arn}
    assert roles == set(session.platforms.sts.assumed)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_the_doctor_finds_nothing_wrong(name: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_TARGETS_FILE", str(FILES[name]))
    findings = examine(described(Session(stack)), CHECKS)
    wrong = [one.result.found for one in findings if one.result.state is State.FAILED]
    assert wrong == []
