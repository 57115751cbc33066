"""What a person reads at once: a command's answer, a line in a modal, or what the response URL of a click brings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatops import http
from chatops.domain.errors import Refusal
from chatops.edge import fields
from chatops.messages.catalogue import reason_text
from chatops.network import deadline
from chatops.observability import logger
from chatops.slack import client as slack


def payload(form: Mapping[str, str]) -> Any:
    """The interaction; None for what is no JSON."""
    try:
        return json.loads(form["payload"])
    except (ValueError, RecursionError):
        return None


def tell(response_url: str, text: str) -> None:
    """Send the text to whoever pressed the button, if the response URL is one."""
    if usable := fields.url(response_url):
        deadline.recorded(text)
        deadline.tell()
        slack.respond(usable, timeout=1, response_type="ephemeral", replace_original=False, text=text)


def refused(refusal: Refusal, action: str, user: str, deployment_id: str = "") -> str:
    """The text for the person who was refused, and a line in the log for whoever looks into it later."""
    about = deployment_id or str(refusal.reason.values.get("id", ""))
    logger.warning("refused", why=refusal.reason.key, action=action, deployment_id=about[:80], user=user)
    return f"⚠️ {reason_text(refusal.reason)}"


def shown(form: Mapping[str, str], text: str, *, stands: bool = False, unheard: bool = False) -> dict[str, Any]:
    """The answer that shows the person this text.

    https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response: Slack ignores the body of a
    click's answer. `stands`: the text says what was recorded, so a modal need not stay. `unheard`: Slack has stopped
    waiting for the answer.
    """
    found = payload(form) if "payload" in form else None
    found = found if isinstance(found, dict) else {}
    if found.get("type") == "view_submission" and not stands:
        return http.answer(200, {"response_action": "errors", "errors": {"reason": text}})
    if found:
        tell(_response_url(found), text)
    elif unheard:
        tell(form.get("response_url", ""), text)
    if found.get("type") == "view_submission":
        return {"statusCode": 200, "body": ""}
    return http.answer(200, {"response_type": "ephemeral", "text": text})


def _response_url(found: dict[str, Any]) -> str:
    """Of a click, or of the click that opened the modal."""
    view = found.get("view")
    private = view.get("private_metadata") if isinstance(view, dict) else None
    kept = payload({"payload": private}) if isinstance(private, str) else None
    url = found.get("response_url") or (kept.get("response_url") if isinstance(kept, dict) else "")
    return url if isinstance(url, str) else ""
