"""An execution in people's words: what it is about, how it stands, its phases in a strip, and a timeline. Pure.

Read from the data that the execution's newest events carry: each state adds to what the one before it knew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from chatops.domain.deployment import Deployment
from chatops.domain.errors import UnknownSchema
from chatops.domain.request import Request, where
from chatops.messages import outcome
from chatops.messages.catalogue import end_text, escape
from chatops.messages.view import View
from local.page import history
from local.page.history import Json

ENOUGH = 60
"""Events, from the newest back, whose data is read: a phase that broke off has lost its results, and the events of one
look at a run or a service are about ten."""
_UNDER_WAY = {
    "": "Checking the request",
    "planned": "Reserved",
    "build": "Building",
    "approval": "Waiting for approval",
    "decided": "Approved",
    "deploy": "Deploying",
    "rollout": "Rolling out",
    "paused": "Waiting for promotion",
    "restoring": "Rolling back",
}
_BOXES = {"Build": "build", "Approval": "approval", "Deploy": "deploy", "Rollout": "rollout", "Rollback": "restoring"}
_WAITING = ("approval", "paused")
_GOOD = ("Deployed", "Restored")


@dataclass(frozen=True)
class Story:
    """`title`: `v1.2.3 → dev`. `by`: a name. `end`: how it stands, or ended, in words. `tone`: `now`, `wait` (for
    people), `good`, `bad`, or `neutral` where people ended it."""

    title: str
    by: str
    end: str
    tone: str

    @property
    def label(self) -> str:
        """For a list; the time is added where it is shown, in the reader's zone."""
        return " · ".join(part for part in (self.title, self.by, self.end) if part)


@dataclass(frozen=True)
class Facts:
    """What an execution's data says. `asked`: its input, as far as that can be read."""

    asked: Request
    view: View

    @property
    def ended(self) -> str:
        """The name of the end, empty while there is none."""
        return self.view.end


def data(newest_first: Iterable[Mapping[str, Any]]) -> Json:
    """What the states of an execution knew last, by name; of two values the newer."""
    merged: Json = {}
    for event in islice(newest_first, ENOUGH):
        for kind, key in _DATA:
            try:
                found = json.loads(event.get(kind, {}).get(key) or "null")
            except ValueError:
                continue
            if isinstance(found, dict):
                merged = found | merged
    return merged


_DATA = (
    ("executionSucceededEventDetails", "output"),
    ("stateExitedEventDetails", "output"),
    ("stateEnteredEventDetails", "input"),
    ("executionStartedEventDetails", "input"),
)


def facts(known: Json, now: float) -> Facts:
    """The data as classes. `now`: epoch seconds."""
    try:
        deployment = Deployment.of({"state": known})
    except UnknownSchema:  # of an older release: its input can still be read
        deployment = Deployment("")
    return Facts(where(known), View(deployment, "", now))


def story(known: Facts, status: str, told: list[Json], names: Mapping[str, str]) -> Story:
    """`status`: the execution's own; `told`: its events, at least the newest; `names`: of people, by id."""
    plan, asked = known.view.plan, known.asked
    person = plan.requester.id or asked.requester
    by = names.get(person, plan.requester.name or person)
    running = status in ("RUNNING", "PENDING_REDRIVE")
    ended_in = history.current_state(told)
    if running:
        phase = _phase(known, told)
        end, tone = _UNDER_WAY.get(phase, "Finishing"), "wait" if phase in _WAITING else "now"
    else:
        name = known.ended or (ended_in if status in ("SUCCEEDED", "FAILED") else "Stopped")
        end, tone = "Answered" if name == "Reported" else end_text(name), _tone(name)
    return Story(title(known), by, end, tone)


def _phase(known: Facts, told: list[Json]) -> str:
    """The phase that it is in: its box's, where that was entered lately, else what its results tell."""
    by_results = known.view.phase if known.view.deployment.planned else ""
    entered = [_BOXES[one["state"]] for one in told if one["kind"] == "entered" and one["state"] in _BOXES]
    if by_results == "ended" or not entered:
        return by_results
    return by_results if by_results in ("paused", "decided") and entered[-1] != "restoring" else entered[-1]


def title(known: Facts) -> str:
    """What it is about."""
    plan, asked = known.view.plan, known.asked
    command, target = asked.command or plan.command, plan.target or asked.target
    version = plan.version or asked.version
    if command == "rollback":
        return f"Roll back {target} → {version}" if version else f"Roll back {target}"
    if command in ("status", "history"):
        return f"{command.capitalize()} of {target}" if target else command.capitalize()
    return " → ".join(part for part in (version or "the newest version", target) if part)


def _tone(end: str) -> str:
    if end in _GOOD:
        return "good"
    return "bad" if end in outcome.BREAKAGES else "neutral"


@dataclass(frozen=True)
class Span:
    """A stay in a state: epoch seconds, `left` None while the execution is in it."""

    entered: float
    left: float | None = None

    @property
    def seconds(self) -> float | None:
        return None if self.left is None else self.left - self.entered


def spans(told: Sequence[Json]) -> dict[str, Span]:
    """From the first time a state was entered to the last time it was left, by its name."""
    found: dict[str, Span] = {}
    for one in told:
        name, at = one["state"], one["at"]
        if one["kind"] == "entered":
            found[name] = Span(found[name].entered if name in found else at)
        elif one["kind"] == "exited" and name in found:
            found[name] = Span(found[name].entered, at)
    return found


def quoted(reason: str | None) -> str:
    """What a person wrote, at the end of a sentence; empty for nothing."""
    return f": “{escape(reason)}”" if reason else ""


def newest(client: Any, arn: str) -> list[Json]:
    """The newest events of an execution, newest first."""
    found = client.get_execution_history(executionArn=arn, maxResults=ENOUGH, reverseOrder=True)
    events: list[Json] = found["events"]
    return events


def brief(client: Any, found: Json, now: float, names: Mapping[str, str]) -> Story:
    """The story of one of ListExecutions."""
    events = newest(client, found["executionArn"])
    return story(facts(data(events), now), found["status"], history.events(reversed(events)), names)
