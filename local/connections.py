"""HTTP servers that can be stopped: closing one also ends the connections that clients keep open. And one that cannot
listen says so."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from typing import Any

BACKLOG = 256


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[int]:
    """The file descriptor of a socket that listens there (port 0: a free one), for a server to take over.

    Raises OSError, which says where.

    A werkzeug server that binds by itself prints advice of its own and ends the process where the port is taken.
    """
    try:
        made = socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise cannot_listen(host, port, error) from error
    with made:
        yield made.fileno()


def cannot_listen(host: str, port: int, error: OSError) -> OSError:
    """The same error, with the address in its text."""
    return OSError(error.errno, f"cannot listen on {host}:{port} ({error.strerror or error})")


class ClosesConnections:
    """Mixed into a socketserver: remembers open connections so that `drop_connections` can end them.

    Without it, a handler thread sits in recv() on a kept-alive connection until the client goes away, and
    answers requests meant for the next server in the same process.
    """

    daemon_threads = True
    request_queue_size = BACKLOG

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def server_bind(self) -> None:
        """For servers that listen by themselves. Raises OSError."""
        try:
            super().server_bind()  # type: ignore[misc]  # the socketserver behind this mixin
        except OSError as error:
            host, port = self.server_address[:2]  # type: ignore[attr-defined]  # likewise
            raise cannot_listen(host, port, error) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)  # type: ignore[misc]  # the socketserver behind this mixin

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)  # type: ignore[misc]  # the socketserver behind this mixin

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up mid-request is no news; anything else is printed, as the base class does."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[misc]  # the socketserver behind this mixin

    def drop_connections(self) -> None:
        with self._open_lock:
            connections, self._open = list(self._open), set()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
