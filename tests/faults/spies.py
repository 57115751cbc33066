"""Spies on every client that a function could use: whatever is called is written down and refused."""

from __future__ import annotations

import socket
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any, NoReturn
from urllib.request import OpenerDirector

import pytest
from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session
from requests import Session
from slack_sdk import WebClient

from chatops.network.kept import Kept

REACHED: dict[str, tuple[type, str]] = {
    "an AWS client": (BaseClient, "_make_api_call"),
    "botocore's wire": (URLLib3Session, "send"),
    "slack_sdk's Web API": (WebClient, "api_call"),
    "a response URL": (Kept, "post"),
    "urllib": (OpenerDirector, "open"),
    "requests": (Session, "send"),
    "http.client": (HTTPConnection, "connect"),
    "a socket": (socket.socket, "connect"),
}


class ReachedError(BaseException):
    """No `except Exception` on the way may hide it."""


class Spies:
    """`calls`: what was reached, by the names of REACHED."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on(self, name: str) -> Callable[..., NoReturn]:
        def reached(*_arguments: Any, **_named: Any) -> NoReturn:
            self.calls.append(name)
            raise ReachedError(name)

        return reached

    def install(self, patch: pytest.MonkeyPatch) -> Spies:
        for name, (owner, method) in REACHED.items():
            patch.setattr(owner, method, self.on(name))
        return self
