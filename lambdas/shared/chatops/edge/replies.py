"""What a person reads at once: a command's answer, a line in a modal, or what the response URL of a click brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatops import http
from chatops.domain.errors import ChatOpsError, Refusal
from chatops.edge import fields
from chatops.messages import modals
from chatops.messages.catalogue import reason_text
from chatops.network import deadline
from chatops.observability import logger
from chatops.slack import client as slack
from chatops.values import dataclass


def payload(form: Mapping[str, str]) -> Any:
    """The interaction; None for what is no JSON."""
    try:
        return json.loads(form["payload"])
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who reads the answer, and where; each is empty where it isn't known."""

    user: str = ""
    channel: str = ""
    response_url: str = ""


def addressee(found: Any) -> Addressee:
    """Of a click, or of a modal: where the click was that opened it."""
    kept = payload({"payload": text(found, "view", "private_metadata") or "null"})
    return Addressee(
        user=fields.user(text(found, "user", "id")),
        channel=fields.place(text(found, "channel", "id") or text(kept, "channel")),
        response_url=fields.url(text(found, "response_url") or text(kept, "response_url")),
    )


def text(source: Any, *path: str) -> str:
    """The text at this path of Slack's JSON, empty where there is none."""
    for name in path:
        source = source.get(name) if isinstance(source, dict) else None
    return source if isinstance(source, str) else ""


def send(who: Addressee, answer: str) -> None:
    """Send the answer to one person: through the response URL, and where that is used up (30 minutes, five times), as
    an ephemeral message. https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""
    deadline.recorded(answer)
    deadline.replying()
    message = {"response_type": "ephemeral", "replace_original": False, "text": answer}
    if who.response_url and slack.respond(who.response_url, timeout=1, **message):
        return
    if who.user and who.channel:
        try:
            slack.call("chat.postEphemeral", channel=who.channel, user=who.user, text=answer)
        except ChatOpsError as error:
            logger.warning("slack did not take the answer", reason=error.text)


def in_modal(answer: str) -> dict[str, Any]:
    """The answer to a modal that is sent off: it stays open and shows this answer.

    https://docs.slack.dev/surfaces/modals#updating_response
    """
    return http.answer(200, {"response_action": "update", "view": modals.notice(answer)})


def refused(refusal: Refusal, action: str, user: str, deployment_id: str = "") -> str:
    """The text for the person who was refused, and a line in the log for whoever looks into it later."""
    about = deployment_id or str(refusal.reason.values.get("id", ""))
    logger.warning("refused", why=refusal.reason.key, action=action, deployment_id=about[:80], user=user)
    return f"⚠️ {reason_text(refusal.reason)}"


def shown(form: Mapping[str, str], answer: str, *, stands: bool = False, unheard: bool = False) -> dict[str, Any]:
    """The HTTP answer that shows the person this one.

    https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response: Slack ignores the body of a
    click's answer. `stands`: it says what was recorded, so a modal need not stay. `unheard`: Slack has stopped
    waiting for the answer.
    """
    found = payload(form) if "payload" in form else None
    found = found if isinstance(found, dict) else {}
    if found.get("type") == "view_submission" and not stands:
        return in_modal(answer)
    if found:
        send(addressee(found), answer)
    elif unheard:
        send(Addressee(response_url=fields.url(form.get("response_url", ""))), answer)
    if found.get("type") == "view_submission":
        return {"statusCode": 200, "body": ""}
    return http.answer(200, {"response_type": "ephemeral", "text": answer})
