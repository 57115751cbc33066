"""Messages that come back without a token: through a response_url, or as the answer to a slash command.

https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

from __future__ import annotations

from fakes.slack.errors import SlackError
from fakes.slack.store import Json, Message
from fakes.slack.tickets import ResponseUrl
from fakes.slack.workspace import Workspace


def respond(space: Workspace, url: ResponseUrl, body: Json) -> None:
    """Do what a POST to a response_url asks for. Raises SlackError.

    The bot need not be in the channel. A message that was clicked is replaced unless `replace_original` is
    false; what a command was answered with never is: https://github.com/slackapi/bolt-js/issues/2287,
    https://github.com/slackapi/bolt-python/issues/1268
    """
    clicked = space.store.find(url.channel, url.message_ts) if url.message_ts else None
    if clicked is not None and body.get("delete_original") is True:
        space.store.delete(clicked)
        return
    text, kept = space.content(body.get("text"), body.get("blocks"))
    if clicked is not None and body.get("replace_original", True) is True:
        space.store.edit(clicked, text, kept, space.clock.now())
        return
    show(space, url.channel, url.user, body, "response_url")


def show(space: Workspace, channel: str, user: str, body: Json, via: str) -> Message:
    """Post what an app answered: to everybody if it is `in_channel`, else to the one who asked."""
    text, kept = space.content(body.get("text"), body.get("blocks"))
    response_type = body.get("response_type", "ephemeral")
    if response_type not in ("ephemeral", "in_channel"):
        raise SlackError("invalid_arguments", "response_type")
    ephemeral_to = None if response_type == "in_channel" else user
    return space.post(channel, text, kept, ephemeral_to=ephemeral_to, thread_ts=body.get("thread_ts"), via=via)
