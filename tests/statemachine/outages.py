"""External services that go away for minutes while a deployment is under way, in the hours that pass in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import EndpointConnectionError

from fakes.ecs import Rollout
from fakes.faults import Fault
from fakes.github import Script
from fakes.github.faults import Fault as GitHubFault
from fakes.slack.directory import U_LEE
from local.runtime.invocation import ServiceFault
from tests.statemachine.hours import HoursDriver

MINUTE = 60
TARGETS = (
    "targets: {dev: {ecs: {cluster: checkout, service: checkout-api}, "
    "policy: {approvers: [U0LEE0001, U0KIM0001], deploy_approval: true}}}"
)
SERVICES = ("github", "slack", "ecs", "dynamodb", "secretsmanager", "lambda")
BOXES = ("Plan", "Build", "Approval", "Deploy", "Rollout", "Rollback")
UNCHANGED = {
    "Plan": {"Refused"},
    "Build": {"Build Failed"},
    "Approval": {"Deploy Failed", "Expired"},
    "Deploy": {"Deploy Failed"},
    "Rollout": set(),
    "Rollback": {"Rollback Failed"},
}
"""How a deployment may end where the service was away for longer than anybody is patient: nothing was changed by it."""


def box_of(name: str, event: Any) -> str:
    """The box that a function's call stands in, where it is the box's first."""
    stage, mode = event.get("stage", ""), event.get("mode", "")
    if name == "dispatch" and stage in ("build", "deploy"):
        return str(stage).title()
    if name == "poll" and mode == "stop":
        return "Rollback"
    if name == "ecs" and mode == "rollout":
        return "Rollout"
    return {"plan": "Plan", "approval": "Approval"}.get(name, "")


@dataclass
class Outage:
    """`service` is away for so many seconds from the first call of `box` on; `limit` is GitHub that refuses every
    request for a minute, again and again."""

    it: HoursDriver
    service: str
    box: str
    seconds: float
    began: float = 0

    @property
    def on(self) -> bool:
        return bool(self.began) and self.it.hours.at < self.began + self.seconds

    def prepare(self, patch: pytest.MonkeyPatch) -> None:
        """Watch for the box, and make the service answer as if it were away."""
        session, call = self.it.session, botocore.client.BaseClient._make_api_call

        def before(name: str, event: Any) -> ServiceFault | None:
            if not self.began and isinstance(event, dict) and box_of(name, event) == self.box:
                self._begin()
            if self.service == "lambda" and self.on and name != "sweep":  # its events wait in a queue of Lambda's
                return ServiceFault(429, "TooManyRequestsException", "Rate Exceeded.")
            return None

        def asked(client: Any, operation: str, arguments: Any) -> Any:
            if self.on and self.service != "lambda" and client.meta.service_model.service_name == self.service:
                raise EndpointConnectionError(endpoint_url=f"https://{self.service}.test")
            return call(client, operation, arguments)

        session.runtime.faults = before
        patch.setattr(botocore.client.BaseClient, "_make_api_call", asked)

    def _begin(self) -> None:
        self.began = self.it.hours.at
        session = self.it.session
        if self.service == "github":
            session.github.faults.append(GitHubFault(path=".", status=502, times=None))
        if self.service == "limit":
            session.github.faults.append(GitHubFault.secondary_limit(times=None))
        if self.service == "slack":
            session.slack.faults.append(Fault(status=503, times=10**9))
        self.it.hours.later(self.seconds, self._end)

    def _end(self) -> None:
        session = self.it.session
        if self.service in ("github", "limit"):
            session.github.faults.clear()
        if self.service == "slack":
            session.slack.faults.clear()


def deploying(it: HoursDriver, rollout: Rollout) -> str:
    """A deployment of usual length; whoever approves presses again until it counts. The name of its end."""
    session = it.session
    for stage, seconds in (("build", 8 * MINUTE), ("deploy", 3 * MINUTE)):
        session.github.script[stage] = Script(appear_seconds=0, seconds=seconds)
    session.ecs.next_rollout = rollout
    it.hours.every(MINUTE, lambda: _press(it))
    it.slash("/platform-deploy", "v1.2.3")
    return it.end(120)


def _press(it: HoursDriver) -> None:
    cards = [m for m in it.session.slack.messages if any(b.action_id == "approve" for b in m.buttons)]
    if cards:
        it.session.user.click(cards[-1], "approve", U_LEE)


def quietly(action: Callable[[], object]) -> Callable[[], None]:
    """What may fail while something is away."""

    def tried() -> None:
        try:
            action()
        except (ServiceFault, AssertionError):
            return

    return tried
