"""Logs and metrics by Powertools: deployment and execution ids on every line, never a token, a header or a body."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import wraps
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from chatops import aws
from chatops.domain import codec
from chatops.domain.errors import ChatOpsError, Final, ServiceRefused, ServiceUnavailable


def _level() -> str | None:
    """INFO where LOG_LEVEL names no level: Powertools would raise, and nothing would start any more."""
    found = os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO"
    return None if found.upper() in logging.getLevelNamesMapping() else "INFO"


logger = Logger(service="chatops", level=_level(), utc=True)
# Two stacks in one account are told apart by `service`: the stack's name, as the template sets it.
metrics = Metrics(namespace="ChatOps", service=os.environ.get("POWERTOOLS_SERVICE_NAME") or "chatops")

Event = dict[str, Any]


def _translated(error: Exception) -> Exception:
    """botocore's errors under the names that the state machine retries and catches."""
    if isinstance(error, ClientError | BotoCoreError):
        code = aws.error_code(error) or type(error).__name__
        operation = getattr(error, "operation_name", "a call")
        if aws.is_transient(error):
            return ServiceUnavailable("aws_not_now", operation=operation, code=code)
        return ServiceRefused("aws_refused", operation=operation, code=code)
    return error


def step(function: Callable[[Event], Any]) -> Callable[[Event, Any], Any]:
    """A step's Lambda handler: binds the ids to the logger, translates AWS's errors, logs how it went."""

    @wraps(function)
    def handler(event: Event, _context: Any) -> Any:
        logger.append_keys(
            step=function.__module__.rpartition(".")[2],
            deployment_id=event.get("deployment_id", ""),
            execution_id=event.get("execution_arn", ""),
            stage=event.get("stage", ""),
        )
        try:
            result = _encoded(function(codec.event(event)))
        except Exception as error:
            known = _translated(error)
            level = logger.warning if isinstance(known, ChatOpsError) and not isinstance(known, Final) else logger.error
            level("step raised", error=type(known).__name__, reason=safe(known))
            if known is error:
                raise
            raise known from None
        logger.info("step done", **_summary(result))
        return result

    return handler


def _encoded(result: Any) -> Any:
    return codec.as_json(result) if is_dataclass(result) and not isinstance(result, type) else result


def safe(error: Exception) -> str:
    """Only our own errors' texts are known to carry no secret."""
    return error.text[:500] if isinstance(error, ChatOpsError) else type(error).__name__


def _summary(result: Any) -> dict[str, Any]:
    if not isinstance(result, Mapping):
        return {}
    return {k: result[k] for k in ("verdict", "state", "decision", "end", "done") if k in result}


def count(name: str, target: str, *, seconds: float | None = None) -> None:
    """One deployment more of that kind and, where given, how long it took."""
    emit({name: 1, **({} if seconds is None else {"DeploymentDuration": seconds})}, target)


_one_at_a_time = threading.Lock()  # the edge answers from two threads, and Powertools gathers in one place
_SECONDS = frozenset({"DeploymentDuration", "LeadTime", "TimeToRestore"})


def emit(values: Mapping[str, float], target: str | None = None) -> None:
    """Metrics by name: of a target, or of the whole stack where there is None. Names outside `_SECONDS` are counts. No
    id is a dimension: CloudWatch bills each combination of dimensions as a metric of its own."""
    if not values:
        return
    with _one_at_a_time:
        if target is not None:
            metrics.add_dimension(name="target", value=target or "none")
        for name, value in values.items():
            unit = MetricUnit.Seconds if name in _SECONDS else MetricUnit.Count
            metrics.add_metric(name=name, unit=unit, value=max(value, 0))
        metrics.flush_metrics()
