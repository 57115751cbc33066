"""A connection that died while the environment was frozen costs no request: it is renewed before one is sent."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chatops import aws, clock
from chatops.github import client as github_client
from chatops.github.client import GitHub
from chatops.network import connections

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n"
    b"Connection: keep-alive\r\n\r\n{}"
)


class Server:
    """Answers one request on each connection. Afterwards it closes the connection, or says nothing more on it (as
    where a NAT has forgotten it). `requests`: how many came on each connection."""

    def __init__(self, *, closes: bool, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[int] = []
        self._closes, self._tls, self._kept = closes, tls, list[socket.socket]()
        self._listening = socket.create_server(("localhost", 0))
        self.url = f"{'https' if tls else 'http'}://localhost:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                taken = self._listening.accept()[0]
                threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with suppress(OSError):
            connection = self._tls.wrap_socket(taken, server_side=True) if self._tls else taken
            self._kept.append(connection)
            number = len(self.requests)
            self.requests.append(0)
            while _request(connection):
                self.requests[number] += 1
                if self.requests[number] == 1:
                    connection.sendall(ANSWER)
                    if self._closes:
                        connection.close()

    def close(self) -> None:
        self._listening.close()
        for one in self._kept:
            one.close()


def _request(connection: socket.socket) -> bool:
    """Whether another whole request came."""
    came = b""
    while b"\r\n\r\n" not in came:
        if not (piece := connection.recv(65536)):
            return False
        came += piece
    head, _, body = came.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return True


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    file.write_bytes(made.public_bytes(encoding) + private)
    return file


@pytest.fixture(params=["closes", "closes, TLS", "falls silent", "falls silent, TLS"])
def server(
    request: pytest.FixtureRequest, certificate: Path, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    tls = None
    if "TLS" in request.param:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(certificate))
    made = Server(closes="closes" in request.param, tls=tls)
    environment.setenv("AWS_ENDPOINT_URL", made.url)
    aws.made.cache_clear()
    yield made
    made.close()
    aws.made.cache_clear()


def _frozen(monkeypatch: pytest.MonkeyPatch, clocks: str) -> None:
    """An hour passes on these clocks and no others."""
    now, monotonic = clock.now, real_time.monotonic
    if "wall" in clocks:
        monkeypatch.setattr(clock, "now", lambda: now() + 3600)
    if "set back" in clocks:
        monkeypatch.setattr(clock, "now", lambda: now() - 3600)
    if "monotonic" in clocks:
        monkeypatch.setattr(real_time, "monotonic", lambda: monotonic() + 3600)
    real_time.sleep(0.05)  # what closes has closed


def _put(_url: str) -> Callable[[], object]:
    client = aws.client("dynamodb")
    return lambda: client.put_item(TableName="t", Item={"pk": {"S": "1"}})


def _start(_url: str) -> Callable[[], object]:
    client = aws.client("stepfunctions", patience=0.25)  # as the edge asks: there is no second attempt
    return lambda: client.send_task_success(taskToken="t", output="{}")


def _dispatch(url: str) -> Callable[[], object]:
    github = GitHub("acme/checkout", url, lambda _fresh: "ghp_x", github_client._session())
    return lambda: github.request("POST", "/dispatches", json={"event_type": "deploy"})


CALLS = {"PutItem": _put, "SendTaskSuccess": _start, "repository_dispatch": _dispatch}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("clocks", ["wall", "monotonic", "wall and monotonic", "set back"])
def test_after_the_environment_was_frozen_a_request_is_sent_once_on_a_new_connection(
    server: Server, monkeypatch: pytest.MonkeyPatch, call: str, clocks: str
) -> None:
    github_client._session.cache_clear()
    send = CALLS[call](server.url)
    for _ in range(2):
        send()
        with pytest.MonkeyPatch.context() as patch:
            _frozen(patch, clocks)
            send()
    assert set(server.requests) == {1}


def test_within_seconds_a_connection_is_used_again(environment: pytest.MonkeyPatch) -> None:
    """Twice in one invocation costs one handshake."""
    used = []
    environment.setattr(connections, "KEPT_SECONDS", 60)
    renewal = connections.Renewal(lambda: used.append("closed"))
    renewal.before_request()
    renewal.before_request()
    assert used == []


def test_every_client_renews_an_assumed_roles_too(environment: pytest.MonkeyPatch) -> None:
    role = "arn:aws:iam::123456789012:role/deploy"
    for client in (aws.client("ecs"), aws.client("ecs", role_arn=role), aws.client("sts")):
        handlers = client.meta.events._emitter._handlers.prefix_search("before-send.ecs.UpdateService")
        assert any("Renewal" in getattr(one, "__qualname__", "") for one in handlers)
