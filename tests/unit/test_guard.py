"""Every port of the local run: programs are answered, other sites that are open in a browser here are not.

The ports are those that a running session listens at, found by the operating system, so that none is forgotten.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import boto3
import pytest
import requests
from botocore.config import Config

from local.guard import names, refusal
from local.page.server import Page
from local.session import CREDENTIALS, Session

KINDS = ("web", "engine", "Lambda")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound to it
INVOKE = "/2015-03-31/functions/plan/invocations"
PATHS = {
    "web": ("/", "/api/messages", "/_slack/api/auth.test", "/_github/user", "/_sts/"),
    "engine": ("/",),
    "Lambda": (INVOKE,),
}


def listening() -> dict[int, str]:
    """Port -> address of every TCP socket of this process that takes connections."""
    found = {}
    for number in range(os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536):
        with suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as one:
                if one.family == socket.AF_INET and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found[one.getsockname()[1]] = one.getsockname()[0]
    return found


class Running:
    """A session with its page. `ports`: by kind; one that nobody has a kind for has its number for a name."""

    def __init__(self, stack: ExitStack) -> None:
        before = listening()
        self.session = Session(stack, events=False)
        page = Page(self.session)
        stack.callback(page.close)
        self.session.mount_page(page.app)
        self.addresses = {port: address for port, address in listening().items() if port not in before}
        urls = (self.session.url, self.session.engine_url, self.session.runtime.url)
        kinds = {int(url.rpartition(":")[2]): kind for url, kind in zip(urls, KINDS, strict=True)}
        self.ports = {kinds.get(port, str(port)): port for port in self.addresses}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(stack)


def test_there_are_three_ports_on_the_loopback_alone(running: Running) -> None:
    """A fourth has to be tried here, too."""
    assert sorted(running.ports) == sorted(KINDS)
    assert set(running.addresses.values()) == {"127.0.0.1"}


REBOUND = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "host.docker.internal", "10.0.0.1", "")
CROSS = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:3000"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
)
SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
"""What a page sends without asking first: https://fetch.spec.whatwg.org/#cors-safelisted-request-header"""


def test_a_name_that_leads_here_by_dns_is_refused(running: Running) -> None:
    for kind, port in running.ports.items():
        for path in PATHS[kind]:
            for name in REBOUND:
                for method in ("GET", "POST", "OPTIONS"):
                    headers = {"Host": f"{name}:{port}" if name else ""}
                    answer = requests.request(method, f"http://127.0.0.1:{port}{path}", headers=headers, timeout=5)
                    assert answer.status_code == 403, (kind, path, name, method)


def test_a_page_of_another_site_is_refused_whatever_it_sends(running: Running) -> None:
    start = {"stateMachineArn": running.session.machine_arn, "name": "from-a-page", "input": "{}"}
    for kind, port in running.ports.items():
        for path in PATHS[kind]:
            for site in CROSS:
                for content_type in SIMPLE:
                    headers = {**site, "Content-Type": content_type}
                    answer = requests.post(
                        f"http://127.0.0.1:{port}{path}", json.dumps(start), headers=headers, timeout=5
                    )
                    assert answer.status_code == 403, (kind, path, headers)
                    assert "Access-Control-Allow-Origin" not in answer.headers
    target = {"X-Amz-Target": "AWSStepFunctions.StartExecution", "Content-Type": "application/x-amz-json-1.0"}
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    url = running.session.engine_url
    assert requests.options(url, headers=asked, timeout=5).status_code == 403, "moto would allow it"
    assert requests.post(url, json.dumps(start), headers={**target, **asked}, timeout=5).status_code == 403
    assert running.session.executions() == []
    assert sum(running.session.runtime.invocations.values()) == 0


def test_a_refused_body_is_not_taken_for_the_next_request(running: Running) -> None:
    """A page may put a whole request into the body of its own."""
    for kind, port in running.ports.items():
        inner = f"POST {PATHS[kind][0]} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 2\r\n\r\n{{}}"
        outer = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: https://evil.example\r\n"
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            client.sendall(f"{outer}Content-Length: {len(inner)}\r\n\r\n{inner}".encode())
            answer = b""
            with suppress(ConnectionResetError):
                while part := client.recv(65536):
                    answer += part
        assert answer.count(b"HTTP/1.1 ") == 1, (kind, answer)
        assert answer.startswith(b"HTTP/1.1 403"), kind
    assert sum(running.session.runtime.invocations.values()) == 0


def test_programs_and_the_page_are_answered(running: Running) -> None:
    session = running.session
    port = running.ports["web"]
    assert session.sfn.list_state_machines()["stateMachines"]
    config = Config(retries={"max_attempts": 0})
    functions = boto3.client("lambda", endpoint_url=session.runtime.url, config=config, **CREDENTIALS)
    for url in (session.url, f"http://localhost:{port}"):
        own = {"Origin": url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        assert requests.post(f"{url}/api/slash", "{}", headers=own, timeout=5).status_code == 400
        assert requests.get(f"{url}/api/messages", headers={"Sec-Fetch-Site": "none"}, timeout=5).status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert requests.get(session.url, headers=link, timeout=5).status_code == 200
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="no-such-function")


@pytest.mark.parametrize(
    ("host", "listens", "more", "answered"),
    [
        ("host.docker.internal:9301", "172.17.0.1", ("host.docker.internal",), True),
        ("host.docker.internal:9301", "127.0.0.1", (), False),
        ("172.17.0.1:9301", "172.17.0.1", (), True),
        ("172.17.0.2:9301", "172.17.0.1", (), False),
        ("192.168.0.7:9301", EVERYWHERE, (), True),
        ("evil.example:9301", EVERYWHERE, (), False),
        ("[::1]:9301", "127.0.0.1", (), True),
        ("LOCALHOST", "127.0.0.1", (), True),
        ("[::1", "127.0.0.1", (), False),
    ],
)
def test_a_port_for_a_container_answers_to_the_names_that_it_has_there(
    host: str, listens: str, more: tuple[str, ...], answered: bool
) -> None:
    """An engine in Docker calls the functions as host.docker.internal, at LAMBDA_HOST (local/container.py)."""
    why = refusal("POST", lambda name: host if name == "Host" else "", names(listens, more))
    assert bool(why) is not answered
