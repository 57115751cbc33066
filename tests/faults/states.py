"""Step Functions as far as the functions use it: names that are taken for ever, tokens that are answered once."""

from __future__ import annotations

import threading
from collections import Counter

from botocore.exceptions import ClientError


class ExecutionAlreadyExists(ClientError):
    pass


class ExecutionDoesNotExist(ClientError):
    pass


class Exceptions:
    ClientError = ClientError
    ExecutionAlreadyExists = ExecutionAlreadyExists
    ExecutionDoesNotExist = ExecutionDoesNotExist


class States:
    """`started`: each execution's input by its name. `ended`: those that run no more. `waiting`: live task tokens.
    `woken`: the tokens that were answered, in order. `calls`: how often each operation was called.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html: the same name with the same
    input is one execution while it runs; with another input, or after its end, ExecutionAlreadyExists.
    """

    exceptions = Exceptions

    def __init__(self) -> None:
        self.started: dict[str, str] = {}
        self.ended: set[str] = set()
        self.waiting: set[str] = set()
        self.woken: list[str] = []
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803 - botocore's
        with self._lock:
            self.calls["start"] += 1
            if name in self.started and (name in self.ended or self.started[name] != input):
                raise ExecutionAlreadyExists({"Error": {"Code": "ExecutionAlreadyExists"}}, "StartExecution")
            self.started[name] = input

    def describe_execution(self, executionArn: str) -> dict[str, str]:  # noqa: N803 - botocore's
        name = executionArn.rpartition(":")[2]
        with self._lock:
            if name not in self.started:
                raise ExecutionDoesNotExist({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
            return {"status": "SUCCEEDED" if name in self.ended else "RUNNING", "input": self.started[name]}

    def send_task_success(self, taskToken: str, output: str) -> None:  # noqa: N803 - botocore's
        with self._lock:
            self.calls["wake"] += 1
            if taskToken not in self.waiting:
                raise ClientError({"Error": {"Code": "TaskTimedOut"}}, "SendTaskSuccess")
            self.waiting.remove(taskToken)
            self.woken.append(taskToken)
