"""What arrives at POST /slack/events: commands, clicks, modals, URL verification."""

from __future__ import annotations

import json
import queue
import threading
import time
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from chatops import config, http, observability, secrets
from chatops.edge import clicks, commands, fields
from chatops.edge.limits import BUDGET, PATIENCE
from chatops.edge.signature import plausible, verified
from chatops.errors import InvalidConfiguration, UnknownSchema
from chatops.messages.catalogue import say

UNSIGNED = {"message": "The request's signature does not hold."}


def handle(event: Any) -> dict[str, Any]:
    """The HTTP answer, for whatever bytes arrive: never an exception, never a 5xx."""
    began = monotonic()
    raw = http.body(event)
    if raw is None:
        return http.answer(413 if _oversized(event) else 400, {"message": "The body is unusable."})
    if isinstance(event, dict) and "requestContext" not in event:
        # not through API Gateway: the console's test event, by somebody who may invoke the function anyway
        found = _json(raw)
        if found.get("type") == "url_verification" and isinstance(found.get("challenge"), str):
            return {"statusCode": 200, "body": fields.text(found["challenge"])}
    if not _signed(http.headers(event), raw):
        return http.answer(401, UNSIGNED)
    found = _json(raw)
    if found.get("type") == "url_verification":
        challenge = found.get("challenge")
        return http.answer(200, fields.text(challenge) if isinstance(challenge, str) else "", "text/plain")
    # a secret that was slow to come has used some of the time
    return within(BUDGET - (monotonic() - began), _form(raw))


def within(seconds: float, form: dict[str, str]) -> dict[str, Any]:
    """`deliver`, or an answer without it after so many seconds: Slack waits no longer than three. What is under way
    then goes on where it can; what it recorded without waking the execution, `sweep` delivers."""
    answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(deliver(form)), name="delivery", daemon=True).start()
    try:
        return answers.get(timeout=max(0.0, seconds))  # the secret alone may have used up more than there was
    except queue.Empty:
        return _trouble(TimeoutError())


def _oversized(event: dict[str, Any]) -> bool:
    text = event.get("body")  # only a dict has an unusable one
    return isinstance(text, str) and len(text) > http.MAX_BODY


def _json(raw: bytes) -> dict[str, Any]:
    if not raw.lstrip().startswith(b"{"):
        return {}
    try:
        found: dict[str, Any] = json.loads(raw)  # nothing else begins with a brace
    except (ValueError, RecursionError):
        return {}
    return found


def _form(raw: bytes) -> dict[str, str]:
    try:
        found = parse_qs(raw.decode(), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return {}
    return {k: v[0] for k, v in found.items()}


def _signed(headers: dict[str, str], raw: bytes) -> bool:
    """Checked with the secret as it is known; read afresh (rarely) when it does not hold: it may have been rotated."""
    now = time.time()
    if not plausible(headers, now):
        return False
    for fresh in (False, True):
        try:
            secret = secrets.optional(secrets.SLACK_SIGNING_SECRET, fresh=fresh, patience=PATIENCE)
        except Exception:  # noqa: BLE001 - no secret to be had: nothing is accepted, and nothing else happens
            return False
        if verified(headers, raw, secret, now):
            return True
    return False


def deliver(form: dict[str, str]) -> dict[str, Any]:
    """Act on a delivery that is known to come from Slack (signed, or through Socket Mode)."""
    try:
        config.settings()  # what is wrong with them is told before anything is started
        if "payload" in form:
            return clicks.answer(_payload(form["payload"]))
        if form.get("command"):
            return commands.answer(form)
    except Exception as error:  # noqa: BLE001 - the edge never answers 5xx; Slack would only show its own error
        return _trouble(error)
    return http.answer(400, {"message": "This is neither a command nor an interaction."})


def _payload(text: str) -> Any:
    """The interaction; None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _trouble(error: Exception) -> dict[str, Any]:
    observability.logger.error("the edge met trouble", error=type(error).__name__)
    observability.emit({"EdgeTroubles": 1})
    if isinstance(error, InvalidConfiguration):
        text = say("misconfigured", said=error.words)
    elif isinstance(error, UnknownSchema):
        text = say(error.key, error.values)
    else:
        text = say("late" if isinstance(error, TimeoutError) else "click_failed")
    return http.answer(200, {"response_type": "ephemeral", "text": f"⚠️ {text}"})
