"""The one place that reads the clock, so that a test can put another in its place."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> float:
    """Epoch seconds."""
    return time.time()


def at(seconds: float) -> datetime:
    """That moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(moment: str | float | datetime | None) -> float:
    """Epoch seconds of a moment: text as `iso` or Step Functions writes it, a number as AWS's JSON has it, or boto3's
    object. 0 for anything else."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    try:
        return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment or 0)
    except ValueError:
        return 0.0


def iso(seconds: float) -> str:
    """`2026-01-31T12:00:00.000Z`: sorts as text in time order."""
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
