"""What goes to a response URL is what slack_sdk would send there."""

from __future__ import annotations

from http.client import HTTPException
from typing import Any

import pytest

from chatops.network.kept import PROXIES, Kept
from chatops.slack import client
from tests.contract.test_aws_json import Server, environment, server

__all__ = ["environment", "server"]

MESSAGE: dict[str, Any] = {
    "response_type": "ephemeral",
    "replace_original": False,
    "text": "*v1.2.3* is approved ✅",
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "“é”"}}],
}


def test_a_message_is_sent_as_slack_sdk_sends_it(server: Server) -> None:
    for send in (client._straight, client._by_slack_sdk):
        assert send(f"{server.url}/commands/T1/2/3?a=b", MESSAGE, 1) == 200
    ours, theirs = server.came
    assert (ours[0], ours[2]) == (theirs[0], theirs[2]) == ("/commands/T1/2/3?a=b", MESSAGE)
    assert [one["content-type"] for one in (ours[1], theirs[1])] == ["application/json;charset=utf-8"] * 2


@pytest.mark.parametrize("status", [200, 404, 410, 429, 500])
def test_slack_has_taken_it_where_it_says_200(status: int, server: Server) -> None:
    server.says = [(status, b"ok", {})]
    assert client.respond(f"{server.url}/x", text="hello") == (status == 200)


@pytest.mark.parametrize("variable", PROXIES)
def test_a_proxy_is_left_to_slack_sdk(variable: str, server: Server, environment: pytest.MonkeyPatch) -> None:
    environment.setenv(variable, server.url)
    sent = client.respond("http://hooks.invalid/x", text="hello")
    if variable.lower() != "all_proxy":  # which slack_sdk does not read
        assert sent
        assert [path for path, _, _ in server.came] == ["http://hooks.invalid/x"]


@pytest.mark.parametrize("url", ["", "x", "file:///etc/passwd", "http://", "http://127.0.0.1:0/x", "http://[::1/x"])
def test_what_is_no_address_is_no_trouble(url: str) -> None:
    assert not client.respond(url, timeout=1, text="hello")


@pytest.mark.parametrize("error", [TimeoutError("late"), HTTPException("no HTTP"), ValueError("a port that is none")])
def test_what_fails_on_the_way_is_no_trouble(error: Exception, environment: pytest.MonkeyPatch) -> None:
    def post(*_: object) -> None:
        raise error

    environment.setattr(Kept, "post", post)
    assert not client.respond("https://hooks.invalid/x", text="hello")
