"""Connections of the standard library to one server that are kept, and shared by threads."""

from __future__ import annotations

import select
import ssl
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from chatops.network import tls
from chatops.network.connections import Renewal
from chatops.values import dataclass

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
"""Variables that name a proxy: these connections know none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers`: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def path_of(url: str) -> str:
    """What of an address a server is asked for. Raises ValueError for what is no address."""
    return urlsplit(url)._replace(scheme="", netloc="", fragment="").geturl() or "/"


class Kept:
    """The server at `url`. `connect`, `read`: seconds that a connection, and each wait for an answer, may take;
    `context`: gives the TLS context."""

    def __init__(self, url: str, connect: float, read: float, context: Callable[[], ssl.SSLContext] = tls.aws) -> None:
        parts = urlsplit(url)
        self.url, self._context = f"{parts.scheme}://{parts.netloc}", context
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname or "", parts.port
        self._connect, self._read = connect, read
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()
        self._renewal = Renewal(self.close)

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises OSError or http.client.HTTPException where no answer came."""
        return self._ask("POST", path, headers, body)

    def get(self, path: str, read: Callable[[HTTPResponse], bytes]) -> Answer:
        """`read`: reads the body. Raises what it raises, OSError and http.client.HTTPException."""
        return self._ask("GET", path, {}, None, read)

    def _ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None,
        read: Callable[[HTTPResponse], bytes] = HTTPResponse.read,
    ) -> Answer:
        with self._lock:
            self._renewal.before_request()
            connection = self._idle.pop() if self._idle else None
        if connection is None or _dropped(connection):
            connection = self._connected()
        try:
            connection.request(method, path, body, dict(headers))
            found = connection.getresponse()
            answer = Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, read(found))
        except BaseException:  # also where the work was given up: nobody may read the answer later
            connection.close()
            raise
        if connection.sock is not None:  # else the server wants it closed
            with self._lock:
                self._idle.append(connection)
        return answer

    def close(self) -> None:
        """Close what nobody uses just now."""
        while self._idle:
            self._idle.pop().close()

    def _connected(self) -> HTTPConnection:
        try:
            return self._open()
        except ssl.SSLCertVerificationError:  # by now all authorities are known
            return self._open()

    def _open(self) -> HTTPConnection:
        made = (
            HTTPSConnection(self._host, self._port, timeout=self._connect, context=self._context())
            if self._secure
            else HTTPConnection(self._host, self._port, timeout=self._connect)
        )
        try:
            made.connect()
        except BaseException:
            made.close()
            raise
        made.sock.settimeout(self._read)
        return made


def _dropped(connection: HTTPConnection) -> bool:
    """Whether the server has closed it: there is something to read although nothing was asked. It is closed then."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    if poll.poll(0):
        connection.close()
        return True
    return False
