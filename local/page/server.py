"""The page's server: what there is, what changes, the three things a person does in Slack, and the page's controls.

The page is a client, not a shortcut: whatever is typed or pressed goes out through SlackUser, signed, to the real
request URL. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml
from flask import Flask, Response, abort, request, send_from_directory
from werkzeug.exceptions import HTTPException

from chatops.domain.target import Target
from fakes.slack import Slack, SlackUser
from fakes.slack.store import Change
from local import people
from local.page import shapes
from local.page.controls import Controls, Fixed, Stage
from local.page.executions import Executions
from local.page.feed import Feed, Watcher
from local.page.shapes import Json
from local.page.slack import People

STATIC = Path(__file__).parent / "static"
SHARED = Path(__file__).resolve().parents[2] / "lambdas" / "page" / "static"
"""What this page has in common with a deployment's own."""
MANIFEST = Path(__file__).resolve().parents[2] / "slack-manifest.yaml"
# Nothing but the page's own files runs; pictures come from wherever a message says.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Session(Protocol):
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
    @property
    def channel(self) -> str: ...
    @property
    def targets(self) -> Mapping[str, Target]: ...


class Page:
    """The page of one session, for people in its channel. `app` is the WSGI application; close it when done."""

    def __init__(self, session: Session, stage: Stage | None = None) -> None:
        self._session, self._channel, self._stage = session, session.channel, stage or Fixed()
        self._commands = _commands()
        self._actors = [one.id for one in people.actors(session.slack.space, session.targets)]
        self.feed = Feed()
        self.watcher = Watcher(session.sfn, session.machine_arn, self.feed)
        session.slack.on_change.append(self._changed)
        self.app = self._app()

    def close(self) -> None:
        """Stop watching, and end the streams of open pages."""
        if self._changed in self._session.slack.on_change:
            self._session.slack.on_change.remove(self._changed)
        self.feed.close()
        self.watcher.close()

    def _app(self) -> Flask:
        app = Flask(__name__, static_folder=None)
        app.json.sort_keys = False  # type: ignore[attr-defined]  # states come in the order in which they were entered
        app.before_request(self._guard)
        app.after_request(_headers)
        app.register_error_handler(HTTPException, _problem)
        app.add_url_rule("/", view_func=lambda: _file("index.html"), endpoint="index")
        app.add_url_rule("/static/<name>", view_func=_file, endpoint="file")
        app.add_url_rule("/api/about", view_func=self._about)
        app.add_url_rule("/api/messages", view_func=self._messages)
        app.add_url_rule("/api/events", view_func=self._events)
        names = [one["command"] for one in self._commands]
        for part in (
            People(self._session.slack, self._session.user, self._channel, names, self._actors),
            Executions(self._session.sfn, self._session.machine_arn, self._people),
            Controls(self._stage),
        ):
            app.register_blueprint(part.routes, url_prefix="/api")
        return app

    def _guard(self) -> None:
        """A POST that needs no preflight in a browser. (`local.guard` refuses more, in front of the whole port.)"""
        if request.method == "POST" and not request.is_json:
            abort(415, "Send JSON.")

    def _about(self) -> Json:
        return shapes.about(self._session.slack.space, self._channel, self._commands, self._session.targets)

    def _people(self) -> dict[str, str]:
        return {one.id: one.name for one in self._session.slack.space.users.values()}

    def _messages(self) -> Json:
        slack = self._session.slack
        return {
            "messages": [shapes.message(one, self._actors) for one in slack.messages if one.channel == self._channel],
            "views": [shapes.view(one) for one in slack.views],
        }

    def _events(self) -> Response:
        return Response(self.feed.subscribe(), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})

    def _changed(self, change: Change) -> None:
        if change.kind == "reset":
            self.feed.publish("reset", {})
        elif change.kind == "deleted" and change.message:
            self.feed.publish("deleted", {"id": shapes.message(change.message)["id"]})
        elif change.message and change.message.channel == self._channel:
            self.feed.publish("message", shapes.message(change.message, self._actors))
        elif change.view:
            self.feed.publish("view", {**shapes.view(change.view), "open": change.kind != "view_closed"})


def _file(name: str) -> Response:
    answer = send_from_directory(STATIC if (STATIC / name).is_file() else SHARED, name)
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


def _commands() -> list[Json]:
    """The app's commands with their hints, from its manifest."""
    commands: list[Json] = yaml.safe_load(MANIFEST.read_text("utf-8"))["features"]["slash_commands"]
    return [{key: one[key] for key in ("command", "usage_hint", "description")} for one in commands]
