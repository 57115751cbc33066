"""stage: the pipeline's side. `claim` exchanges a ticket for permission, `finish` records what the stage did."""

from __future__ import annotations

import json
import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chatops import http
from chatops.domain.errors import UnknownSchema
from chatops.domain.ids import EXECUTION_NAME
from chatops.observability import logger
from chatops.store import stages, wakeups
from chatops.store.table import table

_TICKET = re.compile(r"[A-Za-z0-9_-]{20,300}")
_TOKEN = re.compile(f"{EXECUTION_NAME.pattern}\\.[a-z]+\\.[A-Za-z0-9_-]{{20,100}}")  # as `stages.claim` makes it
_OUTCOMES = frozenset({"success", "failure", "cancelled"})
_OUTPUTS = {
    "image": 512,
    "task_definition": 512,
    "codedeploy_deployment_id": 64,
    "failed_job": 100,
    "failed_step": 100,
}
_BIGGEST_RUN = 2**63


def run(event: Any) -> dict[str, Any]:
    """The HTTP answer: 200, 400 for what is malformed, 403 with a message for what is refused, 503 to try again."""
    route = event.get("routeKey") if isinstance(event, dict) else ""  # pragma: no mutate: neither text is a route
    asked = _json(http.body(event))
    if asked is None:
        return http.answer(400, {"message": "The body should be a JSON object."})
    try:
        return _finish(asked) if route == "POST /stages/finish" else _claim(asked)
    except UnknownSchema as error:
        logger.error("a row cannot be read", reason=error.args[0])
        return http.answer(503, {"message": error.args[0]})
    except (ClientError, BotoCoreError) as error:
        logger.error("the table did not answer", error=type(error).__name__)
        return http.answer(503, {"message": "Try again."})


def _json(raw: bytes | None) -> dict[str, Any] | None:
    try:
        found = json.loads(raw or b"")  # pragma: no mutate: neither text is JSON
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _number(value: Any) -> int | None:
    """A run id: GitHub's is a number; shells send it as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _BIGGEST_RUN else None


def _claim(asked: dict[str, Any]) -> dict[str, Any]:
    ticket, run_id, attempt = (
        asked.get("ticket"),
        _number(asked.get("run_id")),
        _number(asked.get("run_attempt")),
    )
    if not isinstance(ticket, str) or not _TICKET.fullmatch(ticket) or run_id is None or attempt is None:
        return http.answer(403, {"message": "A claim needs ticket, run_id and run_attempt."})
    token, why = stages.claim(table(), ticket, run_id, attempt)
    if not token:
        logger.warning("claim refused", reason=why, run_id=run_id)
        return http.answer(403, {"message": f"This run may not go on: {why}."})
    logger.info("stage claimed", run_id=run_id)
    return http.answer(200, {"finish_token": token})


def _outputs(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    given = {k: found[k] for k in _OUTPUTS if isinstance(found.get(k), str) and found[k]}
    # half of a surrogate pair is JSON, but no text that the table could hold
    return {k: v[: _OUTPUTS[k]].encode(errors="replace").decode() for k, v in given.items()}


def _finish(asked: dict[str, Any]) -> dict[str, Any]:
    token, run_id, outcome = asked.get("finish_token"), _number(asked.get("run_id")), asked.get("outcome")
    place = stages.belongs(token) if isinstance(token, str) and _TOKEN.fullmatch(token) else None
    if place is None or run_id is None or not isinstance(outcome, str) or outcome not in _OUTCOMES:
        return http.answer(
            403,
            {"message": "A finish needs finish_token, run_id, and outcome success, failure or cancelled."},
        )
    deployment_id, stage = place
    assert isinstance(token, str)  # noqa: S101 - what `belongs` has checked, for the type checker
    if not stages.finish(table(), deployment_id, stage, token, run_id, outcome, _outputs(asked.get("outputs"))):
        logger.warning("finish refused", run_id=run_id)
        return http.answer(403, {"message": "This run has no unfinished stage of that token."})
    logger.info("stage finished", deployment_id=deployment_id, stage=stage, outcome=outcome)
    wakeups.wake(table(), deployment_id)
    return http.answer(200, {"message": "Recorded."})
