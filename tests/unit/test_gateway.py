"""API Gateway's part: events in payload format 2.0, routes, and how a function's answer is read."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from fakes.slack.client import WAITED
from local.gateway import Gateway, http_api_event, to_response

FORM = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    payload: Any = None
    error: str | None = None


@dataclass
class FakeRuntime:
    answer: Answer | Exception = field(default_factory=Answer)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def invoke(self, name: str, event: Any) -> Answer:
        self.calls.append((name, event))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_slack_form_arrives_base64_encoded_byte_for_byte() -> None:
    body = b"command=%2Fplatform-deploy&text=v1.2.3\xff"
    event = http_api_event("POST", "/slack/events", "", {"Content-Type": FORM, "X-Slack-Signature": "v0=a"}, body)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body
    assert event["headers"] == {"content-type": FORM, "x-slack-signature": "v0=a"}


def test_the_event_has_the_shape_of_payload_format_2() -> None:
    event = http_api_event(
        "post",
        "/prod/stages/claim",
        "a=1&a=2&b=&c=x%20y",
        [("Host", "h.example"), ("User-Agent", "curl/8"), ("X-A", "1"), ("x-a", "2"), ("Cookie", "k=1; l=2")],
        b'{"ticket": "t"}',
        source_ip="192.0.2.1",
        now=1_700_000_000.5,
    )
    request = event["requestContext"].pop("requestId")
    assert request
    assert event == {
        "version": "2.0",
        "routeKey": "POST /stages/claim",
        "rawPath": "/prod/stages/claim",
        "rawQueryString": "a=1&a=2&b=&c=x%20y",
        "cookies": ["k=1", "l=2"],
        "headers": {"host": "h.example", "user-agent": "curl/8", "x-a": "1,2"},
        "queryStringParameters": {"a": "1,2", "b": "", "c": "x y"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "h.example",
            "domainPrefix": "local",
            "http": {
                "method": "POST",
                "path": "/prod/stages/claim",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8",
            },
            "routeKey": "POST /stages/claim",
            "stage": "prod",
            "time": "14/Nov/2023:22:13:20 +0000",
            "timeEpoch": 1_700_000_000_500,
        },
        "isBase64Encoded": True,
        "body": base64.b64encode(b'{"ticket": "t"}').decode(),
    }


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("application/json", b'{"a": 1}', False),
        ("application/json; charset=utf-8", "é".encode(), False),
        ("APPLICATION/JSON", b"{}", False),
        ("application/vnd.api+json", b"{}", False),
        ("text/plain", b"hello", False),
        ("application/json", b"\xff\xfe", True),
        (FORM, b"a=1", True),
        ("image/gif", b"GIF89a", True),
        ("", b"anything", True),
    ],
)
def test_text_stays_text_and_the_rest_is_base64(kind: str, body: bytes, encoded: bool) -> None:
    event = http_api_event("POST", "/x", "", {"Content-Type": kind} if kind else {}, body)
    assert event["isBase64Encoded"] is encoded
    text = event["body"]
    assert (base64.b64decode(text) if encoded else text.encode()) == body


def test_no_body_no_query_no_keys() -> None:
    event = http_api_event("GET", "/prod/gifs/deploying.gif", "", {}, route="/gifs/{name}")
    assert event["routeKey"] == "GET /gifs/{name}"
    assert event["pathParameters"] == {"name": "deploying.gif"}
    assert not {"body", "queryStringParameters", "cookies"} & set(event)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"a": 1}, (200, [("content-type", "application/json")], b'{"a": 1}')),
        ("hello", (200, [("content-type", "application/json")], b'"hello"')),
        (None, (200, [("content-type", "application/json")], b"null")),
        ({"statusCode": 204}, (204, [("content-type", "text/plain; charset=utf-8")], b"")),
        (
            {
                "statusCode": "200",
                "headers": {"Content-Type": "image/gif"},
                "body": "R0lG",
                "isBase64Encoded": True,
            },
            (200, [("content-type", "image/gif")], b"GIF"),
        ),
        (
            {"statusCode": 200, "headers": {"X-N": 1, "X-T": True}, "body": "é", "cookies": ["a=1"]},
            (
                200,
                [
                    ("x-n", "1"),
                    ("x-t", "true"),
                    ("set-cookie", "a=1"),
                    ("content-type", "text/plain; charset=utf-8"),
                ],
                "é".encode(),
            ),
        ),
    ],
)
def test_answers_are_read_as_api_gateway_reads_them(payload: Any, expected: Any) -> None:
    assert to_response(payload) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"statusCode": "nothing"},
        {"statusCode": 9000},
        {"statusCode": 200, "headers": "no"},
        {"statusCode": 200, "body": "***", "isBase64Encoded": True},
    ],
)
def test_an_answer_that_cannot_be_one_is_a_500(payload: Any) -> None:
    status, _, body = to_response(payload)
    assert (status, json.loads(body)) == (500, {"message": "Internal Server Error"})


ROUTES = {
    "POST /slack/events": "slack",
    "GET /gifs/{name}": "gifs",
    "GET /gifs/plain.gif": "plain",
    "ANY /any/{p+}": "any",
}


def request(
    gateway: Gateway, method: str, path: str, body: bytes = b"", **more: str
) -> tuple[str, dict[str, str], bytes]:
    seen: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "REMOTE_ADDR": "192.0.2.7",
        **more,
    }
    content = b"".join(gateway(environ, lambda status, headers: seen.extend((status, headers))))
    return seen[0], dict(seen[1]), content


def test_a_request_reaches_its_function_and_the_answer_its_client() -> None:
    runtime = FakeRuntime(Answer({"statusCode": 200, "body": "ok"}))
    more = {"CONTENT_TYPE": FORM, "HTTP_X_SLACK_REQUEST_TIMESTAMP": "1"}
    status, headers, content = request(Gateway(runtime, ROUTES), "POST", "/prod/slack/events", b"a=1", **more)
    assert (status, content, headers["content-length"]) == ("200 OK", b"ok", "2")
    name, event = runtime.calls[0]
    assert name == "slack"
    assert event["rawPath"] == "/prod/slack/events"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "POST /slack/events"
    assert event["headers"] == {"x-slack-request-timestamp": "1", "content-type": FORM, "content-length": "3"}
    assert event["requestContext"]["http"]["sourceIp"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/prod/gifs/a.gif", "gifs"),
        ("GET", "/prod/gifs/plain.gif", "plain"),
        ("DELETE", "/prod/any/a/b", "any"),
        ("GET", "/prod/gifs/a/b", None),
        ("GET", "/prod/gifs/", None),
        ("GET", "/prod/slack/events", None),
        ("POST", "/slack/events", None),
        ("POST", "/prodslack/events", None),
        ("POST", "/prod/slack/events/", None),
        ("GET", "/prod", None),
    ],
)
def test_routes(method: str, path: str, name: str | None) -> None:
    runtime = FakeRuntime(Answer({"statusCode": 200}))
    status, _, content = request(Gateway(runtime, ROUTES), method, path)
    assert [call[0] for call in runtime.calls] == ([name] if name else [])
    if name is None:
        assert (status, json.loads(content)) == ("404 Not Found", {"message": "Not Found"})


def test_path_parameters_are_decoded_and_the_raw_path_is_not() -> None:
    runtime = FakeRuntime(Answer({"statusCode": 200}))
    request(Gateway(runtime, ROUTES), "GET", "/prod/gifs/a b.gif")
    event = runtime.calls[0][1]
    assert (event["rawPath"], event["pathParameters"]) == ("/prod/gifs/a%20b.gif", {"name": "a b.gif"})


@pytest.mark.parametrize("answer", [Answer({"errorType": "KeyError"}, "KeyError"), RuntimeError("secret detail")])
def test_a_function_that_fails_says_nothing_of_why(answer: Answer | Exception) -> None:
    status, _, content = request(Gateway(FakeRuntime(answer), ROUTES), "POST", "/prod/slack/events")
    assert (status, json.loads(content)) == (
        "500 Internal Server Error",
        {"message": "Internal Server Error"},
    )


def test_more_than_ten_megabytes_never_reach_a_function() -> None:
    runtime = FakeRuntime()
    more = {"CONTENT_LENGTH": str(10 * 1024 * 1024 + 1)}
    status, _, content = request(Gateway(runtime, ROUTES), "POST", "/prod/slack/events", b"", **more)
    assert status.startswith("413 ")  # Python 3.13 calls it Content Too Large
    assert json.loads(content) == {"message": "Request Entity Too Large"}
    assert runtime.calls == []


def test_head_has_no_body() -> None:
    gateway = Gateway(FakeRuntime(Answer({"statusCode": 200, "body": "text"})), ROUTES)
    status, headers, content = request(gateway, "HEAD", "/prod/any/x")
    assert (status, headers["content-length"], content) == ("200 OK", "0", b"")


def test_a_request_arrives_when_its_turn_comes_people_before_machines_and_its_answer_says_how_long_it_waited() -> None:
    order, begun, go = list[str](), threading.Event(), threading.Event()

    class Slow(FakeRuntime):
        def invoke(self, name: str, event: Any) -> Answer:
            order.append(event["rawPath"])
            begun.set()
            assert go.wait(10)
            return super().invoke(name, event)

    runtime = Slow(Answer({"statusCode": 200}))
    gateway = Gateway(runtime, {**ROUTES, "POST /stages/claim": "stage"}, at_once=1)
    paths = ["/prod/any/x", "/prod/stages/claim", "/prod/slack/events"]
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(request, gateway, "POST", paths[0])]
        assert begun.wait(10)
        for number, path in enumerate(paths[1:], 1):
            answers.append(threads.submit(request, gateway, "POST", path))
            while gateway.waiting < number:
                threading.Event().wait(0.001)
        let_in = time.time()
        threading.Event().wait(0.02)
        go.set()
    assert order == [paths[0], paths[2], paths[1]]
    arrived = [event["requestContext"]["timeEpoch"] / 1000 for _, event in runtime.calls]
    assert arrived[0] < let_in + 0.001 <= arrived[1] + 0.001, "the time is that of its turn"
    waited = [answer.result()[1].get(WAITED) for answer in answers]
    assert waited[0] is None
    assert all(float(said or 0) >= 0.02 for said in waited[1:]), waited
