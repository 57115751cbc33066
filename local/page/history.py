"""An execution's history as the page shows it: events, the way through the graph, what happened in a state. Pure."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

TROUBLE = ("Failed", "TimedOut", "Aborted")
WAITED = "TaskTimedOut"
"""How most token waits end: nobody answered within the interval, so the machine looks for itself. No trouble."""
PHASE = "ParallelState"
"""How the types of a phase's own events begin."""
ATTEMPT = ("TaskScheduled", "LambdaFunctionScheduled")
MAX_DETAIL = 500


def events(found: Iterable[Mapping[str, Any]]) -> list[Json]:
    """History events, each with the state that it belongs to.

    `kind` is `entered`, `exited`, `waited`, `trouble`, or empty for what happens inside a state.
    """
    told: list[Json] = []
    first = None
    for event, kind, state in _belonging(found):
        at = epoch(event["timestamp"]) or 0.0
        first = at if first is None else first
        detail = _detail(event)
        if event["type"] == f"{PHASE}Failed":  # says no error of its own: it is the one that came out of the phase
            detail = next((one["detail"] for one in reversed(told) if one["kind"] == "trouble"), "")
        told.append(
            {
                "id": event["id"],
                "type": event["type"],
                "kind": kind,
                "state": "" if event["type"].startswith("Execution") else state,
                "at": at,
                "elapsed": round(max(at - first, 0), 3),
                "detail": detail,
            }
        )
    return told


def _belonging(found: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """Each event with its kind and the state that it belongs to: the one entered last, or the phase itself.

    A phase is a `Parallel` state with one branch: nothing in the machine runs side by side.
    """
    state, phases = "", [""]
    for event in found:
        kind = _kind(event["type"])
        if kind == "entered":
            state = str(event["stateEnteredEventDetails"]["name"])
        elif kind == "exited":
            state = str(event["stateExitedEventDetails"]["name"])
        elif event["type"].startswith(PHASE):
            state = phases[-1]
        if event["type"] == f"{PHASE}Entered":
            phases.append(state)
        elif event["type"] == f"{PHASE}Exited" and state in phases:
            del phases[phases.index(state) :]
        yield event, kind, state


def current_state(told: list[Json]) -> str:
    """The state entered last, inside a phase if that was not left; of an execution which has ended, where it ended."""
    moves = [one for one in told if one["kind"] == "entered" or one["type"] == f"{PHASE}Exited"]
    return str(moves[-1]["state"]) if moves else ""


def way(told: list[Json], status: str) -> Json:
    """The way through the graph: `edges` are the pairs of states entered one after the other, `states` says of each
    state that was entered how it stands: `now`, `done`, `caught` (an error led out of it) or `failed` (it ended there).

    A phase that is entered leads to its first state, and its last state leads back to it unless an error led out. Both
    a state and the phase around it are `now` while the execution is there.
    """
    states: dict[str, str] = {}
    edges: dict[tuple[str, str], None] = {}
    within: list[str] = []
    before = ""
    for at, one in enumerate(told):
        name = one["state"]
        if one["kind"] == "entered":
            states[name] = "done"  # only how it was left last counts
        elif one["kind"] == "trouble" and name and not _tried_again(told[at + 1 :]):
            states[name] = "caught"
        left = one["type"] == f"{PHASE}Exited"
        if left:
            within = within[: within.index(name)]
        if one["kind"] == "entered" or (left and states[name] != "caught"):
            edges[before, name] = None
        if one["kind"] == "entered" or left:
            before = name
        if one["type"] == f"{PHASE}Entered":
            within.append(name)
    here = {"RUNNING": "now", "SUCCEEDED": "done"}.get(status, "failed")
    states |= {name: here for name in (*within, before) if name}
    return {"states": states, "edges": [list(edge) for edge in edges if edge[0]]}


def _tried_again(later: list[Json]) -> bool:
    """Whether after an error the same state goes on: a Retry, whose next attempt comes before anything else is entered
    or left."""
    for one in later:
        if one["type"] in ATTEMPT:
            return True
        if one["kind"] in ("entered", "exited"):
            return False
    return False


def visits(found: Sequence[Mapping[str, Any]], state: str) -> list[Json]:
    """Every stay in a state: its input and output (parsed), errors in order, and how many retries there were.

    `left` is None while the execution is in it. Times in epoch seconds.
    """
    told: list[Json] = []
    inside = False
    for event, told_event in zip(found, events(found), strict=True):
        kind, at = told_event["kind"], epoch(event["timestamp"])
        whole = event["type"].startswith("Execution")
        if kind == "entered" and told_event["state"] == state:
            inside = True
            told.append({"input": _data(event["stateEnteredEventDetails"].get("input")), "output": None, "errors": []})
            told[-1] |= {"attempts": 0, "entered": at, "left": None}
        elif inside and kind == "exited" and told_event["state"] == state:
            inside = False
            told[-1] |= {"output": _data(event["stateExitedEventDetails"].get("output")), "left": at}
        elif inside and (whole or told_event["state"] == state):
            told[-1]["attempts"] += event["type"] in ATTEMPT
            if kind == "trouble":
                told[-1]["errors"].append({"type": event["type"], "at": at, "detail": told_event["detail"]})
            if whole:
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
