"""make history STACK=name: all deployments, for auditors: who, what, when, decided by whom, how it ended.

FORMAT=csv (the default) or json; TARGET=prod and SINCE=2026-01-31 choose (a day begins at 00:00 UTC, a time without a
zone is UTC). It reads the whole table, a page at a time, also deployments of targets that the settings no longer name.
Needs cloudformation:DescribeStacks, and dynamodb:Scan on the table; for the local run, as scripts/operator.py says.

JSON has the fields of docs/events.md: `deployment`, `decisions` (the approval and each promotion) and `end`, which one
that goes on has not. A CSV cell that a spreadsheet would take for a formula has an apostrophe before it.
https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from botocore.exceptions import BotoCoreError, ClientError

from chatops import aws
from chatops.domain import codec
from chatops.domain.errors import ChatOpsError, UnknownSchema
from chatops.domain.news import Answered, End, Subject, answered, ended, subject
from chatops.domain.question import Question
from chatops.store import deployments
from chatops.store.attributes import decode
from scripts import operator
from scripts.terminal import meaning

FORMATS = ("csv", "json")
_ROWS = "begins_with(pk, :deployment) AND (sk IN (:record, :approval) OR begins_with(sk, :pause))"
_NAMES = {
    ":deployment": {"S": "DEPLOYMENT#"},
    ":record": {"S": "RECORD"},
    ":approval": {"S": "APPROVAL"},
    ":pause": {"S": "PAUSE#"},
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets take these, too


@dataclass(frozen=True)
class Asked:
    """`since`: ISO day or time, empty for all; `target`: empty for all."""

    stack: str = ""
    form: str = "csv"
    target: str = ""
    since: str = ""


@dataclass(frozen=True)
class Past:
    """One deployment. `decisions`: in time order; `end` is None while it goes on."""

    deployment: Subject
    execution: str
    decisions: tuple[Answered, ...] = ()
    end: End | None = None

    @property
    def approval(self) -> Answered | None:
        return next((each for each in self.decisions if each.question == "approval"), None)

    @property
    def approvers(self) -> str:
        return " ".join(self.approval.approvers) if self.approval else ""

    @property
    def promotions(self) -> str:
        """`promoted U0LEE0001 2026-01-31T12:00:00.000Z; …`"""
        found = [each for each in self.decisions if each.question == "promotion"]
        return "; ".join(" ".join(filter(None, (each.decision, each.by, each.at))) for each in found)


COLUMNS = {
    **{name: f"deployment.{name}" for name in ("id", "started_at", "target", "command", "kind", "repository")},
    **{name: f"deployment.{name}" for name in ("version", "sha", "image", "before")},
    "requester": "deployment.requester.id",
    "requester_name": "deployment.requester.name",
    "reason": "deployment.reason",
    "break_glass_by": "deployment.break_glass.by",
    "break_glass_reason": "deployment.break_glass.reason",
    "decision": "approval.decision",
    "decided_by": "approval.by",
    "decided_at": "approval.at",
    "decided_via": "approval.via",
    "decision_reason": "approval.reason",
    "approvers": "approvers",
    "promotions": "promotions",
    "end": "end.result",
    "ended_at": "end.at",
    "ended_by": "end.by",
    "seconds": "end.seconds",
    "running": "end.running",
    "why": "end.why",
    "stage": "end.stage",
    "execution": "execution",
}
"""Of the CSV: where each is found in a Past. People are Slack user ids, the times ISO."""


def mistake(asked: Asked) -> str:
    """What is wrong with the words, empty if nothing is."""
    if asked.form not in FORMATS:
        return f"FORMAT is {asked.form!r}; it should be {' or '.join(FORMATS)}"
    try:
        _moment(asked.since)
    except ValueError:
        return f"SINCE is {asked.since!r}; a day looks like 2026-01-31, a time like 2026-01-31T12:00:00Z"
    return ""


def _moment(text: str) -> float:
    """Epoch seconds; 0 for no text. Raises ValueError."""
    found = datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def read(client: Any, table: str, target: str = "", since: float = 0.0) -> tuple[list[Past], list[UnknownSchema]]:
    """The deployments, the oldest first, and an error for each that another version wrote. `since`: epoch seconds.
    Raises ClientError and BotoCoreError."""
    found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    pages = client.get_paginator("scan").paginate(
        TableName=table, ConsistentRead=True, FilterExpression=_ROWS, ExpressionAttributeValues=_NAMES
    )
    for page in pages:
        for item in page["Items"]:
            row = decode(item)
            found[row["pk"]].append(row)
    made, unknown = [], []
    for rows in found.values():
        try:
            past = _past([codec.row(row) for row in rows])
        except UnknownSchema as error:
            unknown.append(error)
            continue
        if past and target in ("", past.deployment.target) and _moment(past.deployment.started_at) >= since:
            made.append(past)
    return sorted(made, key=lambda past: (past.deployment.started_at, past.deployment.id)), unknown


def _past(rows: list[dict[str, Any]]) -> Past | None:
    """The deployment of these rows; None while it has no record."""
    record = next((deployments.read(row) for row in rows if row["sk"] == "RECORD"), None)
    if record is None:
        return None
    asked = [codec.read(Question, row) for row in rows if row["sk"] != "RECORD"]
    decisions = sorted((answered(one) for one in asked if one.decision), key=lambda decision: decision.at)
    end = ended(record) if record.outcome else None
    return Past(subject(record.deployment_id, record.plan), record.execution_arn, tuple(decisions), end)


def _cell(past: Past, path: str) -> object:
    """What stands there; None where something on the way is None."""
    found: object = past
    for name in path.split("."):
        found = getattr(found, name) if found is not None else None
    return f"'{found}" if isinstance(found, str) and found.startswith(_FORMULA) else found


def write(found: Iterable[Past], form: str, out: TextIO) -> None:
    """CSV as RFC 4180 has it (https://www.rfc-editor.org/rfc/rfc4180), with a heading, or a JSON array."""
    if form == "json":
        json.dump([codec.as_json(past) for past in found], out, indent=2, ensure_ascii=False)
        out.write("\n")
        return
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    lines.writerows([_cell(past, path) for path in COLUMNS.values()] for past in found)


def main(env: Mapping[str, str] = os.environ, out: TextIO = sys.stdout) -> int:
    """Exit status 0; 1 where not everything could be read, which stderr says; 2 for a mistake in the words."""
    words = {"stack": "STACK", "form": "FORMAT", "target": "TARGET", "since": "SINCE"}
    given = {name: env.get(word, "").strip() for name, word in words.items()}
    asked = Asked(**{name: value for name, value in given.items() if value})
    if wrong := mistake(asked):
        print(f"Nothing was read: {wrong}.", file=sys.stderr)
        return 2
    try:
        name = operator.table(asked.stack, "STACK=name").name
        found, unknown = read(aws.client("dynamodb"), name, asked.target, _moment(asked.since))
    except (ChatOpsError, ClientError, BotoCoreError) as error:
        why = error if isinstance(error, ChatOpsError) else meaning(error) or error
        print(f"Nothing was read. {why}", file=sys.stderr)
        return 1
    write(found, asked.form, out)
    print(f"{len(found)} deployments.", file=sys.stderr)
    for each in unknown:
        print(f"Left out: {each}", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]  # csv ends its lines itself
    sys.exit(main())
