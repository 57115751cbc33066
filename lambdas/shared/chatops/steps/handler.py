"""A step's Lambda handler: its event is decoded once, and its result encoded once.

Apart from `observability`, which the Slack edge imports: it needs no deployment, and no class of one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from chatops import aws
from chatops.domain import codec, command_names
from chatops.domain.codec import Json
from chatops.domain.errors import ChatOpsError, Final, ServiceRefused, ServiceUnavailable
from chatops.domain.event import StepEvent
from chatops.observability import logger, safe

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def step(run: Callable[[StepEvent], DataclassInstance | None]) -> Callable[[Json, Any], Json]:
    """The handler that calls `run`: binds the ids to the logger, translates AWS's errors, logs how it went. Its result
    as JSON; an empty object for None."""

    @wraps(run)
    def handler(event: Json, _context: Any) -> Json:
        logger.append_keys(
            step=run.__module__.rpartition(".")[2],
            deployment_id=event.get("deployment_id", ""),
            execution_id=event.get("execution_arn", ""),
            stage=event.get("stage", ""),
        )
        try:
            decoded = StepEvent.of(event)
            command_names.use(decoded.deployment.plan.command_prefix or command_names.typed(decoded.request))
            result = encoded(run(decoded))
        except Exception as error:
            known = translated(error)
            level = logger.warning if isinstance(known, ChatOpsError) and not isinstance(known, Final) else logger.error
            level("step raised", error=type(known).__name__, reason=safe(known))
            if known is error:
                raise
            raise known from None
        logger.info("step done", **_summary(result))
        return result

    return handler


def encoded(result: DataclassInstance | None) -> Json:
    """A step's result as the state machine carries it."""
    return {} if result is None else codec.as_json(result)


def translated(error: Exception) -> Exception:
    """AWS's errors under the names that the state machine retries and catches."""
    if isinstance(error, aws.failures()):
        code = aws.error_code(error) or type(error).__name__
        operation = getattr(error, "operation_name", "a call")
        if aws.is_transient(error):
            return ServiceUnavailable("aws_not_now", operation=operation, code=code)
        return ServiceRefused("aws_refused", operation=operation, code=code)
    return error


def _summary(result: Json) -> Json:
    return {name: result[name] for name in ("verdict", "state", "decision", "end", "done") if name in result}
