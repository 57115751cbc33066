"""Task tokens:
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from local.engine.patches.patcher import Patches, Settings

GONE = "Task Timed Out: 'Provided task does not exist anymore'"
ANSWERING = threading.Lock()


def one_answer_a_token(patches: Patches, _: Settings) -> None:
    """AWS: a token that was answered, timed out, or whose execution is over is refused with TaskTimedOut;
    what never was a token, with InvalidToken.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html#API_SendTaskSuccess_Errors

    moto: accepts a second answer and a late one; for an execution that is over it says InvalidToken; while
    another execution is just starting, every answer fails with a 500.
    """
    from moto.stepfunctions.exceptions import InvalidToken
    from moto.stepfunctions.parser import models
    from moto.stepfunctions.parser.api import ExecutionStatus, TaskTimedOut
    from moto.stepfunctions.parser.asl.eval.callback import callback

    Success, Failure = callback.CallbackOutcomeSuccess, callback.CallbackOutcomeFailure  # noqa: N806 - classes
    interrupt_all = callback.CallbackEndpoint.interrupt_all

    def close(self: Any) -> None:
        """The task is over, however it ended: moto calls this when it stops waiting."""
        with ANSWERING:
            self.closed = True
        interrupt_all(self)

    patches.replace(callback.CallbackEndpoint, "interrupt_all", close)

    def answer(backend: Any, token: str, act: Callable[[Any], Any]) -> None:
        for execution in backend._get_executions():
            env = execution.exec_worker and execution.exec_worker.env
            endpoint = env.callback_pool_manager.get(token) if env is not None else None
            if endpoint is None:
                continue
            with ANSWERING:
                running = execution.exec_status is ExecutionStatus.RUNNING
                if not running or getattr(endpoint, "closed", False) or endpoint.get_outcome() is not None:
                    raise TaskTimedOut(GONE, "TaskTimedOut")
                act(endpoint)
            return
        raise InvalidToken("'Invalid token'")

    def succeed(self: Any, task_token: str, outcome: str) -> None:
        answer(self, task_token, lambda endpoint: endpoint.notify(Success(task_token, output=outcome)))

    def fail(self: Any, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        outcome = Failure(task_token, error=error, cause=cause)
        answer(self, task_token, lambda endpoint: endpoint.notify(outcome))

    def beat(self: Any, task_token: str) -> None:
        answer(self, task_token, lambda endpoint: endpoint.notify_heartbeat())

    backend = models.StepFunctionsParserBackend
    patches.replace(backend, "send_task_success", succeed)
    patches.replace(backend, "send_task_failure", fail)
    patches.replace(backend, "send_task_heartbeat", beat)


def failure_keeps_its_cause(patches: Patches, _: Settings) -> None:
    """AWS: SendTaskFailure's cause reaches the Catch and the history.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html

    moto: reads the error alone.
    """
    from moto.core.responses import EmptyResult
    from moto.stepfunctions.responses import StepFunctionResponse

    def send_task_failure(self: Any) -> Any:
        token, error, cause = (self._get_param(name) for name in ("taskToken", "error", "cause"))
        self.stepfunction_backend.send_task_failure(token, error=error, cause=cause)
        return EmptyResult()

    patches.replace(StepFunctionResponse, "send_task_failure", send_task_failure)


def output_must_be_json(patches: Patches, _: Settings) -> None:
    """AWS: refuses an answer whose output is not JSON with InvalidOutput, and the task goes on waiting.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html#API_SendTaskSuccess_Errors

    moto: accepts it, and fails the execution.
    """
    from moto.core.exceptions import AWSError
    from moto.stepfunctions.responses import StepFunctionResponse

    send_task_success = StepFunctionResponse.send_task_success

    def send(self: Any) -> Any:
        try:
            json.loads(self._get_param("output"))
        except (TypeError, ValueError) as error:
            message = f"Invalid Output: 'Provided output is not valid JSON: {error}'"
            raise AWSError(message, "InvalidOutput", 400) from error
        return send_task_success(self)

    patches.replace(StepFunctionResponse, "send_task_success", send)


def early_answer_is_kept(patches: Patches, _: Settings) -> None:
    """AWS: an answer counts from the moment when the token is known, even before the Lambda that got it has
    returned.

    moto: with HeartbeatSeconds, it begins to listen for the answer only then, and the task times out.
    """
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
    from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimedOut

    def wait(_: Any, env: Any, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
        while env.is_running():
            outcome = callback_endpoint.get_outcome()
            if outcome is not None or getattr(callback_endpoint, "closed", False):
                return outcome
            beaten = heartbeat_endpoint.clear_and_wait()
            if not beaten and env.is_running() and callback_endpoint.get_outcome() is None:
                return HeartbeatTimedOut()
        return None

    task = state_task_service_callback.StateTaskServiceCallback
    patches.replace(task, "_wait_for_task_token_heartbeat", wait)


def fresh_token_for_each_attempt(patches: Patches, _: Settings) -> None:
    """AWS: a retried task gets a new token, and the attempt that failed leaves a dead one behind.
    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html

    moto: one token for all attempts; after SendTaskFailure every further attempt fails at once with that
    old answer, and a task that timed out while its Lambda ran still takes answers.
    """
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback

    task = state_task_service_callback.StateTaskServiceCallback
    evaluate = task._evaluate_with_timeout

    def evaluate_with_timeout(self: Any, env: Any) -> None:
        context = env.states.context_object.context_object_data
        if "Task" not in context:
            evaluate(self, env)
            return
        if context["State"]["RetryCount"]:
            env.callback_pool_manager.add(env.states.context_object.update_task_token())
        endpoint = env.callback_pool_manager.get(context["Task"]["Token"])
        try:
            evaluate(self, env)
        finally:
            endpoint.interrupt_all()

    patches.replace(task, "_evaluate_with_timeout", evaluate_with_timeout)
