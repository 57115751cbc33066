"""Step Functions' API: https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html"""

from __future__ import annotations

import json
import threading
import uuid
from typing import Any

from local.engine import definitions
from local.engine.patches.patcher import Patches, Settings

MAX_INPUT = 262_144
"""Bytes of UTF-8: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def definitions_are_checked(patches: Patches, _: Settings) -> None:
    """AWS: refuses a definition with a StartAt, Next, Default or Catch that leads nowhere, a state that nothing leads
    to, a name that stands twice, or an end where there is none, with InvalidDefinition.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html

    moto: takes it, and fails in the middle of an execution; definitions that it does refuse answer with a
    500.
    """
    from moto.core.exceptions import AWSError
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    validate = StepFunctionsParserBackend._validate_definition

    def check(definition: str) -> None:
        try:
            validate(definition=definition)
            wrong = definitions.problems(json.loads(definition))
        except Exception as error:  # moto raises its own error, or whatever its parser stumbled over
            raise AWSError(f"Invalid State Machine Definition: '{error}'", "InvalidDefinition", 400) from error
        if wrong:
            message = f"Invalid State Machine Definition: '{'; '.join(wrong)}'"
            raise AWSError(message, "InvalidDefinition", 400)

    patches.replace(StepFunctionsParserBackend, "_validate_definition", staticmethod(check))


def one_execution_a_name(patches: Patches, _: Settings) -> None:
    """AWS: of several StartExecution with one name and input exactly one starts an execution, the others
    are given it; an execution without a name gets a UUID; a name has at most 80 of the characters allowed.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

    moto: looks for the name and adds the execution without a lock, so two at once start two; without a
    name, the name is "None", and there can be one; any name is accepted.
    """
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    start_execution, lock = StepFunctionsParserBackend.start_execution, threading.Lock()

    def start(self: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any) -> Any:
        name = name or str(uuid.uuid4())
        self._validate_name(name)
        with lock:
            return start_execution(self, state_machine_arn, name, *args, **kwargs)

    patches.replace(StepFunctionsParserBackend, "start_execution", start)


def input_is_limited_and_json(patches: Patches, _: Settings) -> None:
    """AWS: refuses input of more than 262,144 bytes, or that is not JSON, with InvalidExecutionInput.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors

    moto: knows no limit.
    """
    from moto.stepfunctions.exceptions import InvalidExecutionInput
    from moto.stepfunctions.responses import StepFunctionResponse

    start_execution = StepFunctionResponse.start_execution

    def start(self: Any) -> Any:
        given = self._get_param("input", if_none="{}")
        if len(given.encode()) > MAX_INPUT:
            raise InvalidExecutionInput("Invalid State Machine Execution Input: exceeds the maximum of 262144 bytes")
        try:
            json.loads(given)
        except ValueError as error:
            raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error
        return start_execution(self)

    patches.replace(StepFunctionResponse, "start_execution", start)


def describe_tells_all(patches: Patches, _: Settings) -> None:
    """AWS: `output` is JSON text always (a string output has its quotes, null is "null"), and every
    execution that has ended has a `stopDate`.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html

    moto: gives a string output without quotes, no output for null, and no stopDate for TIMED_OUT.
    """
    from moto.stepfunctions.responses import StepFunctionResponse

    describe_execution = StepFunctionResponse.describe_execution

    def describe(self: Any) -> Any:
        answer = describe_execution(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        fields = answer._result
        if fields["status"] == "SUCCEEDED":
            fields["output"] = json.dumps(execution.output, separators=(",", ":"), ensure_ascii=False)
        if fields["status"] != "RUNNING":
            fields["stopDate"] = execution.stop_date
        return answer

    patches.replace(StepFunctionResponse, "describe_execution", describe)


def list_tells_when_it_stopped(patches: Patches, _: Settings) -> None:
    """AWS: ListExecutions has the stopDate of every execution that has ended.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionListItem.html

    moto: not for TIMED_OUT.
    """
    from moto.stepfunctions.responses import StepFunctionResponse

    list_executions = StepFunctionResponse.list_executions

    def listed(self: Any) -> Any:
        answer = list_executions(self)
        for item in answer._result["executions"]:
            if item["status"] == "TIMED_OUT":
                execution = self.stepfunction_backend.describe_execution(item["executionArn"])
                item["stopDate"] = execution.stop_date
        return answer

    patches.replace(StepFunctionResponse, "list_executions", listed)


def history_has_pages(patches: Patches, _: Settings) -> None:
    """AWS: GetExecutionHistory knows maxResults (100 by default, at most 1,000), nextToken and reverseOrder.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html

    moto: ignores them and gives all events, oldest first.
    """
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

    def history(self: Any) -> Any:
        arn = self._get_param("executionArn")
        events = list(self.stepfunction_backend.get_execution_history(arn)["events"])
        if self._get_param("reverseOrder"):
            events.reverse()
        begin = int(self._get_param("nextToken") or 0)
        end = begin + min(int(self._get_param("maxResults") or 100), 1000)
        page: dict[str, Any] = {"events": events[begin:end]}
        if end < len(events):
            page["nextToken"] = str(end)
        return ActionResult(page)

    patches.replace(StepFunctionResponse, "get_execution_history", history)
