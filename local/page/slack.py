"""What a person does in Slack, done on the page: typed or pressed here, it goes out through SlackUser, signed, to the
bot's real request URL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Blueprint, abort, request

from fakes.slack import Answer, Message, Slack, SlackUser, View
from local.page.shapes import Json


class People:
    """People in one channel. `routes` is what a web application mounts."""

    def __init__(
        self, slack: Slack, user: SlackUser, channel: str, commands: list[str], actors: Collection[str]
    ) -> None:
        self._slack, self._user, self._channel, self._commands = slack, user, channel, commands
        self._actors = actors
        self.routes = Blueprint("people", __name__)
        for name, view in (
            ("slash", self.slash),
            ("click", self.click),
            ("submit", self.submit),
            ("close", self.close),
        ):
            self.routes.add_url_rule(f"/{name}", view_func=view, methods=["POST"])

    def slash(self) -> Json:
        """`{command, text, user}`: type a slash command in the channel."""
        asked = body()
        command, user = text(asked, "command"), self._actor(asked)
        if command not in self._commands:
            abort(400, f"{command} is not a valid command here. There are {', '.join(self._commands)}.")
        return _answered(self._user.slash(command, text(asked, "text", ""), user, self._channel))

    def click(self) -> Json:
        """`{ts, channel, action_id, user}`: press a button."""
        asked = body()
        user = self._actor(asked)
        message = self._message(text(asked, "channel"), text(asked, "ts"), user)
        try:
            return _answered(self._user.click(message, text(asked, "action_id"), user))
        except LookupError:
            abort(409, "That button is gone: the message has changed.")

    def submit(self) -> Json:
        """`{view_id, values, user}`: send a modal off, with what was typed by block_id."""
        asked = body()
        view = self._view(asked)
        values = asked.get("values")
        if not isinstance(values, dict):
            abort(400, "`values` should be an object.")
        try:
            return _answered(self._user.submit(view, values))
        except LookupError as error:
            abort(400, str(error.args[0] if error.args else error))

    def close(self) -> Json:
        """`{view_id, user}`: close a modal without sending it."""
        self._user.close(self._view(body()))
        return {"status": 200, "in_time": True}

    def _message(self, channel: str, ts: str, user: str) -> Message:
        found = self._slack.space.store.find(channel, ts)
        if found is None or found.ephemeral_to not in (None, user):
            abort(404, "That message is gone.")
        return found

    def _view(self, asked: Json) -> View:
        """A modal that this person has open."""
        wanted, user = text(asked, "view_id"), self._actor(asked)
        found = self._slack.space.store.find_view(wanted)
        if found is None or found.user != user:
            abort(404, "That dialog is closed.")
        return found

    def _actor(self, asked: Json) -> str:
        user = text(asked, "user")
        if user not in self._actors:
            abort(400, f"`user` should be one of {', '.join(self._actors)}.")
        return user


def body() -> Json:
    """The request's JSON object; else the answer is 400."""
    found: Any = request.get_json(silent=True)
    if not isinstance(found, dict):
        abort(400, "Send a JSON object.")
    return found


def text(asked: Json, key: str, default: str | None = None) -> str:
    """A text of it; else the answer is 400."""
    value = asked.get(key, default)
    if not isinstance(value, str):
        abort(400, f"`{key}` should be a text.")
    return value


def _answered(answer: Answer) -> Json:
    """How the app answered; what it said is in the channel."""
    return {"status": answer.status, "in_time": answer.in_time, "seconds": round(answer.seconds, 3)}
