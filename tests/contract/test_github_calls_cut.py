"""Connections to GitHub that break in the middle of an answer, for every request that the product makes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import requests
from requests.adapters import HTTPAdapter

from chatops.domain.errors import GitHubUnavailable
from chatops.github import client as module
from tests.contract.github_calls import CALLS, Call
from tests.contract.test_github_calls_answers import Fake, raised, tells_no_secret
from tests.unit.conftest import environment

__all__ = ["environment"]

HALF = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"id": 1, "na'
CHUNK = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n{"id": 1'


class Cuts(Fake):
    """The real adapter over a real connection, to a server that sends `sent` and goes away (None: says nothing)."""

    def __init__(self, call: Call, port: int) -> None:
        super().__init__(call)
        self.answer = self._over_the_wire
        self._real, self._port = HTTPAdapter(), port

    def _over_the_wire(self, request: requests.PreparedRequest) -> requests.Response:
        there = request.copy()
        there.url = f"http://127.0.0.1:{self._port}/"
        return self._real.send(there, timeout=module.TIMEOUT)


@pytest.fixture(params=[HALF, CHUNK, b"HTTP/1.1 2", b"", None], ids=["half", "chunk", "line", "closed", "silent"])
def port(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(module, "TIMEOUT", (1, 0.05))
    server = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            held.append(connection)
            if request.param is not None:
                connection.recv(65536)
                connection.sendall(request.param)
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for connection in held:
        connection.close()
    thread.join(2)


@pytest.mark.usefixtures("environment")
def test_a_connection_that_breaks_is_no_answer(port: int) -> None:
    for name, call in CALLS.items():
        fake = Cuts(call, port)
        error = raised(call, fake)
        assert type(error) is (GitHubUnavailable if call.raises else type(None)), (name, error)
        if error is not None:
            tells_no_secret(error, fake)
        assert len(fake.asked) == 1
