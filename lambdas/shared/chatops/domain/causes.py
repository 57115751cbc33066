"""Why a step failed, from the error that the state machine caught: `{"Error", "Cause"}` in, a reason out. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatops.domain import errors
from chatops.domain.reason import Reason

_LONGEST = 300


def reason_of(error: Mapping[str, Any] | None, step: str = "") -> Reason | None:
    """Why, or None for no error. With a `step` the reason names it, and the error.

    Our own errors bring a reason, or at least a text that is made for people. Of any other error only the name is
    shown, since its text may hold anything.
    """
    if not error:
        return None
    name, message = str(error.get("Error") or ""), _message(error)
    text, _, last = message.rpartition("\n")
    why = _brought(last) if text else None
    if why is None:
        shown = (message if message and _is_ours(name) else name)[:_LONGEST] or "unknown"
        why = Reason("why_error", said=shown)
    return _of_step(why, step, name[:_LONGEST] or "unknown") if step else why


def _of_step(why: Reason, step: str, name: str) -> Reason:
    said = why.values["said"] if why.key == "why_error" else why
    return (
        Reason("why_step", step=step, error=name)
        if said == name
        else Reason("why_step_said", step=step, error=name, said=said)
    )


def _message(error: Mapping[str, Any]) -> str:
    """A Lambda error's Cause is JSON: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html"""
    try:
        return str(json.loads(str(error.get("Cause", "")))["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return ""


def _brought(line: str) -> Reason | None:
    try:
        return Reason.from_json(json.loads(line))
    except ValueError:
        return None


def _is_ours(name: str) -> bool:
    found = getattr(errors, name, None)
    return isinstance(found, type) and issubclass(found, errors.ChatOpsError)
