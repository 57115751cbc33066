"""Who may ask a port of the local run: programs, and the run's own page; no other site that is open in a browser here.

A browser reaches 127.0.0.1 for whatever site it shows. Such a site's request bears either the site's own name (`Host`,
where the name now leads to 127.0.0.1: DNS rebinding), or the browser's word for where it comes from (`Origin`,
`Sec-Fetch-Site`; https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site). Programs send
neither of the latter. A link to the page may stand anywhere.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Header = Callable[[str], str]
"""The request's header of a name; an empty text where it has none."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONTAINER = "host.docker.internal"
"""What this machine is called inside of a container."""


def names(host: str, more: Collection[str] = ()) -> frozenset[str]:
    """The names by which a server that listens at `host` may be asked."""
    return LOOPBACK | {host.lower(), *more}


def refusal(method: str, header: Header, known: Collection[str]) -> str:
    """Why the request is not answered; empty where it is."""
    host = header("Host").strip().lower()
    if not _names(host, known):
        return f"This port answers to the names of this machine, not to {host[:100] or 'a request without one'}."
    if (origin := header("Origin").strip().lower()) and origin.partition("://")[2] != host:
        return "This came from another site."
    if header("Sec-Fetch-Site") in ("", "same-origin", "none"):
        return ""
    link = method in ("GET", "HEAD") and header("Sec-Fetch-Mode") == "navigate"
    return "" if link and header("Sec-Fetch-Dest") == "document" else "This came from another site."


def _names(host: str, known: Collection[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in known or (bool({"0.0.0.0", "::"} & set(known)) and _address(name))


def _address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """A WSGI application in front of another: 403 for whom `refusal` names."""

    def __init__(self, app: App, host: str) -> None:
        self._app, self._known = app, names(host)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def header(name: str) -> str:
            return str(environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

        why = refusal(str(environ["REQUEST_METHOD"]), header, self._known)
        if not why:
            return self._app(environ, start_response)
        body = why.encode()
        # werkzeug ends the connection with the answer: what the body holds is not taken for another request
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response("403 Forbidden", headers)
        return [body]
