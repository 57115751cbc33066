"""Faults on demand: rules by which a fake answers wrongly, late or not at all."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn


@dataclass
class Fault:
    """One rule: the next `times` requests whose operation matches get this answer instead of the real one.

    `operation` is a regular expression that must match the whole operation name (`chat\\.postMessage`,
    `UpdateService`). `code` and `message` are put into the error body of the service's own shape.
    `lose_reply` does the work and then drops the connection: the caller cannot know that it was done.
    `work` does the work and then gives this answer: a gateway's 502 after the fact.
    """

    operation: str = ".*"
    status: int = 500
    code: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    lose_reply: bool = False
    work: bool = False


class Faults(list[Fault]):
    """The rules of one fake, first match first. Plain list methods add and clear them."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def take(self, operation: str) -> Fault | None:
        """The rule for this request, if any; it counts as used once."""
        with self._lock:
            for rule in self:
                if rule.times > 0 and re.fullmatch(rule.operation, operation):
                    rule.times -= 1
                    return rule
        return None


def drop_connection(environ: Mapping[str, object]) -> NoReturn:
    """Close the client's connection without an answer.

    werkzeug's server hands over the socket and takes a ConnectionError for a client that went away; any other
    server sees the exception only, which ends the request as badly.
    """
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):  # the client may have been faster
            connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionResetError("the fake dropped the connection, as a fault asked for")
