"""The Roll back button on a live deployment's message: any number of clicks, by anybody, is one rollback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chatops import aws, deadline
from chatops.config import settings
from chatops.domain.codec import SCHEMA
from chatops.domain.reason import running
from chatops.edge.limits import PATIENCE
from chatops.edge.refused import refused
from chatops.edge.start import begin
from chatops.ids import deployment_id
from chatops.messages.catalogue import say
from chatops.store import deployments, releases
from chatops.store.table import Table, table

_ATTEMPTS = 5
"""Presses that were refused before anything began, after which only the command is left."""


@dataclass(frozen=True)
class Press:
    """Who pressed it, where, and where to answer."""

    user: str
    name: str = ""
    team: str = ""
    channel: str = ""
    response_url: str = ""


def roll_back(card: str, press: Press) -> str:
    """Start the rollback of the card's deployment; the words for the one who pressed. `plan` looks again, and says
    whether this person may ask."""
    rows = table(patience=PATIENCE)
    record = deployments.get(rows, card)
    if record is None:
        return refused("click_unknown")
    plan = record["plan"]
    target = str(plan["target"])
    if press.channel and plan.get("channel") and press.channel != plan["channel"]:
        return refused("click_wrong_channel", id=card)
    live = releases.live(rows, target)
    if live is None or live.deployment_id != card:
        now = running(live.version if live else "")
        return refused("rollback_stale", version=plan["version"], target=target, running=now)
    text = execution_input(card, target, press)
    for attempt in range(1, _ATTEMPTS + 1):
        name = execution_name(press.team, card, attempt)
        begun = begin(name, text)
        if begun == "started":
            return deadline.recorded(say("accepted_rollback_last", target=target))
        if not begun:
            return refused("not_started", target=target)
        if said := _earlier(rows, name, target, text):
            return said
    return refused("rollback_used", id=name, end="Refused", target=target)


def execution_name(team: str, card: str, attempt: int = 1) -> str:
    """Derived from the card. A press that was refused before anything began (a guest's, say) must not use the button
    up for the others: the next one has a name of its own."""
    return deployment_id(team, f"rollback/{card}" + (f"/{attempt}" if attempt > 1 else ""))


def execution_input(card: str, target: str, press: Press) -> str:
    """As the command's, with the card that it came from."""
    made = {
        "schema": SCHEMA,
        "command": "rollback",
        "target": target,
        "requester": {"id": press.user, "name": press.name[:80]},
        "channel": press.channel,
        "response_url": press.response_url,
        "card": card,
    }
    return json.dumps({k: v for k, v in made.items() if v}, sort_keys=True)


def _earlier(rows: Table, name: str, target: str, text: str) -> str:
    """What became of the press that came before this one; nothing if it was somebody else's and refused before it
    began. `text`: the input by which this very press is known again."""
    record = deployments.get(rows, name)
    if record and (ended := deployments.outcome(record)):
        return refused("rollback_used", id=name, end=ended["end"], target=target)
    before = {} if record else _execution(name)
    if record or before["status"] == "RUNNING":
        return say("rollback_under_way", id=name)
    if before.get("input") == text:
        return refused("rollback_used", id=name, end="Refused", target=target)
    return ""


def _execution(name: str) -> dict[str, Any]:
    arn = settings().state_machine_arn.replace(":stateMachine:", ":execution:")
    found = aws.client("stepfunctions", patience=PATIENCE).describe_execution(executionArn=f"{arn}:{name}")
    return dict(found)
