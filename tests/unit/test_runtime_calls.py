"""A function's process killed at one of its calls: exactly there, and as Lambda reports it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

import pytest

from local.runtime.calls import NOWHERE, Death
from local.runtime.endpoint import LambdaRuntime
from local.runtime.template import Function, Template

CODE = """
    import urllib.request

    import boto3
    import requests

    WEB = requests.Session()

    def handler(event, context):
        url = event["url"]
        table = boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1")
        table.delete_item(TableName="t", Key={"pk": {"S": event.get("first", "a")}})
        table.delete_item(TableName="t", Key={"pk": {"S": event.get("second", "b")}})
        WEB.post(url + "/_github/repos/acme/shop/actions/runs/17210000000/cancel", json={}, timeout=5)
        urllib.request.urlopen(urllib.request.Request(url + "/_slack/api/chat.update", b"{}"), timeout=5).read()
        return "done"
"""
NAMES = ("DynamoDB.DeleteItem", "DynamoDB.DeleteItem", "GitHub.POST.actions.runs.*.cancel", "Slack.chat.update")


class Fake:
    """Whoever is called: what arrived, in order."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        arrived = self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                arrived.append(self.headers.get("X-Amz-Target", "").rpartition(".")[2] or self.path.rpartition("/")[2])
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LambdaRuntime]:
    folder = tmp_path_factory.mktemp("calls")
    (folder / "app.py").write_text(dedent(CODE))
    functions = {"calls": Function("calls", folder, "app.handler", {}, 10, 256)}
    with LambdaRuntime(Template(functions=functions), {}, log_dir=Path(folder) / "logs") as running:
        yield running


ARRIVE = ["DeleteItem", "DeleteItem", "cancel", "chat.update"]
WAYS = [
    (Death("DynamoDB.DeleteItem", 1, "before"), 0),
    (Death("DynamoDB.DeleteItem", 1, "after"), 1),
    (Death("DynamoDB.DeleteItem", 2, "before"), 1),
    (Death("DynamoDB.DeleteItem", 2, "after"), 2),
    (Death("GitHub.POST.actions.runs.*.cancel", 1, "before"), 2),
    (Death("GitHub.POST.actions.runs.*.cancel", 1, "after"), 3),
    (Death("Slack.chat.update", 1, "before"), 3),
    (Death("Slack.chat.update", 1, "after"), 4),
]


@pytest.mark.parametrize(
    ("death", "arrives"),
    WAYS,
    ids=lambda value: f"{value.when} {value.call} {value.nth}" if isinstance(value, Death) else "",
)
def test_it_dies_there_and_the_other_side_knows_that_much(
    death: Death, arrives: int, runtime: LambdaRuntime, fake: Fake
) -> None:
    runtime.deaths = lambda name, event: death
    died = runtime.invoke("calls", {"url": fake.url})
    assert died.error == died.payload["errorType"] == "Runtime.OutOfMemory"
    assert died.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert fake.arrived == ARRIVE[:arrives]
    runtime.deaths = lambda name, event: None
    again = runtime.invoke("calls", {"url": fake.url})
    assert (again.error, again.payload, again.calls) == (None, "done", NAMES)


def test_a_point_that_is_not_reached_kills_nobody(runtime: LambdaRuntime, fake: Fake) -> None:
    runtime.deaths = lambda name, event: Death("DynamoDB.DeleteItem", 3, "before")
    assert runtime.invoke("calls", {"url": fake.url}).payload == "done"


def test_nobody_watches_unless_somebody_asks_for_it(runtime: LambdaRuntime, fake: Fake) -> None:
    runtime.deaths = None
    assert runtime.invoke("calls", {"url": fake.url}).calls == ()


def test_who_is_to_die_or_to_be_recorded_is_a_fresh_process(runtime: LambdaRuntime, fake: Fake) -> None:
    runtime.deaths = lambda name, event: None
    runtime.invoke("calls", {"url": fake.url})
    assert not runtime.invoke("calls", {"url": fake.url}).cold
    runtime.deaths = lambda name, event: NOWHERE
    assert runtime.invoke("calls", {"url": fake.url}).cold


def test_only_calls_about_something_count(runtime: LambdaRuntime, fake: Fake) -> None:
    """`sweep` looks after many deployments: the calls from the first one on that names it, until one that names
    another."""
    about = Death("DynamoDB.DeleteItem", 1, "after", ("d-mine",), r"d-\w+")
    runtime.deaths = lambda name, event: about
    died = runtime.invoke("calls", {"url": fake.url, "first": "d-other", "second": "d-mine"})
    assert died.error == "Runtime.OutOfMemory"
    assert fake.arrived == ["DeleteItem", "DeleteItem"]
    seen = runtime.invoke("calls", {"url": fake.url, "first": "d-other", "second": "d-third"})
    assert (seen.payload, seen.calls) == ("done", ())
    watched = Death("", 0, "", ("d-mine",), r"d-\w+")
    runtime.deaths = lambda name, event: watched
    assert runtime.invoke("calls", {"url": fake.url, "first": "d-mine", "second": "d-third"}).calls == NAMES[:1]
    assert json.loads(json.dumps(about.order()))["about"] == ["d-mine"]
