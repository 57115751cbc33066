"""HTTP servers that can be stopped: closing one also ends the connections that clients keep open."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import Any


class ClosesConnections:
    """Mixed into a socketserver: remembers open connections so that `drop_connections` can end them.

    Without it, a handler thread sits in recv() on a kept-alive connection until the client goes away, and
    answers requests meant for the next server in the same process.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(*args, **kwargs)

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
