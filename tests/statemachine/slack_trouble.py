"""How Slack can be of no use, for as long as a test wants: every way answers, or does not, as Slack's API would."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Response

from fakes.faults import drop_connection
from tests.statemachine.hours import Hours, HoursDriver

RETRY_AFTER = 40
Answer = Callable[["SlackTrouble", dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def _says(status: int, body: str, **headers: str) -> Answer:
    def answer(_it: SlackTrouble, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        return Response(body, status, headers)(environ, start)

    return answer


def _refuses(code: str) -> Answer:
    return _says(200, json.dumps({"ok": False, "error": code}), **{"Content-Type": "application/json"})


def _slow(it: SlackTrouble, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    it.hours.pass_by(5)
    return it.real(environ, start)


def _hangs(it: SlackTrouble, environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
    it.hours.pass_by(6)  # what the client waits
    drop_connection(environ)


def _closed(it: SlackTrouble, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The bot has been taken out of the channel; what else it asks is answered."""
    return _refuses("channel_not_found")(it, environ, start) if "/chat." in it.path else it.real(environ, start)


def _sent(environ: dict[str, Any]) -> list[dict[str, Any]]:
    """The blocks of a request; whoever reads it next finds it whole."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    asked = json.loads(body) if str(environ.get("CONTENT_TYPE", "")).startswith("application/json") and body else {}
    found: list[dict[str, Any]] = asked.get("blocks") or []
    return found


def _blocks(it: SlackTrouble, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Slack takes no blocks, only text."""
    return _refuses("invalid_blocks")(it, environ, start) if _sent(environ) else it.real(environ, start)


def _pictures(it: SlackTrouble, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    has = any(block["type"] == "image" for block in _sent(environ))
    return _refuses("invalid_blocks")(it, environ, start) if has else it.real(environ, start)


def _dropped(_it: SlackTrouble, environ: dict[str, Any], _start: Callable[..., Any]) -> Iterable[bytes]:
    drop_connection(environ)


WAYS: dict[str, Answer] = {
    "down": _says(503, "upstream connect error or disconnect/reset before headers"),
    "broken": _says(500, "<html>Something went wrong</html>"),
    "internal error": _refuses("internal_error"),
    "rate limit": _says(429, json.dumps({"ok": False, "error": "ratelimited"}), **{"Retry-After": str(RETRY_AFTER)}),
    "slow": _slow,
    "hangs": _hangs,
    "dropped": _dropped,
    "channel_not_found": _closed,
    "bad GIF": _pictures,
    "invalid_blocks": _blocks,
}


class SlackTrouble:
    """In front of a play's Slack. `way`: what happens to every request now, nothing if empty. `asked`: when requests
    came while there was trouble, and for what."""

    def __init__(self, play: HoursDriver) -> None:
        self.hours: Hours = play.hours
        self.real = play.session.slack.app
        self.way, self.path = "", ""
        self.asked: list[tuple[float, str]] = []
        play.session._mounts._shifted["_slack"] = self

    def between(self, way: str, begins: float, ends: float) -> None:
        """Trouble from so many seconds from now on until so many."""

        def change(to: str) -> None:
            self.way = to

        if begins:
            self.hours.later(begins, lambda: change(way))
        else:
            change(way)
        self.hours.later(ends, lambda: change(""))

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.path = environ["PATH_INFO"]
        if not self.way:
            return self.real(environ, start)
        self.asked.append((self.hours(), self.path.rpartition("/")[2]))
        return WAYS[self.way](self, environ, start)
