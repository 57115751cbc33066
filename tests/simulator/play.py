"""One play: what is there before it, what its people do, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fakes.slack.client import Answer
from fakes.slack.directory import U_BOT, U_DEV, U_LEE
from fakes.slack.store import Message, View
from tests.simulator.points import Plan, point
from tests.simulator.releases import put
from tests.simulator.scenarios import SCENARIOS
from tests.simulator.session import Session, channel_of, target_of

DAY = 90_000.0
"""Seconds after which a play is lost: an execution ends within a day."""
FRESH = 5.0
"""Slack opens no modal for a click that is older than three seconds."""
AFTER_SWEEP = 310.0
"""Seconds within which `sweep` comes."""
AFTERWARDS = 620.0
"""Seconds after the end in which `sweep` comes twice more."""


FREE = 60.0
"""Seconds after the end in which people of the scenario still may do something."""


class Over(Exception):
    """Somebody else has ended it before the scenario's people could do what they do."""


class Lost(AssertionError):
    """Something that had to come did not."""


class HoursDriver:
    """`failures` says what was wrong with it. `free`: somebody takes part who isn't part of the scenario."""

    def __init__(self, plan: Plan, session: Session) -> None:
        self.plan, self.scenario, self.session = plan, SCENARIOS[plan.scenario], session
        self.target, self.channel = target_of(plan.scenario), channel_of(plan.scenario)
        self.repository = f"acme/{self.target}"
        self.free = plan.has("cancel", "press")
        self.failures: list[str] = []

    def run(self) -> None:
        """From its beginning to its end, and some time more."""
        always = tuple(map(point, self.scenario.kills))
        session = self.session
        session.begin(Plan(self.plan.scenario, (*always, *self.plan.points)), self.meanwhile)
        self.seen, self.user = session.lambdas.seen, session.user
        self._set_up()
        try:
            with suppress(Over):
                self.scenario.play(self)
            self._pass(AFTERWARDS)
        except Lost as lost:
            self.failures.append(f"{lost}; last: {[one[:2] for one in self.seen.record[-4:]]}")
        finally:
            session.github.end()

    def _set_up(self) -> None:
        session, scenario = self.session, self.scenario
        known: list[dict[str, str]] = [{"version": version} for version in scenario.before]
        if scenario.kind == "ecs":
            made = self._add_service()
            known = [{**one, "task_definition": each} for one, each in zip(known, made, strict=False)]
            self._pass(120)  # what was rolled out for the beginning has settled
            session.ecs.next_rollouts[self.target] = scenario.rollout
        elif scenario.kind == "codedeploy":
            group = session.codedeploy.add_group(self.target, "live", scenario.computes)
            group.courses = list(scenario.courses)
            known = [{**one, "codedeploy_deployment_id": group.deployments[0].id} for one in known]
            session.github.deployers[self.target] = _codedeploy_pipeline(session, self.target)
        put(session.table, self.target, known, session.github.repositories[self.repository])
        self.begun_before = self.rollouts()
        session.listen()

    def _add_service(self) -> list[str]:
        """The task definitions of the versions that were there before, oldest first."""
        ecs, versions = self.session.ecs, self.scenario.before
        ecs.add_service(self.target, f"registry.example/{self.target}:{(*versions, 'v1.0.0')[0]}", 2)
        self.session.github.deployers[self.target] = ecs.deployer(self.target)
        found = [str(ecs.describe(self.target)["taskDefinition"])]
        for version in versions[1:]:
            found.append(ecs.register_task_definition(f"registry.example/{self.target}:{version}", self.target))
            ecs.update_service(found[-1], self.target)
        return found

    def rollouts(self) -> int:
        """How many deployments of the service there have been."""
        if self.scenario.kind == "codedeploy":
            return len(self.session.codedeploy.deployments(self.target, "live"))
        found: list[int] = [0]
        if self.scenario.kind == "ecs":
            self.session.ecs.change(lambda service: found.append(len(service.deployments)), self.target)
        return found[-1]

    # -- what people do

    def type(self, command: str, *words: str) -> None:
        """A slash command. Slack tells the person when the app did not answer; the same delivery may come again, as
        often as Slack delivers an event again."""
        text = " ".join(word for word in (words[0], self.target, *words[1:]) if word)
        if self.scenario.retyped:
            self._again(lambda: self.user.slash(command, text, U_DEV, self.channel))
            return
        before = len(self.seen.ids)
        answer = self.user.slash(command, text, U_DEV, self.channel)
        for retry in (1, 2, 3):
            if answer.status != 200:
                answer = self.user.resend(answer, retry)
        if answer.status != 200:
            raise Lost(f"Slack's delivery was answered {answer.status} four times")
        if len(self.seen.ids) == before:
            self._started(command, text, before)

    def _started(self, command: str, text: str, before: int) -> None:
        """Where the answer says that nothing was begun, the person types it again."""
        try:
            self._wait(lambda: len(self.seen.ids) > before, "a beginning", 5.0)
        except Lost:
            self._again(lambda: self.user.slash(command, text, U_DEV, self.channel))

    def press(self, action: str, user: str = U_LEE) -> None:
        """A button; the person presses again where Slack shows that it did not work, as long as it is there: a click
        may have been recorded by a process that died before it could answer."""
        self.card(action)
        for _ in range(4):
            fired = len(self.seen.fired)
            offers = self.offers(action)
            answer = self.user.click(offers[-1], action, user) if offers else None
            if answer is None or (answer.status == 200 and fired == len(self.seen.fired)):
                return
            self._pass(10)

    def reject(self, reason: str) -> None:
        """The modal opens only while the click is fresh. Who sees none, or reads a text in it that nothing came of,
        presses again as long as the button is there."""
        self.card("reject")
        for _ in range(5):
            if not self.offers("reject"):
                return
            self.press("reject")
            with suppress(Lost):
                self._wait(self._modals, "a modal", FRESH)
                self._again(lambda: self._submit(reason))
                if not self._read():
                    return
                self._wait(lambda: not self.offers("reject"), "its end", AFTER_SWEEP)
        raise Lost("no modal opened")

    def _read(self) -> bool:
        """Close the modals that only say something; whether there were any."""
        notices = [view for view in self.session.slack.views if "submit" not in view.content]
        for view in notices:
            self.user.close(view)
        return bool(notices)

    def _submit(self, reason: str) -> Answer | None:
        views = self._modals()
        return self.user.submit(views[-1], {"reason": reason}, U_LEE) if views else None

    def _modals(self) -> list[View]:
        """Those that ask for the reason."""
        asking = [view for view in self.session.slack.views if "submit" in view.content]
        return [view for view in asking if self.seen.ids[0] in str(view.content)]

    def cancel(self) -> None:
        """By the command, typed again where it did not work."""
        text = f"cancel {self.seen.ids[-1]}"
        self._again(lambda: self.user.slash("/platform-deploy", text, U_DEV, self.channel))

    def _again(self, act: Callable[[], Answer | None]) -> None:
        for _ in range(4):
            fired = len(self.seen.fired)
            answer = act()
            if answer is None or (answer.status == 200 and fired == len(self.seen.fired)):
                return
        raise Lost("somebody tried four times")

    def meanwhile(self, what: str) -> None:
        """What others do while a handler is at work."""
        if what == "sweep":
            self.session.sweep()
        elif what == "cancel" and self.seen.ids:
            self.user.slash("/platform-deploy", f"cancel {self.seen.ids[-1]}", U_DEV, self.channel)
        elif what == "press":
            for action in ("approve", "promote"):
                if offers := self.offers(action):
                    self.user.click(offers[-1], action, U_LEE)

    def card(self, action: str) -> Message:
        """The newest message that offers this."""
        found: list[Message] = self._wait(lambda: self.offers(action), f"a button {action}")
        return found[-1]

    def messages(self) -> list[Message]:
        """What stands in the channel, oldest first."""
        return [one for one in self.session.slack.messages if one.channel == self.channel]

    def offers(self, action: str) -> list[Message]:
        return [m for m in self.messages() if any(b.action_id == action for b in m.buttons)]

    def posted(self) -> list[Message]:
        """What the bot has posted for all."""
        return [m for m in self.messages() if m.user == U_BOT and not m.ephemeral_to]

    def until(self, step: str) -> None:
        """The step has been carried out."""
        self._wait(lambda: self.seen.done[step] > 0, step)

    def claimed(self, stage: str) -> None:
        """A run has been told that it may carry the stage out."""
        wanted = (stage, 200)
        self._wait(
            lambda: wanted in [(run.stage, run.claim_status) for run in self.session.github.runs], f"a claim of {stage}"
        )

    def ends(self, executions: int = 1) -> None:
        """So many executions there have been, and all have ended."""
        self._wait(lambda: len(self.seen.ids) >= executions and self._over(), f"the end of {executions}")

    def stopped(self) -> None:
        """Somebody stops it in the console."""
        self.session.states.stop_execution(self.seen.ids[0])

    def _wait(self, what: Callable[[], Any], name: str, seconds: float = DAY) -> Any:
        agenda, ended_at = self.session.agenda, 0.0
        deadline = agenda.now() + seconds
        while not (found := what()):
            if agenda.now() > deadline or not agenda.step():
                raise Lost(f"{name} did not come within {seconds:.0f} s")
            if self.free and self._over():
                ended_at = ended_at or agenda.now()
                if agenda.now() > ended_at + FREE:
                    raise Over
        return found

    def _over(self) -> bool:
        return bool(self.seen.ids) and all(one.status != "RUNNING" for one in self.session.states.executions.values())

    def _pass(self, seconds: float) -> None:
        over: list[bool] = []
        self.session.agenda.later(seconds, lambda: over.append(True))
        while not over:
            self.session.agenda.step()


def _codedeploy_pipeline(session: Session, target: str) -> Any:
    from fakes.codedeploy.server import Pipeline

    return Pipeline(session.codedeploy, target, "live")
