"""The route of the pictures against names and headers that are not meant well: a picture or 404, and nothing else."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from lambdas.gifs import app
from local.gateway import http_api_event
from tests.faults.counts import MANY, SEED, storm

PARTS = (
    *("..", "%2e%2e", "%252e", "/", "%2f", "\\", "app.py", "__pycache__", "failed.gif", "FAILED.GIF", ".gif", "\x00"),
    *("é", "\u202e", "\ud800", "a" * 3000, "~", "$(id)", "{name}", "etc/passwd", "*", "?", "#", " "),
)


def hostile(pick: Random) -> dict[str, Any]:
    """A request as API Gateway hands it on, with any name and any If-None-Match."""
    name = "".join(pick.choice(PARTS) for _ in range(pick.randrange(4)))
    event = http_api_event("GET", "/gifs/x", headers={}, route="/gifs/{name}")
    event["pathParameters"] = pick.choice([{"name": name}, {"name": name}, {}, None])
    tags = [pick.choice(('"', "W/", "*", ",", "\x00", "é" * 999, app.ETAGS["failed.gif"])) for _ in range(3)]
    event["headers"] = {pick.choice(("If-None-Match", "if-none-match", "\x00")): "".join(tags)}
    return event


def status(event: Any) -> int:
    answer = app.handler(event, None)
    named = (event["pathParameters"] or {}).get("name") in app.PICTURES
    assert answer["statusCode"] in ((200, 304) if named else (404,))
    return int(answer["statusCode"])


@pytest.mark.slow
def test_hostile_requests_get_a_picture_or_404() -> None:
    assert set(storm(hostile, status, MANY, 5 + SEED)) == {200, 304, 404}
