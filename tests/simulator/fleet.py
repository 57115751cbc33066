"""Many deployments at once, each to a target of its own: one clock, one GitHub token, one Slack workspace, one table,
with the limits of both enforced."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import pytest

from fakes.codedeploy.model import Course
from fakes.codedeploy.server import Pipeline
from fakes.ecs import Rollout
from fakes.github import Script
from fakes.github.files import workflows_of
from fakes.github.seed import sample
from fakes.slack import tickets
from fakes.slack.directory import U_DEV, U_KIM, U_LEE, Channel
from fakes.slack.store import Change
from tests.simulator.agenda import BEGINNING
from tests.simulator.counted import CountingLambdas, CountingTable, Used, transitions
from tests.simulator.engine import Execution
from tests.simulator.releases import put
from tests.simulator.session import PEOPLE, Session, opened_as

A_DAY = 86_400.0
TIMING = "timing: {build: 7200}"
"""An hour of build is within its deadline; everything else as a target has it."""


@dataclass(frozen=True)
class Kind:
    """A deployment as people ask for it. `line`: more of its target's settings. `kind`: who knows the truth about it.
    `command`, `words`: what is typed. `scripts`: how its stages go. `rollout`: seconds. `presses`: buttons that an
    approver presses, and how many seconds after they appear.
    """

    line: str = ""
    kind: str = "ecs"
    command: str = "/platform-deploy"
    words: str = "v1.2.3"
    scripts: Mapping[str, Script] = field(default_factory=dict)
    rollout: float = 240.0
    presses: Mapping[str, float] = field(default_factory=dict)
    approval: bool = False


PLACES = {
    "ecs": "ecs: {{cluster: checkout, service: {name}}}, ",
    "codedeploy": "codedeploy: {{application: {name}, group: live}}, ",
    "none": "",
}


def settings(name: str, kind: Kind) -> str:
    """The target's line of targets.yaml."""
    place = PLACES[kind.kind].format(name=name)
    policy = f"approvers: [{U_LEE}, {U_KIM}], deploy_approval: {str(kind.approval).lower()}, rollback_approval: false"
    line = f"{kind.line}, " if kind.line else ""
    return (
        f"  {name}: {{repository: acme/{name}, event_type: dev_deploy, {place}{line}policy: {{{policy}}}, {TIMING}}}\n"
    )


class Fleet(Session):
    """`used`: everything since `begin_fleet`. `busiest`: the most within a minute, by what it is."""

    remembers = False
    limits = True
    """Whether Slack's and GitHub's limits of a second or minute are enforced; GitHub's of an hour always is."""

    def begin_fleet(self, kinds: Sequence[Kind], channels: int = 1) -> None:
        """Each kind has a target, whose number is its place in the list; they share the channels in turn."""
        self._names = [f"t-{number}" for number in range(len(kinds))]
        self._kinds = dict(zip(self._names, kinds, strict=True))
        file = self._targets / "fleet.yaml"
        file.write_text("targets:\n" + "".join(settings(*each) for each in self._kinds.items()), "utf-8")
        from chatops.settings import targets
        from chatops.settings.targets_file import load

        targets._cached.cache_clear()
        self.used = Used()
        self.make_table = lambda: CountingTable(self.used)
        known = load(file, dict(os.environ))
        repositories = [
            sample(f"acme/{name}", BEGINNING, workflows_of([known[name]]), n) for n, name in enumerate(self._names)
        ]
        self._anew(file, partial(CountingLambdas, self.used, self.now), *repositories)
        self.slack.enforce_rate_limit = self.github.secondary_limits.enforced = self.limits
        self.slack.space.burst = 3
        self._channels = {name: f"C0FLEET{n % channels}" for n, name in enumerate(self._names)}
        for number in range(channels):
            made = f"C0FLEET{number}"
            self.slack.space.channels[made] = Channel(made, f"fleet-{number}", PEOPLE)
        self.slack.on_change.append(self._shown)
        self._pressed: set[tuple[str, str]] = set()
        self.ended: list[Execution] = []
        self.answers: list[str] = []
        for name, kind in self._kinds.items():
            self._set_up(name, kind)
        self._pass(600)  # what was rolled out for the beginning has settled
        for name, kind in self._kinds.items():
            if kind.kind == "ecs":
                self.ecs.next_rollouts[name] = Rollout(seconds=kind.rollout)
        self.listen()
        self._before = self.used.copy()

    @property
    def lambdas_counted(self) -> CountingLambdas:
        assert isinstance(self.lambdas, CountingLambdas)
        return self.lambdas

    def now(self) -> float:
        return self.agenda.now()

    def _set_up(self, name: str, kind: Kind) -> None:
        """Two releases were deployed before."""
        repository = self.github.repositories[f"acme/{name}"]
        self.github.script |= {f"acme/{name} {stage}": script for stage, script in kind.scripts.items()}
        known: list[dict[str, str]] = [{"version": "v1.0.0"}, {"version": "v1.1.0"}]
        if kind.kind == "ecs":
            self.ecs.add_service(name, f"registry.example/{name}:v1.0.0", 2)
            self.github.deployers[name] = self.ecs.deployer(name)
            before = self.ecs.register_task_definition(f"registry.example/{name}:v1.1.0", name)
            known = [
                {**known[0], "task_definition": str(self.ecs.describe(name)["taskDefinition"])},
                {**known[1], "task_definition": before},
            ]
            self.ecs.update_service(before, name)
        elif kind.kind == "codedeploy":
            group = self.codedeploy.add_group(name, "live", "Server")
            group.courses = [Course(seconds=kind.rollout)]
            known = [{**known[1], "codedeploy_deployment_id": group.deployments[0].id}]
            self.github.deployers[name] = Pipeline(self.codedeploy, name, "live")
        put(self.table, name, known, repository)

    # -- what happens

    def type_all(self, seconds: float) -> None:
        """Everybody types the command, spread over so many seconds from now."""
        for number, name in enumerate(self._names):
            self.agenda.later(number * seconds / len(self._names), partial(self._type, name))

    def _type(self, name: str) -> None:
        kind = self._kinds[name]
        text = f"{name} {kind.words}".strip()
        answer = self.user.slash(kind.command, text, U_DEV, self._channels[name])
        self.answers.append(answer.message.text if answer.message else f"HTTP {answer.status}")

    def _shown(self, change: Change) -> None:
        """An approver sees a button, and presses it some time later."""
        for button in change.message.buttons if change.message else ():
            deployment = button.value.partition("/")[0]
            kind = self._kinds.get(self._target(deployment))
            seconds = kind.presses.get(button.action_id) if kind else None
            if seconds is not None and (button.action_id, button.value) not in self._pressed:
                self._pressed.add((button.action_id, button.value))
                press = partial(self.user.click, change.message, button.action_id, U_LEE)
                self.agenda.later(seconds, press)

    def _target(self, deployment_id: str) -> str:
        found = self.table.items.get((f"DEPLOYMENT#{deployment_id}", "RECORD"), {})
        return str(found.get("target", {}).get("S", ""))

    def _ended(self, execution: Execution) -> None:
        self.ended.append(execution)
        self.used.transitions += transitions(self.states.machine, execution)
        super()._ended(execution)

    def until_over(self, seconds: float = A_DAY) -> bool:
        """Until every execution has ended and every message is delivered; whether that was within so long."""
        until = self.agenda.now() + seconds
        while self.agenda.now() < until and self.agenda.step():
            if len(self.ended) >= len(self._names) and not self.undelivered():
                return True
        return False

    def ends(self) -> Counter[str]:
        """How they ended, by the last state."""
        return Counter(execution.path[-1] for execution in self.ended)

    def undelivered(self) -> int:
        return self.table.count("OUTBOX")

    def spent(self) -> Used:
        """Since everybody began to type."""
        return self.used - self._before

    def lost(self) -> Iterator[str]:
        """What is wrong with any of them."""
        for execution in self.ended:
            if execution.status != "SUCCEEDED":
                yield f"{execution.name} ended {execution.status} {execution.error}: {' > '.join(execution.path[-6:])}"
        if len(self.ended) < len(self._names):
            yield f"{len(self._names) - len(self.ended)} have not ended: {self.answers[:3]}"
        for (pk, sk), _ in list(self.table.items.items()):
            if pk == "OUTBOX":
                yield f"{sk}'s final message was not taken"
            if sk == "LOCK":
                yield f"{pk} is locked"

    def live(self, words: str = "is live") -> int:
        """How many deployments' messages say so."""
        cards = {str(m.blocks[-1]) for m in self.slack.messages if m.blocks and words in str(m.blocks)}
        return len(cards)

    def _pass(self, seconds: float) -> None:
        over: list[bool] = []
        self.agenda.later(seconds, lambda: over.append(True))
        while not over:
            self.agenda.step()


F = TypeVar("F", bound=Fleet)


@contextmanager
def opened_fleet(kind: type[F]) -> Iterator[F]:
    """The session, with ids that are the same every time."""
    with opened_as(kind) as fleet, pytest.MonkeyPatch.context() as patch:
        from chatops.steps import sweep

        numbers = itertools.count(1)
        patch.setattr(tickets.secrets, "token_hex", lambda size: f"{next(numbers):0{2 * size}x}")
        patch.setattr(sweep, "time", _Now(fleet.now))
        patch.setattr(sweep, "POOL", 1)  # one thing at a time
        yield fleet


@dataclass(frozen=True)
class _Now:
    monotonic: Callable[[], float]
