"""An execution's history as the page shows it: events, the way through the graph, what happened in a state. Pure."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

TROUBLE = ("Failed", "TimedOut", "Aborted")
WAITED = "TaskTimedOut"
"""How most token waits end: nobody answered within the interval, so the machine looks for itself. No trouble."""
ATTEMPT = ("TaskScheduled", "LambdaFunctionScheduled")
MAX_DETAIL = 500


def events(found: Iterable[Mapping[str, Any]]) -> list[Json]:
    """History events, each with the state that it belongs to.

    The machine has no branches that run side by side, so that is the state entered last. `kind` is `entered`,
    `exited`, `waited`, `trouble`, or empty for what happens inside a state.
    """
    told: list[Json] = []
    state, first = "", None
    for event in found:
        kind = _kind(event["type"])
        at = epoch(event["timestamp"]) or 0.0
        first = at if first is None else first
        if kind == "entered":
            state = str(event["stateEnteredEventDetails"]["name"])
        elif kind == "exited":
            state = str(event["stateExitedEventDetails"]["name"])
        whole = event["type"].startswith("Execution")
        told.append(
            {
                "id": event["id"],
                "type": event["type"],
                "kind": kind,
                "state": "" if whole else state,
                "at": at,
                "elapsed": round(max(at - first, 0), 3),
                "detail": _detail(event),
            }
        )
    return told


def current_state(told: list[Json]) -> str:
    """The state entered last; that of an execution which has ended is where it ended."""
    return next((str(one["state"]) for one in reversed(told) if one["kind"] == "entered"), "")


def way(told: list[Json], status: str) -> Json:
    """The way through the graph: `edges` are the pairs of states entered one after the other, `states` says of each
    state that was entered how it stands: `now`, `done`, `caught` (an error led out of it) or `failed` (it ended there).
    """
    entered = [str(one["state"]) for one in told if one["kind"] == "entered"]
    states = dict.fromkeys(entered, "done")
    for at, one in enumerate(told):
        if one["kind"] == "entered":
            states[one["state"]] = "done"  # only how it was left last counts
        elif one["kind"] == "trouble" and one["state"] and not _tried_again(told[at + 1 :]):
            states[one["state"]] = "caught"
    if entered:
        states[entered[-1]] = {"RUNNING": "now", "SUCCEEDED": "done"}.get(status, "failed")
    edges = dict.fromkeys(pairwise(entered))
    return {"states": states, "edges": [list(edge) for edge in edges]}


def _tried_again(later: list[Json]) -> bool:
    """Whether after an error the same state goes on: a Retry, whose next attempt comes before anything else is entered
    or left."""
    for one in later:
        if one["type"] in ATTEMPT:
            return True
        if one["kind"] in ("entered", "exited"):
            return False
    return False


def visits(found: Iterable[Mapping[str, Any]], state: str) -> list[Json]:
    """Every stay in a state: its input and output (parsed), errors in order, and how many retries there were.

    `left` is None while the execution is in it. Times in epoch seconds.
    """
    told: list[Json] = []
    inside = False
    for event in found:
        kind, at = _kind(event["type"]), epoch(event["timestamp"])
        if kind == "entered":
            details = event["stateEnteredEventDetails"]
            inside = details["name"] == state
            if inside:
                told.append({"input": _data(details.get("input")), "output": None, "errors": [], "attempts": 0})
                told[-1] |= {"entered": at, "left": None}
        elif inside and kind == "exited":
            told[-1] |= {"output": _data(event["stateExitedEventDetails"].get("output")), "left": at}
        elif inside:
            told[-1]["attempts"] += event["type"] in ATTEMPT
            if kind == "trouble":
                told[-1]["errors"].append({"type": event["type"], "at": at, "detail": _detail(event)})
            if event["type"].startswith("Execution"):
                told[-1]["left"] = at  # an end is entered and never left
    for visit in told:
        visit["retries"] = max(visit.pop("attempts") - 1, 0)
    return told


def cause(text: str) -> str:
    """A Lambda's cause is a JSON object with a stack trace: only its message is for reading."""
    try:
        inside = json.loads(text)
    except ValueError:
        inside = None
    if isinstance(inside, dict) and inside.get("errorMessage"):
        text = str(inside["errorMessage"]).partition("\n{")[0]  # the words in which it travels, for programs
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


def epoch(moment: Any) -> float | None:
    """Seconds, of a moment as boto3 gives it."""
    return moment.timestamp() if isinstance(moment, dt.datetime) else None


def _kind(event_type: str) -> str:
    if event_type.endswith("StateEntered"):
        return "entered"
    if event_type.endswith("StateExited"):
        return "exited"
    if event_type == WAITED:
        return "waited"
    return "trouble" if event_type.endswith(TROUBLE) else ""


def _detail(event: Mapping[str, Any]) -> str:
    """The error and its cause, where the event has them."""
    for key, value in event.items():
        if key.endswith("EventDetails") and isinstance(value, Mapping) and ("error" in value or "cause" in value):
            parts = (str(value.get("error") or ""), cause(str(value.get("cause") or "")))
            return ": ".join(part for part in parts if part)
    return ""


def _data(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text
