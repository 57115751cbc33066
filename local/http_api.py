"""What API Gateway's HTTP API makes of a request for a function, and of the function's answer for the client.

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
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

ACCOUNT, API_ID, DOMAIN = "123456789012", "local", "local.execute-api.us-east-1.amazonaws.com"
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MAX_BODY = 10 * 1024 * 1024
# Bodies of these types are text to API Gateway; all others, Slack's forms among them, arrive base64-encoded.
TEXT = re.compile(r"^(text/.*|application/(.*\+)?(json|xml)|application/javascript)$")

Headers = Iterable[tuple[str, str]]


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
        "requestContext": _context(method, path, joined, stage, f"{method.upper()} {route or plain}", source_ip, now),
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _query(query)
    if parameters := match_route(route, plain):
        event["pathParameters"] = parameters
    if body:
        text = _as_text(body, joined.get("content-type", ""))
        event["isBase64Encoded"] = text is None
        event["body"] = base64.b64encode(body).decode() if text is None else text
    return event


def _context(
    method: str, path: str, headers: Mapping[str, str], stage: str, key: str, source_ip: str, now: float | None
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


def match_route(route: str | None, path: str) -> dict[str, str] | None:
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
    return {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)} if found else None


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
