"""One play on the stage: what is there before it, and what its people do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.github.seed import checkout_api
from local.slack.client import Answer
from local.slack.directory import U_BOT, U_DEV, U_KIM, U_LEE, Channel
from local.slack.store import Message
from tests.faults.kills import ledger
from tests.faults.kills.points import Plan
from tests.faults.kills.scenarios import SCENARIOS
from tests.faults.kills.watch import Seen

if TYPE_CHECKING:
    from tests.faults.kills.stage import Stage

PATIENCE = 90.0
"""Real seconds after which a play is lost; the longest takes five when nobody else computes."""
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
        self.seen = Seen(self.target, plan, recording)
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
        running = []
        if scenario.ecs:
            world.ecs.add_service(self.target, f"registry.example/{self.target}:{(*scenario.before, 'v1.0.0')[0]}", 2)
            world.github.deployers[self.repository] = world.ecs.deployer(self.target)
            for version in scenario.before[1:]:
                made = world.ecs.register_task_definition(f"registry.example/{self.target}:{version}", self.target)
                world.ecs.update_service(made, self.target)
            family = f"arn:aws:ecs:us-east-1:123456789012:task-definition/{self.target}"
            running = [f"{family}:{n}" for n in range(1, len(scenario.before) + 1)]
        ledger.put(world, self.target, list(zip(scenario.before, running or [""] * 9, strict=False)))
        self.stage.watch.follow(self.seen)

    def ready(self) -> None:
        """What was rolled out for the beginning has settled; the next rollout is the play's."""
        if self.scenario.ecs:
            self._wait(
                lambda: self.stage.world.ecs.service_deployment(self.target).status == "SUCCESSFUL", "the service"
            )
            self.begun_before = self.rollouts()
            self.stage.world.ecs.next_rollouts[self.target] = self.scenario.rollout

    def rollouts(self) -> int:
        """How many service deployments there have been."""
        found: list[int] = []
        self.stage.world.ecs.change(lambda service: found.append(len(service.deployments)), self.target)
        return found[0]

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
        user = self.stage.world.user
        self._deliver(user.slash(command, text, U_DEV, self.channel))

    def _deliver(self, answer: Answer) -> None:
        for retry in (1, 2, 3):
            if answer.status == 200:
                return
            answer = self.stage.world.user.resend(answer, retry)
        if answer.status != 200:
            raise Lost(f"Slack's delivery was answered {answer.status} four times")

    def press(self, action: str, user: str = U_LEE) -> None:
        """A button; the person presses again where Slack shows that it did not work."""
        self._again(lambda: self.stage.world.user.click(self.card(action), action, user))

    def reject(self, reason: str) -> None:
        self.press("reject")
        view = self._wait(
            lambda: [v for v in self.stage.world.slack.views if self.seen.ids[0] in str(v.content)], "a modal"
        )
        self._again(lambda: self.stage.world.user.submit(view[-1], {"reason": reason}, U_LEE))

    def cancel(self) -> None:
        """By the command, typed again where it did not work."""
        text = f"cancel {self.seen.ids[0]}"
        self._again(lambda: self.stage.world.user.slash("/platform-deploy", text, U_DEV, self.channel))

    def _again(self, act: Callable[[], Answer]) -> None:
        for _ in range(4):
            if act().status == 200:
                return
        raise Lost("somebody tried four times")

    def card(self, action: str) -> Message:
        """The newest message that offers this."""
        found = self._wait(
            lambda: [
                m for m in self.stage.watch.messages(self.target) if any(b.action_id == action for b in m.buttons)
            ],
            f"a button {action}",
        )
        return found[-1]

    def until(self, step: str) -> None:
        """The step has been carried out."""
        self._wait(lambda: self.seen.done[step] - len([p for p in self.seen.fired if p.step == step]) > 0, step)

    def ends(self) -> None:
        """Every execution of it has ended."""
        self._wait(lambda: self.seen.ids, "an execution")
        deadline, pause = time.monotonic() + PATIENCE, threading.Event()
        while any(self.status(name) == "RUNNING" for name in self.seen.ids):
            if time.monotonic() > deadline:
                raise Lost(f"still running, last: {[r[:2] for r in self.seen.record[-4:]]}")
            pause.wait(0.3 if self.seen.done["notify:outcome"] else 1.0)

    def stopped(self) -> None:
        """Somebody stops it in the console; EventBridge calls sweep, and again where it fails."""
        self.stage.stop(self)

    def arn(self, name: str) -> str:
        return f"{self.stage.world.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"

    def status(self, name: str) -> str:
        return str(self.stage.world.describe(self.arn(name))["status"])

    def _wait(self, what: Callable[[], Any], name: str) -> Any:
        deadline, changed = time.monotonic() + PATIENCE, self.stage.watch.changed
        while not (found := what()):
            if time.monotonic() > deadline:
                raise Lost(f"{name} did not come within {PATIENCE:.0f} s")
            with changed:
                changed.wait(0.2)
        return found
