"""Logs and metrics by Powertools: deployment and execution ids on every line, never a token, a header or a body."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from chatops.domain.errors import ChatOpsError


def _level() -> str | None:
    """INFO where LOG_LEVEL names no level: Powertools would raise, and nothing would start any more."""
    found = os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO"
    return None if found.upper() in logging.getLevelNamesMapping() else "INFO"


logger = Logger(service="chatops", level=_level(), utc=True)
# Two stacks in one account are told apart by `service`: the stack's name, as the template sets it.
metrics = Metrics(namespace="ChatOps", service=os.environ.get("POWERTOOLS_SERVICE_NAME") or "chatops")


def safe(error: Exception) -> str:
    """Only our own errors' texts are known to carry no secret."""
    return error.text[:500] if isinstance(error, ChatOpsError) else type(error).__name__


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
