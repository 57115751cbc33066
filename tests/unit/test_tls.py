"""Authorities are read once a process; without one that signs it, no server is believed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from botocore.exceptions import SSLError

from bench.tls import Authority, front
from chatops import aws
from chatops.network import tls
from chatops.slack import client as slack


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as plain:
        Thread(target=plain.serve_forever, args=(0.02,), daemon=True).start()
        with front(f"http://127.0.0.1:{plain.server_address[1]}", authority) as secure:
            yield secure
        plain.shutdown()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The files of authorities that were read."""
    found: list[object] = []
    real = ssl.SSLContext.load_verify_locations

    def load(self: ssl.SSLContext, cafile: object = None, *more: object, **named: object) -> None:
        found.append(cafile)
        real(self, cafile, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    tls._aws.cache_clear()
    return found


def test_all_clients_and_all_their_connections_read_them_once(
    environment: pytest.MonkeyPatch, server: str, authority: Authority, reads: list[object]
) -> None:
    """Also a tripwire: where botocore keeps its context is not written down anywhere."""
    environment.setenv("AWS_ENDPOINT_URL", server)
    environment.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    clients = [aws.client("dynamodb"), aws.client("dynamodb", patience=0.25), aws.client("secretsmanager")]
    for client in clients * 2:
        client.list_tables() if client.meta.service_model.service_name == "dynamodb" else client.list_secrets()
        client.close()  # the next request makes a connection of its own
    assert reads == [str(authority.bundle)]


@pytest.mark.usefixtures("reads")
def test_a_server_that_nobody_vouches_for_is_not_believed(environment: pytest.MonkeyPatch, server: str) -> None:
    environment.setenv("AWS_ENDPOINT_URL", server)
    with pytest.raises(SSLError):
        aws.client("dynamodb", patience=0.25).list_tables()


def test_slack_is_asked_with_one_context(
    environment: pytest.MonkeyPatch, server: str, authority: Authority, reads: list[object]
) -> None:
    environment.setenv("SSL_CERT_FILE", str(authority.bundle))
    tls.web.cache_clear()
    assert [slack.respond(f"{server}/x", text="hello") for _ in range(3)] == [True] * 3
    environment.delenv("SSL_CERT_FILE")
    tls.web.cache_clear()
    assert not slack.respond(f"{server}/x", text="hello")
    tls.web.cache_clear()
    assert reads == []
