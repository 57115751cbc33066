"""Acting in a session as people do: type, click, wait, look."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chatops.messages.catalogue import texts
from fakes.slack.client import Answer
from fakes.slack.directory import U_DEV, U_KIM, U_LEE
from fakes.slack.store import Message
from local.people import Cast
from local.session import Session, states_entered

_AGAIN = tuple(
    texts(code)[key].partition("{")[0] for code in ("en", "ko") for key in ("late", "late_maybe", "not_started")
)
"""What a busy machine makes of a command; a person types it once more."""
PATIENCE = 60.0
EVERYBODY = Cast(U_DEV, (U_LEE, U_KIM))


@dataclass
class Driver:
    """One person at the keyboard. `arn` is the execution that was started last.

    `target`: the target that the commands mean; "": they name none. `cast`: who asks, and who decides.
    `pace`: seconds (of the session's time) that the person takes before doing something, for whoever watches.
    `patience`: real seconds to wait for anything. `tell` hears what is done before it is done: who (a user's id, or
    nobody's) and what.
    """

    session: Session
    arn: str = ""
    target: str = ""
    cast: Cast = EVERYBODY
    quorum: int = 1
    decided: set[str] = field(default_factory=set)
    pace: float = 0
    patience: float = PATIENCE
    tell: Callable[[str, str], None] = lambda _who, _what: None

    @property
    def decider(self) -> str:
        """The first of those who may decide."""
        return self.cast.deciders[0]

    def slash(self, command: str, text: str = "", user: str = "", channel: str = "") -> Answer:
        """Type a command, and again where a busy machine was too late for Slack; the execution that it starts, if any,
        becomes the current one."""
        self.session.clock.sleep(self.pace)
        self.tell(user or self.cast.requester, f"{command} {text}".strip())
        before = {e["executionArn"] for e in self.session.executions()}
        for _ in range(3):
            answer = self.session.user.slash(
                command, text, user or self.cast.requester, channel or self.session.channel
            )
            started = [e["executionArn"] for e in self.session.executions() if e["executionArn"] not in before]
            if started or not (answer.message and any(text in answer.message.text for text in _AGAIN)):
                break
        if started:
            self.arn = started[0]
        return answer

    def console(self, request: Any, name: str) -> None:
        """Start an execution in the Step Functions console."""
        self.tell("", f"starts an execution in the Step Functions console: {json.dumps(request)}")
        self.arn = self.session.start(request, name)

    @property
    def deployment_id(self) -> str:
        return self.arn.rpartition(":")[2]

    def until_state(self, name: str, seconds: float = 0, arn: str = "") -> None:
        """Wait until the execution has entered the state. Raises TimeoutError, or LookupError where it ended before."""
        arn = arn or self.arn
        pause = threading.Event()
        for _ in range(int((seconds or self.patience) / 0.05)):
            running = self.session.describe(arn)["status"] == "RUNNING"
            entered = states_entered(self.session.history(arn))
            if name in entered:
                return
            if not running:
                raise LookupError(f"ended without {name!r}: {entered}")
            pause.wait(0.05)
        within = f"within {seconds or self.patience} s"
        raise TimeoutError(f"{name!r} was not entered {within}: {states_entered(self.session.history(arn))}")

    def card(self, action: str, deployment_id: str = "") -> Message:
        """The message with this button for the current deployment."""
        wanted = deployment_id or self.deployment_id

        def has(message: Message) -> bool:
            return any(b.action_id == action and self._is(b.value, wanted) for b in message.buttons)

        return self.session.slack.wait_for(has, self.patience)

    def _is(self, value: str, wanted: str) -> bool:
        """A button of the deployment; of a pause only while nobody here has decided about that very pause."""
        deployment_id, pause, _ = value.partition("/")
        return deployment_id == wanted and not (pause and value in self.decided)

    def card_of(self, deployment_id: str = "") -> Message:
        """The deployment's living message: the only one that names it in its footer."""
        wanted = deployment_id or self.deployment_id
        return self.session.slack.wait_for(lambda m: bool(m.blocks) and wanted in str(m.blocks[-1]), self.patience)

    def ask(self, command: str, text: str = "", user: str = "") -> Answer:
        """Type a command about the target."""
        return self.slash(command, f"{self.target} {text}".strip(), user)

    def approve(self) -> None:
        """As many people approve as the target wants."""
        for user in self.cast.deciders[: self.quorum]:
            self.click("approve", user)

    def click(self, action: str, user: str = "", deployment_id: str = "") -> Answer:
        """Press a button of the current deployment's message, as soon as it is there. `user` "": the first decider."""
        user = user or self.decider
        self.card(action, deployment_id)
        self.session.clock.sleep(self.pace)
        card = self.card(action, deployment_id)
        self.decided |= {b.value for b in card.buttons if b.action_id == action and "/" in b.value}
        self.tell(user, f"presses {card.button(action).text}")
        return self.session.user.click(card, action, user)

    def reject(self, reason: str, user: str = "") -> Answer:
        """Press Reject…, fill in the modal, send it. Raises LookupError where none opens."""
        user = user or self.decider
        for _ in range(3):  # a busy machine was too late for Slack to open it
            self.click("reject", user)
            view = next((one for one in self.session.slack.views if one.user == user), None)
            if view is not None:
                break
        else:
            raise LookupError("the form for the reason did not open")
        self.session.clock.sleep(self.pace)
        self.tell(user, f"writes: {reason}")
        return self.session.user.submit(view, {"reason": reason}, user)

    def end(self, seconds: float = 0, arn: str = "") -> str:
        """Wait for the execution's end; the name of the last state."""
        arn = arn or self.arn
        self.session.wait(arn, seconds or self.patience)
        return states_entered(self.session.history(arn))[-1]

    def run(self, command: str, text: str = "", approve: bool = False, promote: bool = False) -> str:
        """A whole command, approved if need be, a canary promoted both times; the name of its end."""
        self.ask(command, text)
        if approve:
            self.approve()
        for action in ["promote", "promote"] * promote:
            self.click(action)
        return self.end()
