"""Who is called for which play, and the order to die that goes with it."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from fakes.slack.store import Change, Message
from local.runtime.calls import NOWHERE, Death
from local.runtime.invocation import Invocation
from local.world import World
from tests.faults.kills.points import Plan, Point

MARK = re.compile(r"(?i)kill\d{4}")
"""In the name of everything that belongs to one play: its target, repository, service and channel."""
NAMES = r"(?i)kill\d{4}|\bd-[0-9a-z]{12}\b"
LIKE = "Runtime.OutOfMemory"
"""What Lambda says of a process that was killed.
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""


@dataclass
class Seen:
    """What was seen of one play: which steps were called how often, what they called, which kills took place. `always`:
    kills that are part of the play, and not counted."""

    mark: str
    plan: Plan
    always: tuple[Point, ...] = ()
    recording: bool = False
    record: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    begun: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    fired: list[Point] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def death(self, step: str, turn: int) -> Death | None:
        """The order for this invocation."""
        for point in (*self.plan.points, *self.always):
            if (point.step, point.turn) == (step, turn):
                return Death(point.call, point.nth, point.when)
        return NOWHERE if self.recording else None


class Watch:
    """Between the runtime and the plays of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plays: dict[str, Seen] = {}
        self._marks: dict[str, str] = {}
        self._open: dict[int, tuple[Seen, str, int]] = {}
        self._messages: dict[str, list[Message]] = defaultdict(list)
        self.changed = threading.Condition()
        self.swept_for: Seen | None = None
        world.runtime.deaths = self._death
        world.runtime.on_invocation = self._seen
        world.slack.on_change.append(self._shown)

    def follow(self, seen: Seen) -> Seen:
        self._plays[seen.mark] = seen
        return seen

    def messages(self, mark: str) -> list[Message]:
        """What stands in the play's channel, oldest first."""
        return [one for one in list(self._messages[mark]) if not one.deleted]

    def _shown(self, change: Change) -> None:
        if change.kind == "posted" and change.message:
            if found := MARK.search(change.message.channel):
                self._messages[found[0].lower()].append(change.message)
            with self.changed:
                self.changed.notify_all()

    def _death(self, name: str, event: Any) -> Death | None:
        if name == "sweep":
            found = (self.swept_for, "sweep") if self.swept_for else None
        else:
            found = self._whose(name, event)
        if found is None or found[0] is None:
            return None
        seen, step = found
        with self.changed:
            seen.begun[step] += 1
            turn = seen.begun[step]
            self._open[id(event)] = (seen, step, turn)
        death = seen.death(step, turn)
        if death and name == "sweep":
            about = (seen.mark, seen.mark.upper(), *seen.ids)
            return Death(death.call, death.nth, death.when, about, NAMES)
        return death

    def _seen(self, name: str, event: Any, invocation: Invocation) -> None:
        with self.changed:
            known = self._open.pop(id(event), None)
            if known is None:
                return
            seen, step, turn = known
            if invocation.error == LIKE:
                seen.deaths[step] += 1
                seen.fired += [p for p in seen.plan.points if (p.step, p.turn) == (step, turn)]
            elif invocation.error:
                seen.errors.append(f"{step}#{turn}: {invocation.error}")
            seen.record.append((step, turn, invocation.calls))
            seen.done[step] += 1
            self.changed.notify_all()

    def _whose(self, name: str, event: Any) -> tuple[Seen | None, str] | None:
        if name == "slack":
            text, step = _slack(event)
        elif name == "stage":
            text, step = self._stage(event)
        else:
            text = str(self._marks.get(event.get("deployment_id", ""))) + json.dumps(event)
            kind = event.get("mode") or event.get("stage") or event.get("event") or ""
            step = f"{name}:{kind}" if kind else name
        found = MARK.search(text)
        seen = self._plays.get(found[0].lower()) if found else None
        if seen and name == "plan" and event["deployment_id"] not in seen.ids:
            seen.ids.append(event["deployment_id"])
            self._marks[event["deployment_id"]] = seen.mark
        return (seen, step) if seen else None

    def _stage(self, event: Any) -> tuple[str, str]:
        """The pipeline's call names its run, and the run its repository and stage."""
        run_id = json.loads(event["body"])["run_id"]
        run = next(one for one in reversed(self._world.github.runs) if one.id == run_id)
        return run.repository, f"{event['routeKey'].rpartition('/')[2]}:{run.stage}"


def _slack(event: Any) -> tuple[str, str]:
    raw = base64.b64decode(event["body"]).decode() if event.get("isBase64Encoded") else event["body"]
    form = {name: values[0] for name, values in parse_qs(raw).items()}
    if "payload" not in form:
        kind = form["command"].rpartition("-")[2]
        return form["channel_id"], f"slack:{'cancel' if form.get('text', '').startswith('cancel') else kind}"
    payload = json.loads(form["payload"])
    if payload["type"] == "view_submission":
        return form["payload"], "slack:submit"
    return payload["channel"]["id"], f"slack:{payload['actions'][0]['action_id']}"
