"""The Slack function in Lambda's runtime, frozen between invocations, before a table and Step Functions that stall."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from chatops.store.attributes import decode
from chatops.store.table import Table
from local.runtime.endpoint import LambdaRuntime
from local.runtime.template import Function, Template
from tests.faults.deliveries import KIM, KINDS, LEE, fill
from tests.faults.hostile_bodies import form
from tests.faults.hostile_requests import event, signed

ROOT = Path(__file__).resolve().parents[2]
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:chatops-deploy"
AWS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
READS = ("GetItem", "Query")
SLOW_NAMES = 4.0
"""Seconds that a name's resolution takes while it stalls."""

APP = f"""
    import importlib.util, os, socket, sys, time

    resolve = socket.getaddrinfo

    def slowly(*given, **more):
        if os.path.exists(os.environ["SLOW_NAMES"]):
            sys.audit("socket.getaddrinfo", given[0], given[1], 0, 0, 0)  # as the real one does first
            time.sleep({SLOW_NAMES})
        return resolve(*given, **more)

    socket.getaddrinfo = slowly
    spec = importlib.util.spec_from_file_location("slack_app", {str(ROOT / "lambdas" / "slack" / "app.py")!r})
    slack_app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(slack_app)

    def handler(event, context):
        if "seconds" in event:
            return time.sleep(event["seconds"])
        return slack_app.handler(event, context)
"""


class Fake(ThreadingHTTPServer):
    """AWS (moto's) and Slack. `drips`: the operations whose answers come a byte at a time. `told`: the texts that came
    through response URLs, by their paths. `asked`: Slack's methods that were called."""

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.drips: tuple[str, ...] = ()
        self.told: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.url = f"http://localhost:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Fake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/told"):
            self.server.told.setdefault(self.path, []).append(json.loads(body)["text"])
            self._answer(b"ok", drips=False)
        elif self.path.startswith("/api"):
            self.server.asked.append(self.path)
            self._answer(b'{"ok": true, "team_id": "T0ACME001", "user": {"team_id": "T0ACME001"}}', drips=False)
        else:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            asked = urllib.request.Request(self.server.behind, body, headers, method="POST")
            try:
                with urllib.request.urlopen(asked) as response:
                    status, answer = response.status, response.read()
            except urllib.error.HTTPError as error:
                status, answer = error.code, error.read()
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            self._answer(answer, drips=operation in self.server.drips, status=status)

    def _answer(self, body: bytes, *, drips: bool, status: int = 200) -> None:
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        whole = head.encode() + body
        with suppress(OSError):
            for n in range(20 if drips else 0):
                self.wfile.write(whole[n : n + 1])
                time.sleep(0.3)
            self.wfile.write(whole[20:] if drips else whole)

    def log_message(self, *_: object) -> None:
        """Quietly."""


class FrozenEdge:
    """`send` is one delivery of a kind (tests.faults.deliveries.KINDS), `thaw` lets what is frozen go on for a
    while."""

    def __init__(self, fake: Fake, rows: Table, states: Any, runtime: LambdaRuntime, slow_names: Path) -> None:
        self.fake, self.rows, self.states, self._runtime, self._slow_names = fake, rows, states, runtime, slow_names
        self._sent = 0

    @contextmanager
    def stalling(self, how: str) -> Iterator[None]:
        """`names`: they are resolved slowly; `reads` or `changes`: those answers drip."""
        if how == "names":
            self._slow_names.touch()
        self.fake.drips = {"reads": READS, "changes": CHANGES}.get(how, ())
        try:
            yield
        finally:
            self._slow_names.unlink(missing_ok=True)
            self.fake.drips = ()

    def send(self, kind: str) -> tuple[str, float, str]:
        """The answer's text, the seconds that it took, and the path of the response URL."""
        self._sent += 1
        found, path = KINDS[kind], f"/told/{self._sent}"
        unique = {"trigger_id": f"1.2.{self._sent}", "response_url": self.fake.url + path}
        if found.get("type") == "view_submission":
            private = json.loads(found["view"]["private_metadata"]) | {"response_url": unique["response_url"]}
            found = {**found, "view": {**found["view"], "private_metadata": json.dumps(private)}}
        raw = form(**found | unique) if "command" in found else form(payload=json.dumps({**found, **unique}))
        began = time.monotonic()
        invocation = self._runtime.invoke("slack", event(raw, signed(raw, int(time.time()))))
        assert invocation.error is None, invocation.payload
        assert invocation.payload["statusCode"] == 200
        return invocation.payload["body"], time.monotonic() - began, path

    def thaw(self, seconds: float) -> None:
        self._runtime.invoke("slack", {"seconds": seconds})

    def effects(self) -> Any:
        """Everything that somebody would notice."""
        items = self.rows._client.scan(TableName=self.rows.name)["Items"]
        found = sorted(json.dumps(decode(item), sort_keys=True, default=str) for item in items)
        started = self.states.list_executions(stateMachineArn=ARN)["executions"]
        return found, sorted(one["name"] for one in started), sorted(self.fake.asked)


CHANGES = ("StartExecution", "TransactWriteItems", "PutItem", "UpdateItem")


@contextmanager
def frozen_edge(folder: Path, processes: int) -> Iterator[FrozenEdge]:
    """With so many processes at most."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    behind = "http://{}:{}".format(*server.get_host_and_port())
    fake = Fake(behind)
    code, slow_names = folder / "slack", folder / "slow-names"
    code.mkdir()
    (code / "app.py").write_text(dedent(APP))
    environment = {
        "AWS_ENDPOINT_URL": fake.url,
        "SLACK_API_URL": f"{fake.url}/api/",
        "CHATOPS_TABLE": "chatops",
        "CHATOPS_STATE_MACHINE_ARN": ARN,
        "GITHUB_ID": "acme",
        "GITHUB_REPO": "checkout-api",
        "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
        "SLACK_BOT_TOKEN": "xoxb-local",
        "SLACK_APPROVERS": f"{LEE},{KIM}",
        "SLOW_NAMES": str(slow_names),
    }
    functions = {"slack": Function("slack", code, "app.handler", {}, 10)}
    template = Template(functions=functions, layer_dirs=(ROOT / "lambdas" / "shared",))
    try:
        rows, states = _behind(behind)
        with LambdaRuntime(template, environment, max_warm=processes, idle_seconds=60) as runtime:
            yield FrozenEdge(fake, rows, states, runtime, slow_names)
    finally:
        fake.shutdown()
        fake.server_close()
        server.stop()


def _behind(url: str) -> tuple[Table, Any]:
    dynamodb, states = (boto3.client(name, endpoint_url=url, **AWS) for name in ("dynamodb", "stepfunctions"))
    dynamodb.create_table(
        TableName="chatops",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    states.create_state_machine(name="chatops-deploy", definition="{}", roleArn="arn:aws:iam::123456789012:role/x")
    rows = Table("chatops", dynamodb)
    fill(rows)
    return rows, states
