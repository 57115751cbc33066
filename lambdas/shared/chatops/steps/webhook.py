"""webhook: GitHub says that a run has ended; wake the deployment that waits for it.

For pipelines that report nothing (`claim: false`). What the delivery says is not believed: the next poll asks GitHub.
So one that comes again, late or not at all changes nothing but time. GitHub wants an answer within ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from chatops import aws, http
from chatops.domain.errors import InvalidConfiguration, UnknownSchema
from chatops.domain.results import StageResult
from chatops.domain.stage import STAGES
from chatops.github.webhook import EndedRun, ended_run, plausible, verified
from chatops.network.deadline import Deadline, TooLateError
from chatops.observability import logger
from chatops.settings import secrets
from chatops.settings.targets import targets
from chatops.store import locks, results, stages, wakeups
from chatops.store.table import table

SECONDS = 8.0
"""For the answer. https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks"""
_UNSIGNED = {"message": "The delivery's signature does not hold."}
_LATER = {"message": "Not now. Nothing is lost: the run is looked at anyway."}


def run(event: Any) -> dict[str, Any]:
    """The HTTP answer: 200, 400 for an unusable body, 401 without a signature that holds, 503 where the table or a
    setting keeps us from acting, or all of it would take too long: nothing of it happens afterwards."""
    headers, raw = http.headers(event), http.body(event)
    if raw is None:
        return http.answer(400, {"message": "The body is unusable."})
    if not plausible(headers):
        return http.answer(401, _UNSIGNED)
    try:
        return Deadline(SECONDS).run(partial(_answer, headers, raw))
    except TooLateError as late:
        return _woke_nobody(late)
    except aws.failures(InvalidConfiguration, UnknownSchema) as error:
        return _woke_nobody(error)


def _woke_nobody(error: BaseException) -> dict[str, Any]:
    """GitHub does not send it again by itself; the poll that is due sees what it was about."""
    logger.warning("a delivery woke nobody", error=_name(error))
    return http.answer(503, _LATER)


def _name(error: BaseException) -> str:
    return (aws.error_code(error) if isinstance(error, Exception) else "") or type(error).__name__


def _answer(headers: dict[str, str], raw: bytes) -> dict[str, Any]:
    if not _signed(headers, raw):
        return http.answer(401, _UNSIGNED)
    ended = ended_run(headers, raw)
    waiting = list(_waiting(ended)) if ended else []
    for deployment_id in waiting:
        wakeups.wake(table(), deployment_id)
        logger.info("woken", deployment_id=deployment_id)
    return http.answer(200, {"woken": len(waiting)})


def _signed(headers: dict[str, str], raw: bytes) -> bool:
    """Checked with the secret as it is known; read afresh (rarely) when it does not hold: it may have been rotated."""
    for fresh in (False, True):
        if verified(headers, raw, secrets.optional(secrets.GITHUB_WEBHOOK_SECRET, fresh=fresh)):
            return True
    return False


def _waiting(ended: EndedRun) -> Iterator[str]:
    """The deployments from that repository that wait for this run, or for one that they do not know yet."""
    rows = table()
    for target in targets().values():
        if target.repository.lower() != ended.repository.lower():
            continue
        holder = locks.holder(rows, target.name)
        if holder and any(run_id in (None, ended.run_id) for run_id in _open_runs(holder.deployment_id)):
            yield holder.deployment_id


def _open_runs(deployment_id: str) -> Iterator[int | None]:
    """The runs of its stages that have begun and not ended; None for one that is not known yet."""
    rows = table()
    for stage in STAGES:
        if row := stages.get(rows, deployment_id, stage):
            known = results.get(rows, deployment_id, stage, StageResult)
            if not known.done:
                yield known.run_id or row.run_id
