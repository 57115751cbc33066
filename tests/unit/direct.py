"""Requests that reach a fake without a socket."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from werkzeug.test import Client


class Direct(BaseAdapter):
    """Carries requests to a WSGI app without a socket between them."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = Client(app)

    def send(self, request: requests.PreparedRequest, **_how: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(str(request.url))
        body = request.body.encode() if isinstance(request.body, str) else request.body
        try:
            answer = self.app.open(
                parts.path,
                base_url=f"{parts.scheme}://{parts.netloc}",
                method=request.method,
                query_string=parts.query,
                headers=list(request.headers.items()),
                data=body,
            )
        except ConnectionError as dropped:
            raise requests.ConnectionError(str(dropped)) from dropped
        made = requests.Response()
        made.status_code, made.url, made.request = answer.status_code, str(request.url), request
        made.headers.update(answer.headers)
        made.raw = io.BytesIO(answer.data)
        return made

    def close(self) -> None:
        """Nothing is held open."""
