"""What `sweep` needs for two thousand open deployments: the real handler with boto3's real clients, whose requests are
answered here; its processor time at its memory, and the waiting that its threads share."""

from __future__ import annotations

import importlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from bench import limits
from chatops import aws, clock
from chatops.settings import config
from chatops.steps import sweep
from chatops.store import table as rows
from local.runtime.intrinsics import load_yaml
from tests.faults.races.fakes import DANA
from tests.simulator.session import ENVIRONMENT
from tests.simulator.table import Table

OPEN = 2000
ANSWER = 0.035
"""Seconds in which AWS answers, DynamoDB and Step Functions alike."""
UNTIL, TIMEOUT = sweep.OPEN, 30
"""Seconds: until when `sweep` looks at open deployments, and what the function has (template.yaml)."""
MACHINE = ENVIRONMENT["CHATOPS_STATE_MACHINE_ARN"]


class Raw:
    """The body of an answer, as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


class Aws:
    """Answers requests before they are sent. `calls`: how many, by operation. `seconds`: its own processor time.
    `unlisted`: ARNs of running executions that the list does not have yet; `lists`: whether there is a list at all."""

    def __init__(self) -> None:
        self.table, self.calls, self.seconds = Table(), Counter[str](), 0.0
        self.unlisted: set[str] = set()
        self.lists = True

    def client(self, service: str, **_: Any) -> Any:
        made = boto3.client(service)
        made.meta.events.register("before-send", self._answer)
        return made

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        began = time.thread_time()
        target = request.headers["X-Amz-Target"]
        operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
        self.calls[operation] += 1
        asked = json.loads(request.body)
        if operation == "DescribeExecution":
            found = {"executionArn": asked["executionArn"], "stateMachineArn": MACHINE, "name": "x", "startDate": 1.0}
            answer: dict[str, Any] = {**found, "status": "RUNNING", "input": "{}"}
        elif operation == "ListExecutions":
            if not self.lists:
                refused = Raw(json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode())
                return AWSResponse(request.url, 400, {"Content-Type": "application/x-amz-json-1.0"}, refused)
            assert (asked["stateMachineArn"], asked["statusFilter"]) == (MACHINE, "RUNNING")
            answer = self._page(int(asked.get("nextToken", "0")), asked["maxResults"])
        else:
            kinds = {"GetItem": self.table.get, "Query": self.table.query, "PutItem": self.table.put}
            answer = kinds[operation](asked)
        body = Raw(json.dumps(answer).encode())
        self.seconds += time.thread_time() - began
        return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, body)

    def _page(self, start: int, most: int) -> dict[str, Any]:
        arns = [row["execution_arn"]["S"] for (pk, _), row in sorted(self.table.items.items()) if pk == "OPEN"]
        names = [arn for arn in arns[start : start + most] if arn not in self.unlisted]
        about = {"stateMachineArn": MACHINE, "name": "x", "status": "RUNNING", "startDate": 1.0}
        further = {"nextToken": str(start + most)} if start + most < len(arns) else {}
        return {"executions": [{"executionArn": arn, **about} for arn in names], **further}

    def opened(self, count: int) -> None:
        """Deployments whose executions run."""
        for number in range(count):
            name = f"d-{number:04}"
            arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
            about = {"target": "dev", "deployment_id": name, "execution_arn": arn, "started_at": clock.iso(1)}
            plan = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": DANA}, "started_at": 1.0}
            kept = {**about, "history": "x", "plan": json.dumps(plan)}
            self.table.put(rows.put({"pk": f"DEPLOYMENT#{name}", "sk": "RECORD", **kept}))
            self.table.put(rows.put({"pk": "OPEN", "sk": name, **about}))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    for name, value in {**ENVIRONMENT, "ECS_CLUSTER_NAME": "checkout", "ECS_SERVICE_NAME": "checkout-api"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_ID", "acme")
    monkeypatch.setenv("GITHUB_REPO", "checkout-api")
    config.reset()
    made = Aws()
    monkeypatch.setattr(aws, "client", cache(made.client))
    monkeypatch.setattr(sweep, "OPEN", 1000.0)  # on a busy machine, too, all of them are looked at
    monkeypatch.setattr(sweep, "LOCKS", 1000.0)
    yield made
    config.reset()


def memory() -> int:
    """Megabytes of the function, by template.yaml."""
    template = load_yaml((Path(__file__).parents[3] / "template.yaml").read_text("utf-8"))
    [made] = [r["Properties"] for r in template["Resources"].values() if "lambdas/sweep" in str(r.get("Properties"))]
    return int(made.get("MemorySize", template["Globals"]["Function"]["MemorySize"]))


@pytest.mark.slow
def test_two_thousand_open_deployments_take_less_than_its_time_at_its_memory(service: Aws) -> None:
    handler = importlib.import_module("lambdas.sweep.app").handler
    service.opened(OPEN)
    handler({}, None)  # the imports and the clients, which belong to a cold start
    service.calls.clear()
    service.seconds, before = 0.0, limits.calibrate()
    began = time.process_time()
    handler({}, None)
    spent = limits.used(time.process_time() - began - service.seconds, (before + limits.calibrate()) / 2)
    assert (service.calls["DescribeExecution"], service.calls["ListExecutions"]) == (0, OPEN // 1000)
    computing = spent * limits.SLOWER * limits.WHOLE / min(memory(), limits.WHOLE)
    waiting = service.calls.total() * ANSWER / sweep.POOL
    # the threads compute while others wait; nothing of its last phase is begun after UNTIL
    assert max(computing, waiting) < UNTIL, (computing, waiting)
    assert computing + waiting < TIMEOUT, (computing, waiting)


@pytest.mark.parametrize(("lists", "asked"), [(True, 1), (False, sweep.MANY + 1)])
def test_an_execution_that_is_not_listed_is_asked_about(service: Aws, lists: bool, asked: int) -> None:
    service.opened(sweep.MANY + 1)
    service.unlisted, service.lists = {f"{MACHINE.replace(':stateMachine:', ':execution:')}:d-0007"}, lists
    done = importlib.import_module("lambdas.sweep.app").handler({}, None)
    assert (service.calls["DescribeExecution"], done["settled"]) == (asked, [])
