"""stage: the pipeline's side. `claim` asks whether a run may carry out a stage, `finish` records what the stage did.

Which run it is, GitHub's OIDC token says and nobody else (`chatops.github.oidc`); the ticket says which stage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from chatops import aws, clock, http
from chatops.domain.errors import InvalidConfiguration, UnknownSchema
from chatops.domain.record import Record
from chatops.domain.run_token import RunToken, objection
from chatops.domain.stage import Stage
from chatops.github import oidc
from chatops.observability import emit, logger
from chatops.settings.targets import targets
from chatops.steps import freezes
from chatops.store import deployments, stages, wakeups
from chatops.store.table import table

_TICKET = re.compile(r"[A-Za-z0-9_-]{20,300}")
_OUTCOMES = frozenset({"success", "failure", "cancelled"})
_OUTPUTS = {
    "image": 512,
    "task_definition": 512,
    "codedeploy_deployment_id": 64,
    "failed_job": 100,
    "failed_step": 100,
    "tests": 10,
    "platform": 60,
}
YOUNG = 120
"""Seconds. An execution that is younger, and that Step Functions doesn't know, may have begun a moment ago."""


class _Refused(Exception):
    """403: the text says why, and what to do."""


def run(event: Any) -> dict[str, Any]:
    """The HTTP answer: 200, 400 for what is malformed, 403 with a message for what is refused, 503 to try again."""
    route = event.get("routeKey") if isinstance(event, dict) else ""  # pragma: no mutate: neither text is a route
    asked = _json(http.body(event))
    if asked is None:
        return http.answer(400, {"message": "The body should be a JSON object."})
    try:
        token = RunToken.of(oidc.issuer().claims(_bearer(event)))
        return _finish(asked, token) if route == "POST /stages/finish" else _claim(asked, token)
    except (_Refused, oidc.TokenRefused) as refusal:
        logger.warning("refused", route=str(route)[:40], reason=str(refusal))
        return http.answer(403, {"message": f"This run may not go on: {refusal}"})
    except oidc.KeysUnavailable as error:
        return http.answer(503, {"message": f"Try again: {error}."})
    except UnknownSchema as error:
        logger.error("a row cannot be read", reason=error.args[0])
        return http.answer(503, {"message": error.args[0]})
    except InvalidConfiguration as error:
        logger.error("a setting is wrong", reason=error.text)
        return http.answer(503, {"message": "Try again: a setting of the bot is wrong, its log says which."})
    except aws.failures() as error:
        logger.error("the table or Step Functions did not answer", error=aws.error_code(error) or type(error).__name__)
        return http.answer(503, {"message": "Try again."})


def _json(raw: bytes | None) -> dict[str, Any] | None:
    try:
        found = json.loads(raw or b"")  # pragma: no mutate: neither text is JSON
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _bearer(event: Any) -> str:
    scheme, _, token = http.headers(event).get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _stage(asked: Mapping[str, Any], token: RunToken) -> tuple[str, str, Stage]:
    """The deployment, and the stage that the ticket belongs to and whose run this is. Raises _Refused."""
    ticket = asked.get("ticket")
    if not isinstance(ticket, str) or not _TICKET.fullmatch(ticket):
        raise _Refused("it brings no ticket. Only an event of the bot's has one.")
    found = stages.of_ticket(table(), ticket)
    if found is None:
        raise _Refused("unknown ticket. Start a new deployment in Slack.")
    if why := objection(found[2].expected, token):
        raise _Refused(why)
    return found


def _claim(asked: Mapping[str, Any], token: RunToken) -> dict[str, Any]:
    deployment_id, stage, row = _stage(asked, token)
    if row.state == "ready" and (why := _in_the_way(deployment_id, stage, row)):
        raise _Refused(why)
    if why := stages.claim(table(), deployment_id, stage, token.run_id):
        raise _Refused(f"{why}.")
    logger.info("stage claimed", deployment_id=deployment_id, stage=stage, run_id=token.run_id)
    if row.state == "ready":
        _show(deployment_id)
    return http.answer(200, {})


def _show(deployment_id: str) -> None:
    """Wake the execution, so that people see the run. It may go on all the same: the next look is due in any case."""
    try:
        wakeups.wake(table(), deployment_id)
    except Exception as error:  # noqa: BLE001 - the claim stands
        logger.warning("not woken", deployment_id=deployment_id, error=aws.error_code(error) or type(error).__name__)


def _in_the_way(deployment_id: str, stage: str, row: Stage) -> str:
    """What the table alone doesn't know: the execution was stopped, or a freeze has begun. Empty where nothing is."""
    record = deployments.get(table(), deployment_id)
    if record is None or not _runs(record):
        return "the deployment's execution no longer runs. Start a new deployment."
    target = targets().get(row.target)
    found = freezes.stopping(table(), deployment_id, record.plan, target, stage) if target else None
    if found is None:
        return ""
    until = f" until {clock.iso(found.end)}" if found.end else ""
    what = f"{row.target} was locked" if found.by else f"a freeze of {row.target} has begun"
    return f"{what}{until}. Deploy again after it."


def _runs(record: Record) -> bool:
    """Whether the deployment's execution is under way, as Step Functions says."""
    states = aws.client("stepfunctions")
    try:
        found = states.describe_execution(executionArn=record.execution_arn)
    except states.exceptions.ExecutionDoesNotExist:
        return clock.now() - record.plan.started_at < YOUNG
    return bool(found["status"] == "RUNNING")


def _outputs(found: Any) -> dict[str, str]:
    if not isinstance(found, dict):
        return {}
    given = {k: found[k] for k in _OUTPUTS if isinstance(found.get(k), str) and found[k]}
    # half of a surrogate pair is JSON, but no text that the table could hold
    return {k: v[: _OUTPUTS[k]].encode(errors="replace").decode() for k, v in given.items()}


def _finish(asked: Mapping[str, Any], token: RunToken) -> dict[str, Any]:
    deployment_id, stage, _ = _stage(asked, token)
    outcome = asked.get("outcome")
    if not isinstance(outcome, str) or outcome not in _OUTCOMES:
        raise _Refused("a report needs an outcome: success, failure or cancelled.")
    outputs = _outputs(asked.get("outputs"))
    done = stages.finish(table(), deployment_id, stage, token.run_id, outcome, outputs)
    if done == "not_claimed":
        raise _Refused(f"it has not claimed this {stage} stage, or the stage was revoked.")
    if done == "other_report":
        _ring(deployment_id, stage, token.run_id)
        raise _Refused(f"it has reported something else of this {stage} stage before. The first report stands.")
    logger.info("stage finished", deployment_id=deployment_id, stage=stage, outcome=outcome)
    wakeups.wake(table(), deployment_id)
    return http.answer(200, {"message": "Recorded."})


def _ring(deployment_id: str, stage: str, run_id: int) -> None:
    """Somebody else may speak for the run: an alarm looks at this metric."""
    logger.error("two different reports", deployment_id=deployment_id, stage=stage, run_id=run_id)
    emit({"FinishConflict": 1})
