"""The page's server: what there is, what changes, and the three things a person does in Slack.

The page is a client, not a shortcut: whatever is typed or pressed goes out through SlackUser, signed, to the real
request URL. Nothing here decides anything.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml
from botocore.exceptions import ClientError
from flask import Flask, Response, abort, request, send_from_directory
from werkzeug.exceptions import HTTPException

from local.page import shapes
from local.page.feed import Feed, Watcher
from local.page.shapes import ACTORS, Json
from local.slack import Answer, Message, Slack, SlackUser, View
from local.slack.directory import C_DEPLOY
from local.slack.store import Change

STATIC = Path(__file__).parent / "static"
MANIFEST = Path(__file__).resolve().parents[2] / "slack-manifest.yaml"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
NOT_THERE = {"ExecutionDoesNotExist", "InvalidArn", "ValidationException", "InvalidName"}
# Nothing but the page's own files runs; pictures come from wherever a message says.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class World(Protocol):
    """What the page needs of the local run."""

    @property
    def slack(self) -> Slack: ...
    @property
    def user(self) -> SlackUser: ...
    @property
    def sfn(self) -> Any: ...
    @property
    def machine_arn(self) -> str: ...
    @property
    def url(self) -> str: ...


class Page:
    """The page of one world, for people in one channel. `app` is the WSGI application; close it when done."""

    def __init__(self, world: World, channel: str = C_DEPLOY) -> None:
        self._world, self._channel = world, channel
        self._commands = _commands()
        self.feed = Feed()
        self.watcher = Watcher(world.sfn, world.machine_arn, self.feed)
        world.slack.on_change.append(self._changed)
        self.app = self._app()

    def close(self) -> None:
        """Stop watching, and end the streams of open pages."""
        if self._changed in self._world.slack.on_change:
            self._world.slack.on_change.remove(self._changed)
        self.feed.close()
        self.watcher.close()

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.before_request(self._guard)
        app.after_request(_headers)
        app.register_error_handler(HTTPException, _problem)
        app.add_url_rule("/", view_func=lambda: _file("index.html"), endpoint="index")
        app.add_url_rule("/static/<name>", view_func=_file, endpoint="file")
        app.add_url_rule("/api/about", view_func=self._about, endpoint="about")
        app.add_url_rule("/api/messages", view_func=self._messages, endpoint="messages")
        app.add_url_rule("/api/executions", view_func=self._executions, endpoint="executions")
        app.add_url_rule("/api/executions/<name>", view_func=self._execution, endpoint="execution")
        app.add_url_rule("/api/events", view_func=self._events, endpoint="events")
        for name, view in (("slash", self._slash), ("click", self._click), ("submit", self._submit)):
            app.add_url_rule(f"/api/{name}", view_func=view, endpoint=name, methods=["POST"])
        app.add_url_rule("/api/close", view_func=self._close, endpoint="close", methods=["POST"])
        return app

    def _guard(self) -> None:
        """Only this machine's own page may act: not another site that is open in the same browser."""
        allowed = LOOPBACK | {urlsplit(self._world.url).hostname}
        if urlsplit(f"//{request.host}").hostname not in allowed:
            abort(403, f"This page answers to the names of this machine, not to {request.host}.")
        if request.method == "POST":
            if not request.is_json:  # what needs no preflight in a browser is not JSON
                abort(415, "Send JSON.")
            if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
                abort(403, "This came from another site.")

    def _about(self) -> Json:
        return shapes.about(self._channel, self._commands)

    def _messages(self) -> Json:
        slack = self._world.slack
        return {
            "messages": [shapes.message(one) for one in slack.messages if one.channel == self._channel],
            "views": [shapes.view(one) for one in slack.views],
        }

    def _executions(self) -> Json:
        """The newest hundred, newest first."""
        found = self._world.sfn.list_executions(stateMachineArn=self._world.machine_arn, maxResults=100)
        listed = [shapes.execution(one, time.time()) for one in found["executions"]]
        return {"executions": sorted(listed, key=lambda one: one["started"] or 0, reverse=True)}

    def _execution(self, name: str) -> Json:
        """One execution: its status, the state it is in, and its history, oldest event first."""
        arn = f"{self._world.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        sfn = self._world.sfn
        try:
            found = sfn.describe_execution(executionArn=arn)
            events = []
            page = sfn.get_execution_history(executionArn=arn, maxResults=1000)
            events += page["events"]
            while page.get("nextToken"):
                page = sfn.get_execution_history(executionArn=arn, maxResults=1000, nextToken=page["nextToken"])
                events += page["events"]
        except ClientError as error:
            if error.response["Error"]["Code"] in NOT_THERE:
                abort(404, f"There is no execution {name}.")
            raise
        told = shapes.history(events)
        return {
            **shapes.execution(found, time.time()),
            "state": shapes.current_state(told),
            "events": told,
        }

    def _events(self) -> Response:
        return Response(self.feed.subscribe(), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})

    def _slash(self) -> Json:
        """`{command, text, user}`: type a slash command in the channel."""
        body = _body()
        command, user = _text(body, "command"), _actor(body)
        known = [one["command"] for one in self._commands]
        if command not in known:
            abort(400, f"{command} is not a valid command here. There are {', '.join(known)}.")
        return _answered(self._world.user.slash(command, _text(body, "text", ""), user, self._channel))

    def _click(self) -> Json:
        """`{ts, channel, action_id, user}`: press a button."""
        body = _body()
        user = _actor(body)
        message = self._message(_text(body, "channel"), _text(body, "ts"), user)
        try:
            return _answered(self._world.user.click(message, _text(body, "action_id"), user))
        except LookupError:
            abort(409, "That button is gone: the message has changed.")

    def _submit(self) -> Json:
        """`{view_id, values, user}`: send a modal off, with what was typed by block_id."""
        body = _body()
        view = self._view(body)
        values = body.get("values")
        if not isinstance(values, dict):
            abort(400, "`values` should be an object.")
        try:
            return _answered(self._world.user.submit(view, values))
        except LookupError as error:
            abort(400, str(error.args[0] if error.args else error))

    def _close(self) -> Json:
        """`{view_id, user}`: close a modal without sending it."""
        self._world.user.close(self._view(_body()))
        return {"status": 200, "in_time": True}

    def _message(self, channel: str, ts: str, user: str) -> Message:
        found = self._world.slack.space.store.find(channel, ts)
        if found is None or found.ephemeral_to not in (None, user):
            abort(404, "That message is gone.")
        return found

    def _view(self, body: Json) -> View:
        """A modal that this person has open."""
        wanted, user = _text(body, "view_id"), _actor(body)
        found = self._world.slack.space.store.find_view(wanted)
        if found is None or found.user != user:
            abort(404, "That dialog is closed.")
        return found

    def _changed(self, change: Change) -> None:
        if change.kind == "reset":
            self.feed.publish("reset", {})
        elif change.kind == "deleted" and change.message:
            self.feed.publish("deleted", {"id": shapes.message(change.message)["id"]})
        elif change.message and change.message.channel == self._channel:
            self.feed.publish("message", shapes.message(change.message))
        elif change.view:
            self.feed.publish("view", {**shapes.view(change.view), "open": change.kind != "view_closed"})


def _file(name: str) -> Response:
    answer = send_from_directory(STATIC, name)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if response.mimetype in ("application/json", "text/event-stream"):
        response.headers["Cache-Control"] = "no-store"
    return response


def _problem(error: HTTPException) -> tuple[Json, int]:
    return {"error": error.description or error.name}, error.code or 500


def _answered(answer: Answer) -> Json:
    """How the app answered; what it said is in the channel."""
    return {"status": answer.status, "in_time": answer.in_time, "seconds": round(answer.seconds, 3)}


def _body() -> Json:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        abort(400, "Send a JSON object.")
    return body


def _text(body: Json, key: str, default: str | None = None) -> str:
    value = body.get(key, default)
    if not isinstance(value, str):
        abort(400, f"`{key}` should be a text.")
    return value


def _actor(body: Json) -> str:
    user = _text(body, "user")
    if user not in ACTORS:
        abort(400, f"`user` should be one of {', '.join(ACTORS)}.")
    return user


def _commands() -> list[Json]:
    """The app's commands with their hints, from its manifest."""
    commands: list[Json] = yaml.safe_load(MANIFEST.read_text("utf-8"))["features"]["slash_commands"]
    return [{key: one[key] for key in ("command", "usage_hint", "description")} for one in commands]
