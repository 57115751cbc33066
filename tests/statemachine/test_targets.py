"""Every target of every example file works in the local run: it is deployed, what is live everywhere is checked, and it
is rolled back. A deployment to one target changes that target and no other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from chatops.domain import freeze
from chatops.domain.release import Release
from chatops.domain.target import Target
from chatops.store import releases
from chatops.store.table import Table
from doctor.checks import CHECKS
from doctor.local_run import described
from doctor.result import State
from doctor.runner import examine
from fakes.github.pipeline import image_of
from local import people
from local.session import STACK, Session
from tests.statemachine.hours import HoursDriver, play

__all__ = ["play"]
pytestmark = [pytest.mark.engine, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
FILES = {
    "local": ROOT / "local" / "targets.yaml",
    "example": ROOT / "targets.example.yaml",
    "own": ROOT / "tests" / "samples" / "targets" / "own.yaml",
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_APPROVERS", "GITHUB_ID", "GITHUB_REPO", "SLACK_CHANNEL_ID"):
        monkeypatch.delenv(name, raising=False)


class Deploying:
    """Deployments of one target, after those of all others."""

    def __init__(self, it: HoursDriver, target: Target) -> None:
        cast = people.cast(it.session.slack.space, target)
        self.it, self.target = it, target
        self.frozen = freeze.holding(target.freeze, it.hours()) is not None
        if self.frozen:  # only an approver breaks the glass, and others approve
            asks = people.requesters(it.session.slack.space, target)
            deciders = people.approvers(it.session.slack.space, target)
            by = next(user for user in deciders if not asks or user in asks)
            cast = people.Cast(by, tuple(user for user in deciders if user != by or target.policy.own_approval))
        it.target, it.cast, it.quorum = target.name, cast, target.policy.quorum

    def command(self, command: str, name: str, **more: object) -> str:
        """Started as in the console, by the requester; the name of its end."""
        who = {"requester": self.it.cast.requester, "channel": self.it.session.channel}
        self.it.console({"command": command, "target": self.target.name, **who, **more}, f"{self.target.name}-{name}")
        return self.it.end()

    def deploy(self, sha: str) -> str:
        if before := self.target.policy.after:  # as if it had been healthy there, long ago
            healthy = Release(sha[:7], sha, deployment_id="earlier", verified_at="2020-01-01T00:00:00.000Z")
            Table(f"{STACK}-table", self.it.session.dynamodb).transact(releases.adding(before, healthy))
        glass = {"break_glass": True, "reason": "the shop is down"} if self.frozen else {}
        return self.command("deploy", sha[:7], version=sha[:7], **glass)

    def roll_back(self) -> str:
        return self.command("rollback", "back")

    def live(self, sha: str) -> str:
        """What should be live when this commit is."""
        if self.target.kind != "ecs":
            return sha[:7]
        owner, _, name = self.target.repository.partition("/")
        return image_of(self.it.session.github.repository(owner, name).full_name, sha)


def decide(it: HoursDriver) -> None:
    """Whoever may say yes does, wherever the deployment asks."""
    values = {(b.action_id, b.value) for message in it.session.slack.messages for b in message.buttons}
    if any(action == "approve" and it._is(value, it.deployment_id) for action, value in values):
        it.approve()
    if any(action == "promote" and it._is(value, it.deployment_id) for action, value in values):
        it.click("promote")


def versions(session: Session, now: float) -> dict[str, tuple[str, str]]:
    """Two commits for each target, none of which is another's."""
    with session.github.lock:
        made = {}
        for name, target in session.targets.items():
            repository = session.github.repository(*target.repository.split("/"))
            commits = [repository.add_commit(f"For {name}", now) for _ in range(2)]
            made[name] = (commits[0].sha, commits[1].sha)
        return made


@pytest.mark.parametrize("name", ["example", *(pytest.param(n, marks=pytest.mark.weekly) for n in ("local", "own"))])
def test_every_target_is_deployed_and_rolled_back_and_no_other_with_it(
    name: str, play: Callable[[str], HoursDriver]
) -> None:
    it = play(FILES[name].read_text("utf-8"))
    session = it.session
    commits = versions(session, it.hours())
    it.hours.every(20, lambda: decide(it))
    for one, (first, second) in commits.items():
        way = Deploying(it, session.targets[one])
        acts = (lambda: way.deploy(first), lambda: way.deploy(second), way.roll_back)  # noqa: B023 - called at once
        found = [(act(), session.platforms.live(way.target)) for act in acts]
        live = way.live
        assert found == [("Deployed", live(first)), ("Deployed", live(second)), ("Restored", live(first))], one
    # each has a version of its own: whatever reached another target would be live there now
    assert {one: session.platforms.live(target) for one, target in session.targets.items()} == {
        one: Deploying(it, session.targets[one]).live(first) for one, (first, _) in commits.items()
    }
    roles = {target.role_arn for target in session.targets.values() if target.role_arn}
    assert roles == set(session.platforms.sts.assumed)


@pytest.mark.parametrize("name", FILES)
def test_the_doctor_finds_nothing_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATOPS_TARGETS_FILE", str(FILES[name]))
    with ExitStack() as stack:
        findings = list(examine(described(Session(stack)), CHECKS))
    wrong = [one.result.found for one in findings if one.result.state is State.FAILED]
    assert wrong == []
