"""API Gateway's HTTP API in front of the functions: the same event in, the same reading of the answer.

Events: payload format 2.0,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlencode

ACCOUNT, API_ID, DOMAIN = "123456789012", "local", "local.execute-api.us-east-1.amazonaws.com"
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MAX_BODY = 10 * 1024 * 1024
# Bodies of these types are text to API Gateway; all others, Slack's forms among them, arrive base64-encoded.
TEXT = re.compile(r"^(text/.*|application/(.*\+)?(json|xml)|application/javascript)$")

Headers = Iterable[tuple[str, str]]


class Invocation(Protocol):
    """What a runtime answers with."""

    @property
    def payload(self) -> Any: ...
    @property
    def error(self) -> str | None: ...


class Runtime(Protocol):
    def invoke(self, name: str, event: Any, /) -> Invocation: ...


def http_api_event(
    method: str,
    raw_path: str,
    query: str = "",
    headers: Mapping[str, str] | Headers = (),
    body: bytes = b"",
    stage: str = "prod",
    *,
    route: str | None = None,
    source_ip: str = "127.0.0.1",
    now: float | None = None,
) -> dict[str, Any]:
    """The event of one request.

    `raw_path` as the client sent it, undecoded, with or without the stage; `route` is the route key's path
    if it has parameters ("/gifs/{name}"). Headers that come twice are joined by commas. `now` is in epoch
    seconds.
    """
    path = raw_path if raw_path == f"/{stage}" or raw_path.startswith(f"/{stage}/") else f"/{stage}{raw_path}"
    plain = path[len(stage) + 1 :] or "/"
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    joined: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    cookies = [part.strip() for part in joined.pop("cookie", "").split(";") if part.strip()]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method.upper()} {route or plain}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": joined,
        "requestContext": _context(
            method, path, joined, stage, f"{method.upper()} {route or plain}", source_ip, now
        ),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _query(query)
    if parameters := _match(route, plain):
        event["pathParameters"] = parameters
    if body:
        text = _as_text(body, joined.get("content-type", ""))
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(body).decode() if text is None else text
    return event


def _context(
    method: str,
    path: str,
    headers: Mapping[str, str],
    stage: str,
    key: str,
    source_ip: str,
    now: float | None,
) -> dict[str, Any]:
    moment = time.time() if now is None else now
    return {
        "accountId": ACCOUNT,
        "apiId": API_ID,
        "domainName": headers.get("host", DOMAIN),
        "domainPrefix": API_ID,
        "http": {
            "method": method.upper(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": uuid.uuid4().hex[:16],
        "routeKey": key,
        "stage": stage,
        "time": dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(moment * 1000),
    }


def _query(query: str) -> dict[str, str]:
    """Decoded; a name that comes twice has its values joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _as_text(body: bytes, content_type: str) -> str | None:
    if not TEXT.match(content_type.partition(";")[0].strip().lower()):
        return None
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _match(route: str | None, path: str) -> dict[str, str] | None:
    """Path parameters of a route such as "/gifs/{name}" or "/{proxy+}"; {} without any; None where it
    doesn't fit.
    """
    names: list[str] = []

    def group(found: re.Match[str]) -> str:
        names.append(found[1].rstrip("+"))
        return "(.+)" if found[1].endswith("+") else "([^/]+)"

    pattern = "".join(
        re.sub(r"\{([^}]+)\}", group, part) if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", route or path)
    )
    found = re.fullmatch(pattern, path)
    return (
        {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)} if found else None
    )


Response = tuple[int, list[tuple[str, str]], bytes]


def _json_response(status: int, body: Any) -> Response:
    return status, [("content-type", "application/json")], json.dumps(body).encode()


NOT_FOUND = _json_response(404, {"message": "Not Found"})
SERVER_ERROR = _json_response(500, {"message": "Internal Server Error"})
TOO_LARGE = _json_response(413, {"message": "Request Entity Too Large"})


def to_response(payload: Any) -> Response:
    """Status, headers and body of a function's answer.

    One without `statusCode` is the body of a 200, as JSON. One that cannot be an answer is a 500.
    """
    if not isinstance(payload, dict) or "statusCode" not in payload:
        return _json_response(200, payload)
    try:
        status = int(payload["statusCode"])
        body = payload.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        content = base64.b64decode(text, validate=True) if payload.get("isBase64Encoded") else text.encode()
        given = payload.get("headers") or {}
        headers = [(str(name).lower(), _header(value)) for name, value in given.items()]
        headers += [("set-cookie", str(cookie)) for cookie in payload.get("cookies") or []]
    except (ValueError, TypeError, AttributeError):
        return SERVER_ERROR
    if not 100 <= status <= 599:
        return SERVER_ERROR
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    return status, headers, content


def _header(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Gateway:
    """A WSGI application for /<stage>/…: finds the route, calls its function, answers.

    `routes`: route key ("POST /slack/events") to function name. An unknown path, or another method, is a
    404; a function that fails is a 500 that says nothing of why, as on AWS.
    """

    def __init__(self, runtime: Runtime, routes: Mapping[str, str], stage: str = "prod") -> None:
        self.runtime, self.routes, self.stage = runtime, dict(routes), stage

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        status, headers, content = self.respond(environ)
        if environ["REQUEST_METHOD"] == "HEAD":
            content = b""
        headers = [*headers, ("content-length", str(len(content)))]
        start_response(f"{status} {_phrase(status)}", headers)
        return [content]

    def respond(self, environ: Mapping[str, Any]) -> Response:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length > MAX_BODY:
            return TOO_LARGE
        body = environ["wsgi.input"].read(length) if length else b""
        method, raw_path = environ["REQUEST_METHOD"], _raw_path(environ)
        headers = _headers(environ)
        return self.call(
            method,
            raw_path,
            environ.get("QUERY_STRING", ""),
            headers,
            body,
            environ.get("REMOTE_ADDR", "127.0.0.1"),
        )

    def call(
        self,
        method: str,
        raw_path: str,
        query: str,
        headers: Headers,
        body: bytes,
        source_ip: str = "127.0.0.1",
    ) -> Response:
        """The same without WSGI."""
        prefix = f"/{self.stage}/"
        route = self._route(method, raw_path[len(prefix) - 1 :]) if raw_path.startswith(prefix) else None
        if route is None:
            return NOT_FOUND
        path = route.partition(" ")[2]
        event = http_api_event(
            method, raw_path, query, headers, body, self.stage, route=path, source_ip=source_ip
        )
        event["routeKey"] = event["requestContext"]["routeKey"] = route
        try:
            invocation = self.runtime.invoke(self.routes[route], event)
        except Exception:  # noqa: BLE001 - throttled, broken, closing: API Gateway gives them all one face
            return SERVER_ERROR
        return SERVER_ERROR if invocation.error else to_response(invocation.payload)

    def _route(self, method: str, path: str) -> str | None:
        """The route key: an exact path before one with parameters, a method before ANY, as HTTP APIs
        choose.
        """
        fitting = [
            key
            for key in self.routes
            if key.partition(" ")[0] in (method.upper(), "ANY")
            and _match(key.partition(" ")[2], path) is not None
        ]
        return min(fitting, key=lambda key: (key.count("{"), key.startswith("ANY")), default=None)


def _raw_path(environ: Mapping[str, Any]) -> str:
    """The path as it was sent. Servers that keep it say so; else it is encoded again."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw:
        return str(raw).partition("?")[0]
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return (
        urlencode({"": path}, safe="/:@!$&'()*,;=~", encoding="latin-1").removeprefix("=").replace("+", "%20")
    )


def _headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = [
        (name[5:].replace("_", "-"), str(value))
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    apart = ("CONTENT_TYPE", "CONTENT_LENGTH")
    return headers + [(name.replace("_", "-"), str(environ[name])) for name in apart if environ.get(name)]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
