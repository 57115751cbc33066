"""The Roll back button on a live deployment's message: any number of clicks, by anybody, is one rollback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chatops import aws
from chatops.domain import command_names
from chatops.domain.codec import SCHEMA
from chatops.domain.errors import Refusal
from chatops.domain.ids import deployment_id
from chatops.domain.plan import Plan
from chatops.domain.reason import running
from chatops.edge import PATIENCE
from chatops.edge.answers import is_elsewhere
from chatops.edge.start import start
from chatops.messages.catalogue import say
from chatops.network import deadline
from chatops.settings.config import settings
from chatops.store import deployments, releases
from chatops.store.table import Table, table

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


def roll_back(card: str, press: Press) -> str:
    """Start the rollback of the card's deployment; the text for the person. Raises Refusal. Whether this person may ask
    for it, and whether the card's release is still live, is checked again by `plan`."""
    rows = table(patience=PATIENCE)
    record = deployments.get(rows, card)
    if record is None:
        raise Refusal("click_unknown")
    plan, target = record.plan, record.plan.target
    command_names.use(plan.command_prefix)
    if is_elsewhere(rows, card, plan, press.channel):
        raise Refusal("click_wrong_channel", id=card)
    live = releases.live(rows, target)
    if live is None or live.deployment_id != card:
        now = running(live.version if live else "")
        raise Refusal("rollback_stale", version=plan.version, target=target, running=now)
    text = execution_input(card, plan, press)
    for attempt in range(1, _ATTEMPTS + 1):
        name = execution_name(press.team, card, attempt)
        # the name of an execution is free again after 90 days, its record stays
        if (used := deployments.get(rows, name)) and used.outcome:
            raise Refusal("rollback_used", id=name, end=used.outcome.end, target=target)
        if start(name, text, target):
            return deadline.recorded(say("accepted_rollback_last", target=target))
        if _is_under_way(rows, name, target, text):
            return say("rollback_under_way", id=name)
    raise Refusal("rollback_used", id=name, end="Refused", target=target)


def execution_name(team: str, card: str, attempt: int = 1) -> str:
    """Derived from the card, so that several presses are one rollback. After a press that was refused before anything
    began (a guest's, say) the next one gets a name of its own, so that the button stays usable for others."""
    return deployment_id(team, f"rollback/{card}" + (f"/{attempt}" if attempt > 1 else ""))


def execution_input(card: str, plan: Plan, press: Press) -> str:
    """The input of `/platform-rollback`, with the card that it came from."""
    made = {
        "schema": SCHEMA,
        "command": "rollback",
        "target": plan.target,
        "requester": {"id": press.user, "name": press.name[:80]},
        "channel": press.channel,
        "response_url": press.response_url,
        "card": card,
        "command_prefix": plan.command_prefix,
    }
    return json.dumps({k: v for k, v in made.items() if v}, sort_keys=True)


def _is_under_way(rows: Table, name: str, target: str, text: str) -> bool:
    """Whether the execution of this name, which an earlier press began, still runs. False if it was refused before
    anything began and was somebody else's press. Raises Refusal if it has ended otherwise. `text`: this press's input,
    by which a copy of the same delivery is recognised."""
    record = deployments.get(rows, name)
    if record and record.outcome:
        raise Refusal("rollback_used", id=name, end=record.outcome.end, target=target)
    before = {} if record else _execution(name)
    if record or before.get("status", "RUNNING") == "RUNNING":
        return True
    if before.get("input") == text:
        raise Refusal("rollback_used", id=name, end="Refused", target=target)
    return False


def _execution(name: str) -> dict[str, Any]:
    arn = settings().state_machine_arn.replace(":stateMachine:", ":execution:")
    states = aws.client("stepfunctions", patience=PATIENCE)
    try:
        return dict(states.describe_execution(executionArn=f"{arn}:{name}"))
    except states.exceptions.ExecutionDoesNotExist:
        return {}  # it was begun a moment ago, and Step Functions does not show it yet
