"""The pipeline's side: a stage's claim and finish."""

from __future__ import annotations

from typing import Any

from chatops import ready
from chatops.steps import stage

ready.prepare("dynamodb", "stepfunctions")


def handler(event: Any, _context: Any) -> dict[str, Any]:
    """POST /stages/claim and POST /stages/finish."""
    return stage.run(event)
