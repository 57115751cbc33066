"""API Gateway's HTTP API in front of the functions: the same routes, the same event in, the same reading of
the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlencode

from fakes.slack.client import WAITED
from local.http_api import (
    MAX_BODY,
    NOT_FOUND,
    SERVER_ERROR,
    TOO_LARGE,
    Headers,
    Response,
    http_api_event,
    match_route,
    to_response,
)
from local.runtime.turns import Turns

__all__ = ["Gateway", "http_api_event", "to_response"]

AT_ONCE = 2
"""A hundred commands that two processors work on together are all too late for Slack; two at a time are not."""
OF_MACHINES = ("/stages/", "/github/")
"""Who calls these can wait."""
NOTICED = 0.01
"""Seconds; of a shorter wait nothing is said."""


class Invocation(Protocol):
    """What a runtime answers with."""

    @property
    def payload(self) -> Any: ...
    @property
    def error(self) -> str | None: ...


class Runtime(Protocol):
    def invoke(self, name: str, event: Any, /) -> Invocation: ...


class Gateway:
    """A WSGI application for /<stage>/…: finds the route, calls its function, answers.

    `routes`: route key ("POST /slack/events") to function name. An unknown path, or another method, is a
    404; a function that fails is a 500 that says nothing of why, as on AWS.

    AWS has a processor for each request, this machine has not: `at_once` of them are let in, the others wait, machines
    behind people. A request's time is when it is let in, and the answer says how long it waited, so that nobody's
    patience ends meanwhile.
    """

    def __init__(
        self, runtime: Runtime, routes: Mapping[str, str], stage: str = "prod", *, at_once: int = AT_ONCE
    ) -> None:
        self.runtime, self.routes, self.stage = runtime, dict(routes), stage
        self._turns = Turns(at_once)

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._turns.waiting

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        status, headers, content = self.respond(environ)
        if environ["REQUEST_METHOD"] == "HEAD":
            content = b""
        headers = [*headers, ("content-length", str(len(content)))]
        start_response(f"{status} {_phrase(status)}", headers)
        return [content]

    def respond(self, environ: Mapping[str, Any]) -> Response:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_BODY:
            return TOO_LARGE
        body = environ["wsgi.input"].read(length) if length else b""
        method, raw_path = environ["REQUEST_METHOD"], _raw_path(environ)
        headers = _headers(environ)
        return self.call(
            method, raw_path, environ.get("QUERY_STRING", ""), headers, body, environ.get("REMOTE_ADDR", "127.0.0.1")
        )

    def call(
        self, method: str, raw_path: str, query: str, headers: Headers, body: bytes, source_ip: str = "127.0.0.1"
    ) -> Response:
        """The same without WSGI."""
        prefix = f"/{self.stage}/"
        route = self._route(method, raw_path[len(prefix) - 1 :]) if raw_path.startswith(prefix) else None
        if route is None:
            return NOT_FOUND
        path, came = route.partition(" ")[2], time.monotonic()
        with self._turns.turn(first=not path.startswith(OF_MACHINES)):
            waited = time.monotonic() - came
            event = http_api_event(method, raw_path, query, headers, body, self.stage, route=path, source_ip=source_ip)
            status, made, content = self._invoke(route, event)
        return status, [*made, (WAITED, f"{waited:.3f}")] if waited > NOTICED else made, content

    def _invoke(self, route: str, event: dict[str, Any]) -> Response:
        event["routeKey"] = event["requestContext"]["routeKey"] = route
        try:
            invocation = self.runtime.invoke(self.routes[route], event)
        except Exception:  # noqa: BLE001 - throttled, broken, closing: API Gateway gives them all one face
            return SERVER_ERROR
        return SERVER_ERROR if invocation.error else to_response(invocation.payload)

    def _route(self, method: str, path: str) -> str | None:
        """The route key: an exact path before one with parameters, a method before ANY, as HTTP APIs
        choose.
        """
        fitting = [
            key
            for key in self.routes
            if key.partition(" ")[0] in (method.upper(), "ANY") and match_route(key.partition(" ")[2], path) is not None
        ]
        return min(fitting, key=lambda key: (key.count("{"), key.startswith("ANY")), default=None)


def _raw_path(environ: Mapping[str, Any]) -> str:
    """The path as it was sent. Servers that keep it say so; else it is encoded again."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw).partition("?")[0]
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return urlencode({"": path}, safe="/:@!$&'()*,;=~", encoding="latin-1").removeprefix("=").replace("+", "%20")


def _headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [(name[5:].replace("_", "-"), str(value)) for name, value in environ.items() if name.startswith("HTTP_")]
    apart = ("CONTENT_TYPE", "CONTENT_LENGTH")
    return headers + [(name.replace("_", "-"), str(environ[name])) for name in apart if environ.get(name)]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
