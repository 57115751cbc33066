"""Logs and metrics, in the forms that Powertools gave them: deployment and execution ids on every line, never a token,
a header or a body.

Powertools takes as long to import as a whole request of the Slack edge takes; a contract test compares what is written.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from chatops.domain.errors import ChatOpsError

SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME") or "chatops"
"""Two stacks in one account are told apart by `service`: the stack's name, as the template sets it."""
NAMESPACE = "ChatOps"


def _level() -> str:
    """Lambda's own setting comes first, as Lambda drops what is below it. INFO where no level is named: nothing would
    start any more. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html"""
    known = {**logging.getLevelNamesMapping(), "TRACE": logging.DEBUG}
    named = (os.environ.get(name, "").upper() for name in ("AWS_LAMBDA_LOG_LEVEL", "LOG_LEVEL"))
    return logging.getLevelName(next((known[name] for name in named if name in known), logging.INFO))


class _Lines(logging.Formatter):
    """One JSON object a line. `keys`: on every line."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Any] = {}

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
        line = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": f"{moment},{int(record.msecs):03}+0000",
            "service": SERVICE,
            **self.keys,
            **getattr(record, "values", {}),
        }
        if trace := os.environ.get("_X_AMZN_TRACE_ID"):
            line["xray_trace_id"] = trace.partition(";")[0].removeprefix("Root=")
        return json.dumps(line, default=str, ensure_ascii=False, separators=(",", ":"))


class Log:
    """A logger whose calls take what else belongs to the line: `log.info("step done", verdict="pass")`."""

    def __init__(self) -> None:
        self._lines = _Lines()
        self.handler = logging.StreamHandler(sys.stdout)
        self.handler.setFormatter(self._lines)
        self._logger = logging.getLogger("chatops")
        self._logger.handlers = [self.handler]
        self._logger.propagate = False  # Lambda's runtime client writes what reaches the root once more
        self._logger.setLevel(_level())

    def append_keys(self, **keys: Any) -> None:
        """On every line from now on."""
        self._lines.keys.update(keys)

    def info(self, message: str, **values: Any) -> None:
        self._log(logging.INFO, message, values)

    def warning(self, message: str, **values: Any) -> None:
        self._log(logging.WARNING, message, values)

    def error(self, message: str, **values: Any) -> None:
        self._log(logging.ERROR, message, values)

    def _log(self, level: int, message: str, values: dict[str, Any]) -> None:
        self._logger.log(level, "%s", message, extra={"values": values}, stacklevel=3)


logger = Log()


def safe(error: Exception) -> str:
    """Only our own errors' texts are known to carry no secret."""
    return error.text[:500] if isinstance(error, ChatOpsError) else type(error).__name__


def count(name: str, target: str, *, seconds: float | None = None) -> None:
    """One deployment more of that kind and, where given, how long it took."""
    emit({name: 1, **({} if seconds is None else {"DeploymentDuration": seconds})}, target)


_SECONDS = frozenset({"DeploymentDuration", "LeadTime", "TimeToRestore"})


def emit(values: Mapping[str, float], target: str | None = None) -> None:
    """Metrics by name: of a target, or of the whole stack where there is None. Names outside `_SECONDS` are counts. No
    id is a dimension: CloudWatch bills each combination of dimensions as a metric of its own.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html"""
    if not values:
        return
    dimensions = {**({} if target is None else {"target": target or "none"}), "service": SERVICE}
    metrics = [{"Name": name, "Unit": "Seconds" if name in _SECONDS else "Count"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": metrics}
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        **dimensions,
        **{name: [float(max(value, 0))] for name, value in values.items()},
    }
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
