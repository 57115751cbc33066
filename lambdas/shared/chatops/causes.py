"""What an error that the state machine caught says to people: `{"Error", "Cause"}` in, a catalogue's text out. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatops import errors

_LONGEST = 300


def words(error: Mapping[str, Any] | None, step: str = "") -> dict[str, Any]:
    """`{"key", "values"}` of the text that says why, or nothing for no error. With a `step` the text names it, and the
    error.

    A `Worded` error brings its own. Of our other errors the text is shown, which is made for people; of an error that
    is not ours only the name, since nobody knows what its text holds.
    """
    if not error:
        return {}
    if step:
        return _of_step(error, step)
    name, said = str(error.get("Error") or ""), _message(error)
    text, _, last = said.rpartition("\n")
    if text and (brought := _brought(last)):
        return brought
    return {"key": "why_error", "values": {"said": (said if said and _ours(name) else name)[:_LONGEST] or "unknown"}}


def _of_step(error: Mapping[str, Any], step: str) -> dict[str, Any]:
    name, why = str(error.get("Error") or "unknown")[:_LONGEST], words(error)
    said = why["values"]["said"] if why["key"] == "why_error" else why
    if said == name:
        return {"key": "why_step", "values": {"step": step, "error": name}}
    return {"key": "why_step_said", "values": {"step": step, "error": name, "said": said}}


def _message(error: Mapping[str, Any]) -> str:
    """A Lambda error's Cause is JSON: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    try:
        return str(json.loads(str(error.get("Cause", "")))["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return ""


def _brought(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
        return {"key": str(found["key"]), "values": dict(found["values"])}
    except (ValueError, KeyError, TypeError):
        return {}


def _ours(name: str) -> bool:
    found = getattr(errors, name, None)
    return isinstance(found, type) and issubclass(found, errors.ChatOpsError)
