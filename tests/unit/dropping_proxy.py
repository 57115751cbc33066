"""A way to a server that drops connections, as a network does."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

Drop = int | Callable[[], bool] | None
"""After how many bytes from the client the connection is dropped, or as soon as this is true; None: never."""


@contextmanager
def dropping(port: int, drops: Sequence[Drop]) -> Iterator[int]:
    """The port of a proxy to `port` on this machine: the first connections are dropped so, later ones pass."""
    listener = socket.create_server(("127.0.0.1", 0))
    left = list(drops)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                drop = left.pop(0) if left else None
                threading.Thread(target=_carry, args=(client, port, drop), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield int(listener.getsockname()[1])
    listener.close()


def _carry(client: socket.socket, port: int, drop: Drop) -> None:
    """Pass on what both sides say until one of them ends, or the connection is to be dropped."""
    server = socket.create_connection(("127.0.0.1", port))
    passed = 0
    with client, server, selectors.DefaultSelector() as watched, suppress(OSError):
        watched.register(client, selectors.EVENT_READ, server)
        watched.register(server, selectors.EVENT_READ, client)
        while not (drop() if callable(drop) else drop is not None and passed >= drop):
            for key, _ in watched.select(0.05):
                side: socket.socket = key.fileobj  # type: ignore[assignment]
                data = side.recv(4096)
                if not data:
                    return
                passed += len(data) if side is client else 0
                key.data.sendall(data)
