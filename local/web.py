"""The local run's one web server: API Gateway's stage, the fakes and the page, each under its own path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from local.connections import ClosesConnections, listening
from local.guard import App, Guard


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive, as the services behind the fakes have it
    disable_nagle_algorithm = True

    def send_header(self, keyword: str, value: str) -> None:
        """An application's own Date stands instead of the server's, not beside it."""
        if keyword.lower() == "date":
            kept = [line for line in self.__dict__.get("_headers_buffer", []) if not line.startswith(b"Date:")]
            self._headers_buffer = kept
        super().send_header(keyword, value)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are seen in the fakes' own lists of calls."""


class _Server(ClosesConnections, ThreadedWSGIServer):
    daemon_threads = True


def beginning(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """While a session is being made: it is not there yet, and soon will be."""
    text = b"The bot is starting."
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text))), ("Retry-After", "1")]
    start_response("503 Service Unavailable", headers)
    return [text]


class Mounts:
    """Applications by first path segment; `whole` ones see the path with it (API Gateway's stage is part of it). `aws`:
    services by what X-Amz-Target begins with; they are asked at `/`. `root` has all that belongs to nothing else."""

    def __init__(
        self, shifted: Mapping[str, App], whole: Mapping[str, App], aws: Mapping[str, App], root: App | None = None
    ) -> None:
        self._shifted, self._whole, self._aws, self.root = dict(shifted), dict(whole), dict(aws), root

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        service = str(environ.get("HTTP_X_AMZ_TARGET", "")).partition(".")[0]
        if path == "/" and service in self._aws:
            return self._aws[service](environ, start_response)
        head, _, tail = path.lstrip("/").partition("/")
        if head in self._whole:
            return self._whole[head](environ, start_response)
        if head in self._shifted:
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{head}"
            environ["PATH_INFO"] = f"/{tail}"
            return self._shifted[head](environ, start_response)
        if self.root is not None:
            return self.root(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []


class WebServer:
    """Serves an application on a port (0: a free one) until closed, with the guard in front of it."""

    def __init__(self, app: App, host: str = "127.0.0.1", port: int = 0) -> None:
        with listening(host, port) as taken:
            self._server = _Server(host, port, Guard(app, host), handler=_Handler, fd=taken)
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and drop what is open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join(5)
