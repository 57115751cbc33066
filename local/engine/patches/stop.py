"""How executions end: stopped, timed out, or done."""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Any

from local.engine.patches.patcher import Patches, Settings

# Whoever ends an execution holds this, so that it ends in one way only.
ENDING = threading.Lock()
START_SECONDS = 5.0
END_SECONDS = 0.5


def history_ends_with_the_execution(patches: Patches, _: Settings) -> None:
    """AWS: nothing follows the event that ended an execution.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html

    moto: threads of an execution that was stopped or timed out go on appending events.
    """
    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

    add_event = EventManager.add_event

    def add(self: Any, *args: Any, **kwargs: Any) -> int:
        return 0 if getattr(self, "sealed", False) else add_event(self, *args, **kwargs)

    patches.replace(EventManager, "add_event", add)


def late_events_of_a_task_are_dropped(patches: Patches, _: Settings) -> None:
    """AWS: a task that timed out is over; what its Lambda answers later leaves no trace in the history.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html

    moto: the abandoned thread adds TaskSucceeded (or LambdaFunctionSucceeded) after TaskTimedOut.
    """
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager

    close_frame, add_event = Environment.close_frame, EventManager.add_event

    def close(self: Any, frame: Any) -> None:
        close_frame(self, frame)
        frame.event_history_context.closed = True

    def add(self: Any, context: Any, *args: Any, **kwargs: Any) -> int:
        return 0 if getattr(context, "closed", False) else add_event(self, context, *args, **kwargs)

    patches.replace(Environment, "close_frame", close)
    patches.replace(EventManager, "add_event", add)


def output_is_there_when_the_status_says_so(patches: Patches, _: Settings) -> None:
    """AWS: DescribeExecution of a SUCCEEDED execution has its output.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html

    moto: sets the status first and the output after it; who asks in between gets no output.
    """
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded
    from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

    reflect = BaseExecutionWorkerCommunication._reflect_execution_status

    def reflect_execution_status(self: Any) -> None:
        env = self.execution.exec_worker.env
        if isinstance(env.program_state(), ProgramEnded):
            self.execution.output = env.states.get_input()
        reflect(self)

    patches.replace(BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect_execution_status)


def stop_takes_effect_at_once(patches: Patches, _: Settings) -> None:
    """AWS: StopExecution ends an execution in any state, with the error and cause given; its tokens are dead.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html

    moto: drops error and cause, fails while the execution is just starting, and a task that waits for a
    token (or for a Lambda) keeps the execution RUNNING until that wait is over.
    """
    from moto.core.responses import ActionResult
    from moto.stepfunctions.parser.api import ExecutionStatus
    from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication
    from moto.stepfunctions.responses import StepFunctionResponse

    def stop_execution(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        stop(execution, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    patches.replace(StepFunctionResponse, "stop_execution", stop_execution)
    reflect = BaseExecutionWorkerCommunication._reflect_execution_status

    def reflect_execution_status(self: Any) -> None:
        with ENDING:
            if self.execution.exec_status is ExecutionStatus.RUNNING:
                reflect(self)

    patches.replace(BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect_execution_status)


def machine_timeout_ends_token_waits(patches: Patches, _: Settings) -> None:
    """AWS: the machine's TimeoutSeconds ends the execution whatever it waits for; ExecutionTimedOut is the
    last event. https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html

    moto: says TIMED_OUT, but a task goes on waiting for its token, and ExecutionTimedOut is recorded only
    when that wait is over (99999999 seconds, if the task has no timeout).
    """
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.eval.environment import Environment

    set_timed_out = Environment.set_timed_out

    def timed_out(self: Any) -> None:
        if self.is_frame():
            set_timed_out(self)
        elif self.is_running():  # else it ended in that very moment
            set_timed_out(self)
            seal(self, HistoryEventType.ExecutionTimedOut, {"executionTimedOutEventDetails": {}})

    patches.replace(Environment, "set_timed_out", timed_out)


def stop(execution: Any, error: str | None = None, cause: str | None = None) -> None:
    """End a running execution as ABORTED; one that has ended stays as it is."""
    from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType

    env = _running_environment(execution)
    with ENDING:
        if env is None or execution.exec_status is not ExecutionStatus.RUNNING:
            return
        now = dt.datetime.now(dt.UTC)
        env.set_stop(stop_date=now, error=error, cause=cause)
        env.event_history_context.source_event_id = 0
        given = (("error", error), ("cause", cause))
        details = {key: value for key, value in given if value is not None}
        seal(env, HistoryEventType.ExecutionAborted, {"executionAbortedEventDetails": details})
        execution.error, execution.cause, execution.stop_date = error, cause, now
        execution.exec_status = ExecutionStatus.ABORTED


def _running_environment(execution: Any) -> Any:
    """The interpreter's environment while it runs; None once the execution is over.

    Its thread builds it just after the start, and says how the execution ended just after its end: in both
    moments this waits for it.
    """
    from moto.stepfunctions.parser.api import ExecutionStatus

    begun = time.monotonic()
    while execution.exec_status is ExecutionStatus.RUNNING:
        env = execution.exec_worker.env
        if env is not None and env.is_running():
            return env
        over = env is not None and env.program_state() is not None
        if time.monotonic() - begun > (END_SECONDS if over else START_SECONDS):
            break
        time.sleep(0.002)
    return None


def seal(env: Any, event_type: Any, details: dict[str, Any]) -> None:
    """Write the last event of an execution, and wake the threads that wait for its tokens."""
    env.event_manager.add_event(context=env.event_history_context, event_type=event_type, event_details=details)
    env.event_manager.sealed = True
    wake(env)


def wake(env: Any) -> None:
    """End all waits for a token."""
    for endpoint in list(env.callback_pool_manager._pool.values()):
        endpoint.closed = True
        endpoint.interrupt_all()
