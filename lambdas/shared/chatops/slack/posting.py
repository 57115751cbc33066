"""Posting: the deployment's message, short messages, and private answers. A Slack failure never fails a deployment."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from chatops import clock
from chatops.domain.codec import Json
from chatops.domain.deployment import Deployment
from chatops.domain.errors import ChatOpsError, InvalidConfiguration, SlackRefused, SlackUnavailable
from chatops.messages import buttons, card
from chatops.messages.catalogue import channel_link, say
from chatops.messages.view import View
from chatops.observability import logger
from chatops.settings.config import execution_url, settings
from chatops.settings.targets import targets
from chatops.slack import client
from chatops.store import messages, page_keys
from chatops.store.messages import Message
from chatops.store.table import table

# https://docs.slack.dev/reference/methods/chat.postMessage#errors, https://docs.slack.dev/reference/methods/chat.update#errors
GONE = frozenset(
    {
        *("message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"),
        "restricted_action_thread_locked",
    }
)
"""Somebody has deleted the message, or it can't be changed or answered any more: another one takes its place."""
CLOSED = frozenset(
    {
        *("cannot_reply_to_message", "channel_not_found", "is_archived", "is_inactive", "message_limit_exceeded"),
        *("no_permission", "not_in_channel", "restricted_action", "restricted_action_non_threadable_channel"),
        *("restricted_action_read_only_channel", "restricted_action_thread_only_channel", "team_not_found"),
    }
)
"""The channel takes no message of the bot's (any more): the configured one does, or the requester's direct messages."""
UNFIT = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
TROUBLE = (SlackUnavailable, SlackRefused, InvalidConfiguration)


def view_of(deployment: Deployment) -> View:
    """What messages show of the deployment now."""
    found, after = settings(), tuple[str, ...]()
    if deployment.outcome.end == "Deployed":
        after = tuple(name for name, one in targets().items() if one.policy.after == deployment.plan.target)
    page = ""
    if found.pages and found.api_url and deployment.planned:
        page = page_keys.address(table(), found.api_url, deployment.id, deployment.plan.started_at)
    return View(deployment, execution_url(deployment.execution_arn), clock.now(), found.gifs, after, page)


def show(seen: View, *, verify: bool = False) -> bool:
    """Post the deployment's message, or bring it up to date; False if Slack did not take it, or its text alone. Nothing
    is sent when nothing has changed. `verify`: it is sent all the same, so that a message that somebody has deleted is
    put back."""
    channel = seen.plan.channel
    if not channel:
        return True
    known = messages.get(table(), seen.id)
    message = card.message(seen)
    # the footer's clock moves all the time; it alone is no news
    mark = hashlib.sha256(json.dumps(message["blocks"][:-1], sort_keys=True).encode()).hexdigest()[:16]
    if known.fingerprint == mark and not verify:
        return True
    if _held(known):
        return False
    try:
        whole = _write(seen.id, channel, known, message)
    except TROUBLE as error:
        _not_taken(seen.id, error)
        if isinstance(error, SlackRefused) and error.code in CLOSED:
            _inform(seen, known, error)
        return False
    if not whole:
        return False  # so that it is tried again
    messages.shown(table(), seen.id, mark, message if buttons.are_to_be_retired(seen) else None)
    return True


def retire(deployment_id: str, line: str = "") -> None:
    """Take the buttons off the message of a deployment that is not live any more, or about to be rolled
    back. Where Slack does not take it the button stays, and refuses."""
    known = messages.get(table(), deployment_id)
    if not known.live:
        return
    message = card.retired(known.live, line)
    try:
        _fitting("chat.update", channel=known.channel, ts=known.ts, **message)
    except TROUBLE as error:
        _not_taken(deployment_id, error)
    else:
        messages.retired(table(), deployment_id)


def _held(known: Message) -> bool:
    """True while Slack wants to be left alone about this deployment."""
    return clock.now() < known.not_before


def _not_taken(deployment_id: str, error: ChatOpsError) -> None:
    logger.warning("slack did not take the message", reason=error.text)
    if isinstance(error, SlackUnavailable) and error.wait_seconds:
        messages.hold(table(), deployment_id, clock.now() + error.wait_seconds)


def _write(deployment_id: str, channel: str, known: Message, message: card.Message) -> bool:
    """False if Slack took its text alone."""
    if known.ts:
        try:
            return _fitting("chat.update", channel=known.channel, ts=known.ts, **message)[1]
        except SlackRefused as error:
            if error.code not in GONE | CLOSED:
                raise
    answer, whole = _post(list(dict.fromkeys(filter(None, (known.channel or channel, settings().channel)))), message)
    messages.posted(table(), deployment_id, str(answer["channel"]), str(answer["ts"]), instead_of=known.ts)
    return whole


def _post(channels: list[str], message: card.Message) -> tuple[Json, bool]:
    """Slack's answer, with the first of the channels that takes the message; and whether it took more than its text."""
    for channel in channels:
        try:
            answer, whole = _fitting("chat.postMessage", channel=channel, unfurl_links=False, **message)
            return {**answer, "channel": str(answer.get("channel", channel))}, whole
        except SlackRefused as error:
            if error.code not in CLOSED or channel == channels[-1]:
                raise
            logger.warning("slack takes no message in this channel", channel=channel, reason=error.text)
    raise AssertionError("unreachable: the last channel returns or raises")  # pragma: no cover


def _inform(seen: View, known: Message, error: SlackRefused) -> None:
    """Say once, in a direct message, that nobody can see the deployment: it goes on, and may wait for an approval."""
    if not seen.requester or "closed" in known.said:
        return
    text = say(
        "channel_closed",
        version=seen.version,
        target=seen.target,
        place=channel_link(known.channel or seen.plan.channel),
        code=error.code,
        id=seen.id,
    )
    if openly(seen.requester, text):
        messages.noted(table(), seen.id, "closed")


def _fitting(method: str, *, blocks: list[dict[str, Any]], **arguments: Any) -> tuple[dict[str, Any], bool]:
    """As much of a message as Slack takes, and whether that was more than its text. It refuses one whose image it
    cannot fetch: a bad GIF URL must not break it."""
    bare = [block for block in blocks if block["type"] != "image"]
    for kept in (blocks, bare, []) if len(bare) < len(blocks) else (blocks, []):
        try:
            return client.call(method, blocks=kept, **arguments), bool(kept)
        except SlackRefused as error:
            if error.code not in UNFIT or not kept:
                raise
            logger.warning("slack refused blocks", reason=error.text)
    raise AssertionError("unreachable: without blocks it returns or raises")  # pragma: no cover


def is_posted(deployment_id: str, mark: str) -> bool:
    """Whether the short message of this mark has been posted."""
    return mark in messages.get(table(), deployment_id).said


def short(
    deployment_id: str,
    mark: str,
    text: str,
    blocks: list[Json] | None = None,
    *,
    in_thread: bool = True,
    everywhere: bool = False,
) -> bool:
    """A short message beside the deployment's, once per `mark`; False if Slack did not take it. Where the deployment's
    message is gone, that is forgotten, so that it is posted anew. A closed channel may be open again the next time: the
    message stays the same one if Slack then changes it, and is posted in another channel if not."""
    known = messages.get(table(), deployment_id)
    if not known.ts or mark in known.said:
        return True
    if _held(known):
        return False
    thread: dict[str, Any] = {"thread_ts": known.ts, "reply_broadcast": everywhere or None} if in_thread else {}
    try:
        client.call("chat.postMessage", channel=known.channel, text=text, blocks=blocks, **thread)
    except TROUBLE as error:
        _not_taken(deployment_id, error)
        if isinstance(error, SlackRefused) and error.code in GONE:
            messages.forgotten(table(), deployment_id, known.ts)
        elif isinstance(error, SlackRefused) and error.code in CLOSED:
            messages.doubted(table(), deployment_id)
        return False
    # afterwards: a crash in between repeats a message, the other way round it would lose one
    messages.noted(table(), deployment_id, mark)
    return True


def openly(channel: str, text: str) -> bool:
    """A message of its own in a channel, or in the direct messages of a user; False if Slack did not take it. Nothing
    without one."""
    if not channel:
        return True
    try:
        client.call("chat.postMessage", channel=channel, text=text)
    except TROUBLE as error:
        logger.warning("slack did not take the message", reason=error.text)
        return False
    return True


def privately(user: str, channel: str, response_url: str, text: str, blocks: list[Json] | None = None) -> bool:
    """A message for one person: through the response URL while there is one, else as an ephemeral message. A click's
    URL would replace the message with the button, for everybody.

    https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
    """
    message: dict[str, Any] = {"text": text, **({"blocks": blocks} if blocks else {})}
    answer = {"response_type": "ephemeral", "replace_original": False, **message}
    if response_url and client.respond(response_url, **answer):
        return True
    if not (user and channel):
        return not response_url
    try:
        client.call("chat.postEphemeral", channel=channel, user=user, **message)
    except TROUBLE as error:
        logger.warning("slack did not take the answer", reason=error.text)
        return False
    return True
