"""One play on the stage: what is there before it, and what its people do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fakes.codedeploy import Course
from fakes.github.seed import checkout_api
from fakes.slack.client import Answer
from fakes.slack.directory import U_BOT, U_DEV, U_KIM, U_LEE, Channel
from fakes.slack.store import Message, View
from tests.faults.kills import ledger
from tests.faults.kills.points import Plan, point
from tests.faults.kills.scenarios import SCENARIOS
from tests.faults.kills.watch import Seen

if TYPE_CHECKING:
    from tests.faults.kills.stage import Stage

PATIENCE = 90.0
"""Real seconds after which a play is lost; the longest takes five when nobody else computes."""
FRESH = 5.0
"""Slack opens no modal for a click that is older than three seconds."""
PEOPLE = frozenset({U_DEV, U_LEE, U_KIM, U_BOT})


class Lost(AssertionError):
    """Something that had to come did not."""


class Play:
    """`failures` says what was wrong with it."""

    stage: Stage

    def __init__(self, number: int, plan: Plan, *, recording: bool) -> None:
        self.plan, self.scenario = plan, SCENARIOS[plan.scenario]
        self.target = f"kill{number:04}"
        self.channel = self.target.upper().replace("KILL", "CKILL")
        self.repository = f"acme/{self.target}"
        self.seen = Seen(self.target, plan, tuple(map(point, self.scenario.kills)), recording)
        self.failures: list[str] = []

    def set_up(self) -> None:
        """Everything that is there before it begins."""
        world, scenario = self.stage.world, self.scenario
        world.slack.space.channels[self.channel] = Channel(self.channel, self.target, PEOPLE)
        repository = checkout_api(world.clock.now())
        repository.name = self.target
        world.github.repositories[self.repository] = repository
        for stage, script in scenario.scripts.items():
            world.github.script[f"{self.repository} {stage}"] = script
        releases = [{"version": version} for version in scenario.before]
        if scenario.kind == "ecs":
            releases = [
                {**one, "task_definition": made} for one, made in zip(releases, self._add_service(), strict=False)
            ]
        elif scenario.kind == "codedeploy":
            group = world.codedeploy.add_group(self.target, "live")
            group.courses = [Course(outcome="fails"), Course()]
            releases = [{**one, "codedeploy_deployment_id": group.deployments[0].id} for one in releases]
        ledger.put(world, self.target, releases)
        self.stage.watch.follow(self.seen)

    def _add_service(self) -> list[str]:
        """The task definitions of the versions that were there before, oldest first."""
        world, versions = self.stage.world, self.scenario.before
        world.ecs.add_service(self.target, f"registry.example/{self.target}:{(*versions, 'v1.0.0')[0]}", 2)
        world.github.deployers[self.target] = world.ecs.deployer(self.target)
        found = [str(world.ecs.describe(self.target)["taskDefinition"])]
        for version in versions[1:]:
            made = world.ecs.register_task_definition(f"registry.example/{self.target}:{version}", self.target)
            world.ecs.update_service(made, self.target)
            found.append(made)
        return found

    def ready(self) -> None:
        """What was rolled out for the beginning has settled; the next rollout is the play's."""
        if self.scenario.kind == "ecs":
            world = self.stage.world
            self._wait(lambda: world.ecs.service_deployment(self.target).status == "SUCCESSFUL", "the service")
            world.ecs.next_rollouts[self.target] = self.scenario.rollout
        self.begun_before = self.rollouts()

    def rollouts(self) -> int:
        """How many deployments of the service there have been."""
        if self.scenario.kind == "codedeploy":
            return len(self.stage.world.codedeploy.deployments(self.target, "live"))
        found: list[int] = [0]
        if self.scenario.kind == "ecs":
            self.stage.world.ecs.change(lambda service: found.append(len(service.deployments)), self.target)
        return found[-1]

    def run(self) -> None:
        """From its beginning to its end."""
        try:
            self.ready()
            self.scenario.play(self)
        except Exception as error:  # noqa: BLE001 - told with the play's name
            self.failures.append(f"{type(error).__name__}: {error}")

    # -- what people do

    def type(self, command: str, *words: str) -> None:
        """A slash command. Slack tells the person when the app did not answer; the same delivery may come again, as
        often as Slack delivers an event again."""
        text = " ".join(word for word in (words[0], self.target, *words[1:]) if word)
        slash = self.stage.world.user.slash
        if self.scenario.retyped:
            self._again(lambda: slash(command, text, U_DEV, self.channel))
        else:
            self._deliver(slash(command, text, U_DEV, self.channel))

    def _deliver(self, answer: Answer) -> None:
        for retry in (1, 2, 3):
            if answer.status == 200:
                return
            answer = self.stage.world.user.resend(answer, retry)
        if answer.status != 200:
            raise Lost(f"Slack's delivery was answered {answer.status} four times")

    def press(self, action: str, user: str = U_LEE) -> None:
        """A button; the person presses again where Slack shows that it did not work, as long as it is there: a click
        may have been recorded by a process that died before it could answer."""
        self.card(action)
        self._again(lambda: self._click(action, user))

    def _click(self, action: str, user: str) -> Answer | None:
        offers = self._offers(action)
        return self.stage.world.user.click(offers[-1], action, user) if offers else None

    def reject(self, reason: str) -> None:
        """The modal opens only while the click is fresh; who sees none presses again."""
        for _ in range(5):
            self.press("reject")
            with suppress(Lost):
                self._wait(self._modals, "a modal", FRESH)
                return self._again(lambda: self.stage.world.user.submit(self._modals()[-1], {"reason": reason}, U_LEE))
        raise Lost("no modal opened")

    def _modals(self) -> list[View]:
        return [view for view in self.stage.world.slack.views if self.seen.ids[0] in str(view.content)]

    def cancel(self) -> None:
        """By the command, typed again where it did not work."""
        text = f"cancel {self.seen.ids[0]}"
        self._again(lambda: self.stage.world.user.slash("/platform-deploy", text, U_DEV, self.channel))

    def _again(self, act: Callable[[], Answer | None]) -> None:
        for _ in range(4):
            answer = act()
            if answer is None or answer.status == 200:
                return
        raise Lost("somebody tried four times")

    def card(self, action: str) -> Message:
        """The newest message that offers this."""
        found: list[Message] = self._wait(lambda: self._offers(action), f"a button {action}")
        return found[-1]

    def _offers(self, action: str) -> list[Message]:
        return [m for m in self.stage.watch.messages(self.target) if any(b.action_id == action for b in m.buttons)]

    def until(self, step: str) -> None:
        """The step has been carried out."""
        self._wait(lambda: self.seen.done[step] > self.seen.deaths[step], step)

    def ends(self, executions: int = 1) -> None:
        """So many executions there have been, and all have ended."""
        self._wait(lambda: len(self.seen.ids) >= executions, f"execution {executions}")
        deadline, pause = time.monotonic() + PATIENCE, threading.Event()
        while any(self.status(name) == "RUNNING" for name in self.seen.ids):
            if time.monotonic() > deadline:
                raise Lost(f"still running, last: {[r[:2] for r in self.seen.record[-4:]]}")
            pause.wait(0.3 if self.seen.done["notify:outcome"] >= executions else 2.0)

    def stopped(self) -> None:
        """Somebody stops it in the console; EventBridge calls sweep, and again where it fails."""
        self.stage.stop(self)

    def swept(self) -> None:
        """EventBridge calls sweep, whose calls for this play may be killed."""
        self.stage.sweep(self)

    def arn(self, name: str) -> str:
        return f"{self.stage.world.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def status(self, name: str) -> str:
        return str(self.stage.world.describe(self.arn(name))["status"])

    def _wait(self, what: Callable[[], Any], name: str, patience: float = PATIENCE) -> Any:
        deadline, changed = time.monotonic() + patience, self.stage.watch.changed
        while not (found := what()):
            if time.monotonic() > deadline:
                raise Lost(f"{name} did not come within {patience:.0f} s")
            with changed:
                changed.wait(0.2)
        return found
