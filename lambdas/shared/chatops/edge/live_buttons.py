"""The buttons on a live deployment's message: Roll back, and Deploy to the target that comes after it. Any number of
clicks of one of them, by anybody, is one execution."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from chatops import aws
from chatops.domain import command_names
from chatops.domain.codec import SCHEMA
from chatops.domain.errors import Refusal
from chatops.domain.ids import deployment_id
from chatops.domain.plan import Plan
from chatops.domain.reason import running
from chatops.domain.release import Release
from chatops.edge import PATIENCE
from chatops.edge.answers import is_elsewhere
from chatops.edge.start import start
from chatops.messages.catalogue import say
from chatops.network import deadline
from chatops.settings.config import settings
from chatops.settings.targets import targets
from chatops.store import deployments, releases
from chatops.store.table import Table, table
from chatops.values import dataclass

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey

_ATTEMPTS = 5
"""Names that are tried for an execution; each may have been used by a press that was refused."""


@dataclass(frozen=True)
class Press:
    """Who pressed it, where, and where to answer."""

    user: str
    name: str = ""
    team: str = ""
    channel: str = ""
    response_url: str = ""


@dataclass(frozen=True)
class _Start:
    """What a press starts: `key` and `card` give its execution its name; `under_way`, `used`: what later presses are
    told."""

    key: str
    card: str
    target: str
    version: str
    text: str
    accepted: str
    under_way: TextKey
    used: TextKey

    def is_used(self, name: str, end: str) -> Refusal:
        return Refusal(self.used, id=name, end=end, target=self.target, version=self.version)


def roll_back(card: str, press: Press) -> str:
    """Start the rollback of the card's deployment; the text for the person. Raises Refusal. Whether this person may ask
    for it, and whether the card's release is still live, is checked again by `plan`."""
    rows, plan, live = _card(card, press)
    if live is None or live.deployment_id != card:
        now = running(live.version if live else "")
        raise Refusal("rollback_stale", version=plan.version, target=plan.target, running=now)
    asked = {"command": "rollback", "target": plan.target, "card": card}
    text = execution_input(plan, press, asked)
    accepted = say("accepted_rollback_last", target=plan.target, there=say("where_below"))
    under_way: TextKey = "rollback_under_way"
    start = _Start("rollback", card, plan.target, plan.version, text, accepted, under_way, "rollback_used")
    return _once(rows, start, press)


def deploy_to(card: str, name: str, press: Press) -> str:
    """Start the deployment of the card's version to the target that comes after the card's; the text for the person.
    Raises Refusal. It is what the command would start: `plan` checks who asks, and that this very commit was verified
    healthy before."""
    rows, plan, live = _card(card, press)
    target = targets().get(name)
    if target is None or target.policy.after != plan.target:
        raise Refusal("click_unknown")
    if live is None or live.deployment_id != card:
        now = running(live.version if live else "")
        raise Refusal("next_stale", version=plan.version, before=plan.target, target=name, running=now)
    asked = {"command": "deploy", "target": name, "version": plan.version}
    text = execution_input(plan, press, asked)
    accepted = say("accepted_deploy", version=plan.version, target=name, there=say("where_below"))
    return _once(rows, _Start(name, card, name, plan.version, text, accepted, "next_under_way", "next_used"), press)


def _card(card: str, press: Press) -> tuple[Table, Plan, Release | None]:
    """The plan of the card's deployment, and what is live in its target. Raises Refusal for no card of ours, and in
    another channel."""
    rows = table(patience=PATIENCE)
    record = deployments.get(rows, card)
    if record is None:
        raise Refusal("click_unknown")
    command_names.use(record.plan.command_prefix)
    if is_elsewhere(rows, card, record.plan, press.channel):
        raise Refusal("click_wrong_channel", id=card, version=record.plan.version, target=record.plan.target)
    return rows, record.plan, releases.live(rows, record.plan.target)


def _once(rows: Table, it: _Start, press: Press) -> str:
    for attempt in range(1, _ATTEMPTS + 1):
        name = execution_name(press.team, it.card, attempt, it.key)
        # the name of an execution is free again after 90 days, its record stays
        if (used := deployments.get(rows, name)) and used.outcome:
            raise it.is_used(name, used.outcome.end)
        if start(name, it.text, it.target):
            return deadline.recorded(it.accepted)
        if _is_under_way(rows, name, it):
            return say(it.under_way, id=name, target=it.target)
    raise it.is_used(name, "Refused")


def execution_name(team: str, card: str, attempt: int = 1, key: str = "rollback") -> str:
    """Derived from the card, so that several presses are one execution. After a press that was refused before anything
    began (a guest's, say) the next one gets a name of its own, so that the button stays usable for others."""
    return deployment_id(team, f"{key}/{card}" + (f"/{attempt}" if attempt > 1 else ""))


def execution_input(plan: Plan, press: Press, asked: dict[str, str]) -> str:
    """The input of the command that the press stands for, whoever presses."""
    made = {
        "schema": SCHEMA,
        **asked,
        "requester": {"id": press.user, "name": press.name[:80]},
        "channel": press.channel,
        "response_url": press.response_url,
        "command_prefix": plan.command_prefix,
    }
    return json.dumps({k: v for k, v in made.items() if v}, sort_keys=True)


def _is_under_way(rows: Table, name: str, it: _Start) -> bool:
    """Whether the execution of this name, which an earlier press began, still runs. False if it was refused before
    anything began and was somebody else's press. Raises Refusal if it has ended otherwise. A copy of the same delivery
    is recognised by its input."""
    record = deployments.get(rows, name)
    if record and record.outcome:
        raise it.is_used(name, record.outcome.end)
    before = {} if record else _execution(name)
    if record or before.get("status", "RUNNING") == "RUNNING":
        return True
    if before.get("input") == it.text:
        raise it.is_used(name, "Refused")
    return False


def _execution(name: str) -> dict[str, Any]:
    arn = settings().state_machine_arn.replace(":stateMachine:", ":execution:")
    states = aws.client("stepfunctions", patience=PATIENCE)
    try:
        return dict(states.describe_execution(executionArn=f"{arn}:{name}"))
    except states.exceptions.ExecutionDoesNotExist:
        return {}  # it was begun a moment ago, and Step Functions does not show it yet
