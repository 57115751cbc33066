"""Events to EventBridge's default bus: `notify` sends those of its deployment, `sweep` what is left.

At least once: an event leaves the table only after EventBridge has taken it, so a crash between the two sends it again,
with the same `id`. Nothing here fails a deployment or holds it up for longer than one short request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from chatops import aws, clock
from chatops.domain import codec
from chatops.domain.errors import ServiceUnavailable
from chatops.domain.news import SOURCE, detail
from chatops.domain.record import EventKind, Record
from chatops.observability import logger, safe
from chatops.settings.config import execution_url
from chatops.store import deployments, news, questions
from chatops.store.news import Unsent
from chatops.store.table import Table, table

PATIENCE = 0.4
"""Of the client: one attempt, 2 seconds."""
BATCH = 10
"""Entries that a request may have.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"""
FRESH, LONGEST = 300, 86_400
"""Seconds for which `notify` tries; after which nobody sends an event any more."""


def soon(deployment_id: str) -> None:
    """Send what waits of this deployment. Never raises: what is not taken now is sent by `sweep`. An event that was not
    taken for five minutes is left to it at once, so that a service that hangs delays nobody."""
    try:
        waiting = news.waiting(table(), deployment_id)
        if fresh := [each for each in waiting if clock.now() - each.at < FRESH][:BATCH]:
            send(fresh)
    except Exception as error:  # noqa: BLE001 - whatever it is, the deployment goes on
        logger.warning("events are left to sweep", error=type(error).__name__, reason=safe(error))


def send(events: Sequence[Unsent]) -> None:
    """Send up to BATCH events, and take out of the table what EventBridge has taken. One that fails keeps none of the
    others; the first error is raised at the end, ServiceUnavailable for one that EventBridge refuses in an answer of
    200."""
    rows = table()
    record_of = cache(partial(deployments.get, rows))
    entries: dict[Unsent, dict[str, Any]] = {}
    failed: dict[Unsent, Exception] = {}
    for each in events:
        try:
            if made := _entry(rows, each, record_of(each.deployment_id)):
                entries[each] = made
            else:
                news.sent(rows, each)  # without a record there is nothing to tell
        except Exception as error:  # noqa: BLE001 - raised again at the end
            failed[each] = error
    failed |= _put(rows, entries) if entries else {}
    for each in failed:
        if clock.now() - each.at > LONGEST:
            logger.error("an event was never taken", deployment_id=each.deployment_id, kind=each.kind)
            news.sent(rows, each)
    if failed:
        raise next(iter(failed.values()))


def _put(rows: Table, entries: Mapping[Unsent, Mapping[str, Any]]) -> dict[Unsent, Exception]:
    """What was not taken, and why."""
    try:
        made = aws.client("events", patience=PATIENCE).put_events(Entries=list(entries.values()))
    except aws.failures() as error:
        return dict.fromkeys(entries, error)
    failed: dict[Unsent, Exception] = {}
    for each, result in zip(entries, made["Entries"], strict=True):  # in the order in which they were sent
        if code := result.get("ErrorCode"):
            failed[each] = ServiceUnavailable("aws_not_now", operation="PutEvents", code=code)
        else:
            news.sent(rows, each)
    return failed


def _entry(rows: Table, event: Unsent, record: Record | None) -> dict[str, Any] | None:
    """The event as PutEvents takes it; None where its deployment is not known (any more)."""
    if record is None:
        return None
    kind = EventKind(event.kind)
    asked = None if kind is EventKind.STARTED else questions.get(rows, event.deployment_id, event.mark)
    said = detail(kind, event.mark, record, asked, execution_url(record.execution_arn))
    return {
        "Time": int(event.at),
        "Source": SOURCE,
        "DetailType": event.kind,
        "Resources": [record.execution_arn],
        "Detail": json.dumps(codec.as_json(said), ensure_ascii=False),
    }
