"""The fake itself: `/api/<method>` and `/response/<id>` over HTTP, and what a test or a page looks at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from fakes.clock import Clock
from fakes.faults import Fault, Faults, drop_connection
from fakes.slack import limits, web_api
from fakes.slack.errors import SlackError
from fakes.slack.methods import METHODS
from fakes.slack.reading import Reading, Unreadable, complete, read
from fakes.slack.responses import respond
from fakes.slack.store import Change, Json, Message, View
from fakes.slack.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SCOPES = frozenset({"commands", "chat:write", "users:read", "usergroups:read", "channels:read", "groups:read"})


@dataclass(frozen=True)
class Call:
    """One request that was answered. `error` is Slack's code for what was wrong, "" if nothing was."""

    method: str
    arguments: Json
    status: int
    error: str


class SlackFaults(Faults):
    """Rules for Slack: none can answer an error word that no method has which it is for."""

    def append(self, fault: Fault) -> None:
        """Raises ValueError for such a word."""
        meant = [one for name, one in web_api.METHODS.items() if re.fullmatch(fault.operation, name)]
        if fault.code and meant and not any(fault.code in one.errors for one in meant):
            raise ValueError(f"no method {fault.operation} of Slack's has the error {fault.code}")
        super().append(fault)


class Slack:
    """A workspace in memory, with the bot's token `xoxb-local`.

    `base_url` is where `app` is mounted: response URLs are made from it. `down` answers everything 503.
    `faults` are rules for single requests (operation: the method's name, or `response_url`). With
    `enforce_rate_limit` a channel takes about one post a second, and a method what its tier says. An image whose
    address contains one of `bad_image_urls` cannot be downloaded, which Slack answers with invalid_blocks.
    `misread`: every request that Slack does not read as it was meant, and every answer that Slack does not give.
    """

    def __init__(self, clock: Clock, base_url: str = "http://slack.invalid") -> None:
        self.space = Workspace(clock)
        self.base_url = base_url
        self.tokens = {"xoxb-local"}
        self.scopes = set(SCOPES)
        self.down = False
        self.faults: Faults = SlackFaults()
        self.calls: list[Call] = []
        self.misread: list[str] = []

    @property
    def api_url(self) -> str:
        """What SLACK_API_URL has to be: it ends in a slash."""
        return self.base_url.rstrip("/") + "/api/"

    @property
    def messages(self) -> list[Message]:
        """Every message in order, replies and ephemeral ones too."""
        return self.space.store.messages

    @property
    def views(self) -> list[View]:
        """Every modal that somebody has open."""
        return self.space.store.views

    @property
    def on_change(self) -> list[Callable[[Change], None]]:
        """Functions that are called, in the thread that made it, with every change."""
        return self.space.store.listeners

    @property
    def enforce_rate_limit(self) -> bool:
        return self.space.enforce_rate_limit

    @enforce_rate_limit.setter
    def enforce_rate_limit(self, value: bool) -> None:
        self.space.enforce_rate_limit = value

    @property
    def bad_image_urls(self) -> set[str]:
        return self.space.bad_image_urls

    def wait_for(self, wanted: Callable[[Message], object], seconds: float = 10) -> Message:
        """The first message of which `wanted` is true, within `seconds` (real). Raises TimeoutError."""
        return self.space.store.wait_for(wanted, seconds)

    def response_url(self, channel: str, user: str, message_ts: str | None = None) -> str:
        """A new response_url for an interaction."""
        return f"{self.base_url.rstrip('/')}/response/{self.space.tickets.url(channel, user, message_ts)}"

    def reset(self) -> None:
        """No messages, no views, no faults, no calls; people and channels stay."""
        self.space.store.clear()
        self.faults.clear()
        self.calls.clear()
        self.bad_image_urls.clear()
        self.down = self.enforce_rate_limit = False

    def app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        request = Request(environ)
        kind, _, name = request.path.strip("/").partition("/")
        operation = "response_url" if kind == "response" else name
        fault = self.faults.take(operation)
        if self.down:
            response = Response("upstream connect error or disconnect/reset before headers", 503)
            self.calls.append(Call(operation, {}, 503, "down"))
        elif fault and not (fault.lose_reply or fault.work):
            response = self._reply(operation, {}, fault.status, fault.code or "internal_error")
        elif kind == "response":
            response = self._respond(name, request)
        elif kind == "api":
            response = self._method(name, request)
        else:
            response = Response("not found", 404)
        if fault and fault.lose_reply:
            drop_connection(environ)
        if fault and fault.work:
            response = Response(fault.message, fault.status)
        if fault:
            response.headers.update(dict(fault.headers))
        return response(environ, start_response)

    def _method(self, name: str, request: Request) -> Response:
        if name not in METHODS:
            self.misread.append(f"{name}: there is no such method in web_api.yaml")
            return self._reply(name, {}, 200, "unknown_method", req_method=name)
        found, (scope, method) = Reading(), METHODS[name]
        try:
            read(request, web_api.METHODS[name], found)
            self._authorize(found.token)
            if scope and scope not in self.scopes:
                provided = ",".join(sorted(self.scopes))
                return self._reply(name, found.arguments, 200, "missing_scope", needed=scope, provided=provided)
            complete(web_api.METHODS[name], found)
            self.space.rate(name)
            answer = method(self.space, found.arguments)
            if len(str(found.arguments.get("text") or "")) > limits.MESSAGE_TEXT:
                found.warnings.append("message_truncated")
            return self._reply(name, found.arguments, 200, "", **_warned(answer, found.warnings))
        except SlackError as error:
            if isinstance(error, Unreadable):
                found.misread.append(f"{request.method} {request.mimetype}: {error.code}")
            return self._refuse(name, found.arguments, error)
        finally:
            self.misread += [f"{name}: {line}" for line in (*found.misread, *found.warnings)]

    def _authorize(self, token: str) -> None:
        if not token:
            raise SlackError("not_authed")
        if token not in self.tokens:
            raise SlackError("invalid_auth")

    def _refuse(self, name: str, arguments: Json, error: SlackError) -> Response:
        if error.retry_after is not None:
            response = self._reply(name, arguments, 429, error.code)
            response.headers["Retry-After"] = str(error.retry_after)
            return response
        if not error.details:
            return self._reply(name, arguments, 200, error.code)
        details = {"messages": [f"[ERROR] {line.removeprefix('[ERROR] ')}" for line in error.details]}
        return self._reply(name, arguments, 200, error.code, errors=error.details, response_metadata=details)

    def _respond(self, key: str, request: Request) -> Response:
        body = request.get_json(silent=True, force=True)
        try:
            if not isinstance(body, dict):
                raise SlackError("invalid_payload")
            respond(self.space, self.space.tickets.redeem(key), body)
        except SlackError as error:
            status = 404 if error.code in ("used_url", "expired_url", "no_active_hooks") else 400
            return self._reply("response_url", body if isinstance(body, dict) else {}, status, error.code)
        self.calls.append(Call("response_url", body, 200, ""))
        return Response("ok", 200, {"Content-Type": "text/html"})

    def _reply(self, name: str, arguments: Json, status: int, error: str, **more: Any) -> Response:
        known = web_api.METHODS.get(name)
        if error and known and error not in known.errors:
            self.misread.append(f"{name}: Slack has no error {error} for it")
            return Response(f"Slack's {name} has no error {error}", 500)
        self.calls.append(Call(name, arguments, status, error))
        body = {"ok": False, "error": error, **more} if error else {"ok": True, **more}
        headers = {"Content-Type": "application/json; charset=utf-8", "X-OAuth-Scopes": ",".join(sorted(self.scopes))}
        return Response(json.dumps(body), status, headers)


def _warned(answer: Json, warnings: list[str]) -> Json:
    """The answer with what Slack warns of: https://docs.slack.dev/apis/web-api#responses"""
    if not warnings:
        return answer
    return {**answer, "warning": ",".join(warnings), "response_metadata": {"warnings": warnings}}
