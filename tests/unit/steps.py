"""A step, called as its Lambda calls it: the event is decoded, the result encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatops.domain.event import StepEvent
from chatops.steps.handler import encoded


def call(run: Callable[..., Any], event: dict[str, Any], *more: Any) -> dict[str, Any]:
    """The step's result as JSON. `more`: what `run` takes besides, a platform for instance."""
    return encoded(run(StepEvent.of(event), *more))
