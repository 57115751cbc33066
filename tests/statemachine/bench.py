"""A bench for the embedded engine: an engine, functions written in place, and the calls that tests make."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
from botocore.config import Config

from local.connections import ClosesConnections
from local.engine import EmbeddedEngine

ROLE = "arn:aws:iam::123456789012:role/engine"
_session = boto3.session.Session()


class RefusalError(Exception):
    """Raised by a function to make Lambda itself answer with an error."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Functions:
    """Lambda's Invoke API over plain callables; `calls` are the (name, event) pairs so far."""

    def __init__(self) -> None:
        self.table: dict[str, Callable[[Any], Any]] = {"echo": lambda event: event}
        self.calls: list[tuple[str, Any]] = []
        self.tokens: dict[str, str] = {}
        self._arrived = threading.Condition()
        self.table["take"] = self._take
        functions = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, headers, body = functions.answer(self.path, event)
                self.send_response(status)
                for key, value in {
                    **headers,
                    "x-amzn-RequestId": "r-1",
                    "Content-Length": str(len(body)),
                }.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

        class Server(ClosesConnections, ThreadingHTTPServer):
            pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def answer(self, path: str, event: Any) -> tuple[int, dict[str, str], bytes]:
        name = path.split("/functions/")[1].split("/", maxsplit=1)[0].replace("%3A", ":").split("function:")[-1]
        self.calls.append((name, event))
        try:
            return 200, {}, json.dumps(self.table[name](event)).encode()
        except RefusalError as refusal:
            headers = {"x-amzn-ErrorType": refusal.code}
            return refusal.status, headers, json.dumps({"Message": "no"}).encode()
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its answer
            body = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return 200, {"X-Amz-Function-Error": "Unhandled"}, json.dumps(body).encode()

    def _take(self, event: Any) -> Any:
        with self._arrived:
            self.tokens[event["key"]] = event["token"]
            self._arrived.notify_all()
        return {}

    def token(self, key: str, timeout: float = 20.0) -> str:
        """The token that a task handed to `take` under `key`; waits for it."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: key in self.tokens, timeout), f"no token {key} came"
            return self.tokens.pop(key)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.drop_connections()
        self._thread.join(3)


class Bench:
    """Calls of a test against one engine."""

    def __init__(self, url: str, functions: Functions) -> None:
        self.functions, self.url = functions, url
        self.sfn = _session.client(
            "stepfunctions",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=10,
                inject_host_prefix=False,
                max_pool_connections=50,
            ),
        )

    def create(self, states: dict[str, Any], **machine: Any) -> str:
        definition = {"StartAt": next(iter(states)), "States": states, **machine}
        name = f"m-{uuid.uuid4().hex}"
        made = self.sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
        return str(made["stateMachineArn"])

    def start(self, machine: str | dict[str, Any], given: Any = None, **more: Any) -> str:
        arn = machine if isinstance(machine, str) else self.create(machine)
        begun = self.sfn.start_execution(
            stateMachineArn=arn,
            **{"name": uuid.uuid4().hex, "input": json.dumps({} if given is None else given), **more},
        )
        return str(begun["executionArn"])

    def wait(self, execution: str, timeout: float = 20.0) -> dict[str, Any]:
        """DescribeExecution's answer, once the execution has ended."""
        deadline = time.monotonic() + timeout
        while True:
            answer: dict[str, Any] = self.sfn.describe_execution(executionArn=execution)
            if answer["status"] != "RUNNING":
                return answer
            assert time.monotonic() < deadline, f"still running; last events {self.types(execution)[-5:]}"
            time.sleep(0.01)

    def run(self, machine: str | dict[str, Any], given: Any = None, timeout: float = 20.0) -> dict[str, Any]:
        return self.wait(self.start(machine, given), timeout)

    def output(self, machine: str | dict[str, Any], given: Any = None, timeout: float = 20.0) -> Any:
        """What the execution returned; it must have succeeded."""
        ended = self.run(machine, given, timeout)
        assert ended["status"] == "SUCCEEDED", (ended["status"], ended.get("error"), ended.get("cause"))
        return json.loads(ended["output"])

    def types(self, execution: str) -> list[str]:
        history = self.sfn.get_execution_history(executionArn=execution, maxResults=1000)
        return [event["type"] for event in history["events"]]

    def task(self, name: str, *, direct: bool = True, **more: Any) -> dict[str, Any]:
        """A Task state that calls a function, by its ARN or through the optimised integration."""
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        if direct:
            state = {"Type": "Task", "Resource": arn, **more}
        else:
            payload = more.pop("Payload", {})
            parameters = {
                "FunctionName": arn,
                **({"Payload.$": payload} if payload == "$" else {"Payload": payload}),
            }
            state = {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": parameters,
                **more,
            }
        return state if "Next" in state else {**state, "End": True}

    def token_task(self, key: str, function: str = "take", **more: Any) -> dict[str, Any]:
        state = self.task(function, direct=False, Payload={"key": key, "token.$": "$$.Task.Token"}, **more)
        return {**state, "Resource": f"{state['Resource']}.waitForTaskToken"}


@contextmanager
def bench(scale: float = 0.02, without: Collection[str] = ()) -> Iterator[Bench]:
    functions = Functions()
    try:
        with EmbeddedEngine(functions.url, scale, without=without) as engine:
            yield Bench(engine.url, functions)
    finally:
        functions.close()


def caught(*errors: str, then: str = "Caught", path: str | None = "$.error") -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(errors), "Next": then, "ResultPath": path}]
