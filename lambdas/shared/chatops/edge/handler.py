"""What arrives at POST /slack/events: commands, interactions, modals, URL verification."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from chatops import http, observability
from chatops.domain import command_names
from chatops.domain.errors import InvalidConfiguration, UnknownSchema
from chatops.edge import BUDGET, PATIENCE, REPLY_BUDGET, SIGNING, SLACK, commands, fields, replies
from chatops.edge.signature import plausible, verified
from chatops.messages.catalogue import reason_text, say
from chatops.network.deadline import Deadline, TooLateError
from chatops.settings import config, secrets

UNSIGNED = {"message": "The request's signature does not hold."}
_LONGEST_START = 10.0
"""Seconds: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib"""
_CLOCKS_APART = 2.0
"""Seconds that the request's time at API Gateway may be off its signature's."""


def handle(event: Any) -> dict[str, Any]:
    """The HTTP answer, for whatever bytes arrive: never an exception, never a 5xx."""
    headers = http.headers(event)
    began = monotonic() - _age(event, headers)
    raw = http.body(event)
    if raw is None:
        return http.answer(413 if _oversized(event) else 400, {"message": "The body is unusable."})
    if isinstance(event, dict) and "requestContext" not in event:
        # not through API Gateway: the console's test event, by somebody who may invoke the function anyway
        found = _json(raw)
        if found.get("type") == "url_verification" and isinstance(found.get("challenge"), str):
            return {"statusCode": 200, "body": fields.text(found["challenge"])}
    if b"ssl_check=1" in raw and _form(raw).get("ssl_check") == "1":
        # Slack looks at the certificate and wants a 200; there is nothing in it to act on, so nothing to verify
        # https://docs.slack.dev/interactivity/implementing-slash-commands
        return {"statusCode": 200, "body": ""}
    if not _signed_in_time(headers, raw):
        return http.answer(401, UNSIGNED)
    found = _json(raw)
    if found.get("type") == "url_verification":
        challenge = found.get("challenge")
        return http.answer(200, fields.text(challenge) if isinstance(challenge, str) else "", "text/plain")
    # a secret that was slow to come has used some of the time
    return within(BUDGET - (monotonic() - began), _form(raw))


def within(seconds: float, form: dict[str, str]) -> dict[str, Any]:
    """`deliver`, or after so many seconds an answer without it: nothing of it happens afterwards, and the person is
    told whether something may have happened before. What it recorded without waking the execution, `sweep` delivers."""
    limit = Deadline(seconds, REPLY_BUDGET)
    try:
        return limit.run(partial(deliver, form))
    except TooLateError:
        return _late(limit, form, unheard=seconds < BUDGET - SLACK)


def _late(limit: Deadline, form: dict[str, str], *, unheard: bool) -> dict[str, Any]:
    _note(TimeoutError())
    text = limit.text or f"⚠️ {say('late_maybe' if limit.maybe else 'late')}"
    if limit.replying and not unheard:
        return {"statusCode": 200, "body": ""}
    try:
        return Deadline(REPLY_BUDGET).run(partial(replies.shown, form, text, stands=bool(limit.text), unheard=unheard))
    except TooLateError:
        return http.answer(200, {"response_type": "ephemeral", "text": text})


def _age(event: Any, headers: dict[str, str]) -> float:
    """Seconds since the request reached API Gateway: the function may have had to start first. An event that names
    another time than its signature, or one that is long past, is none that has just arrived."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    arrived = context.get("timeEpoch") if isinstance(context, dict) else None
    signed_at = headers.get("x-slack-request-timestamp", "")
    if not isinstance(arrived, int) or not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) < 12):
        return 0.0
    age = time.time() - arrived / 1000
    return age if 0 < age <= _LONGEST_START and abs(arrived / 1000 - int(signed_at)) <= _CLOCKS_APART else 0.0


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


def _signed_in_time(headers: dict[str, str], raw: bytes) -> bool:
    now = time.time()
    if not plausible(headers, now):
        return False
    try:
        return Deadline(SIGNING).run(partial(_signed, headers, raw, now))
    except TooLateError:
        return False


def _signed(headers: dict[str, str], raw: bytes, now: float) -> bool:
    """Checked with the secret as it is known; read afresh (rarely) when it does not hold: it may have been rotated."""
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
    command_names.use(command_names.prefix_of(form.get("command", "")))
    try:
        config.settings()  # what is wrong with them is told before anything is started
        if "payload" in form:
            # a command, which comes more often and first, does without all that a button may need
            from chatops.edge import interactions

            return interactions.answer(replies.payload(form))
        if form.get("command"):
            return commands.answer(form)
    except Exception as error:  # noqa: BLE001 - the edge never answers 5xx; Slack would only show its own error
        return _trouble(error, form)
    return http.answer(400, {"message": "This is neither a command nor an interaction."})


def _note(error: Exception) -> None:
    observability.logger.error("the edge met trouble", error=type(error).__name__)
    observability.emit({"EdgeTroubles": 1})


def _trouble(error: Exception, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    _note(error)
    if isinstance(error, InvalidConfiguration):
        text = say("misconfigured", said=error.reason)
    elif isinstance(error, UnknownSchema):
        text = reason_text(error.reason)
    else:
        text = say("late_maybe" if isinstance(error, TimeoutError) else "click_failed")
    return replies.shown(form or {}, f"⚠️ {text}")
