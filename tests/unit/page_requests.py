"""A deployment in the table, and requests for its page as API Gateway hands them on."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from chatops.domain import codec, page_link
from chatops.domain.plan import Plan
from chatops.domain.question import Answer, Question
from chatops.domain.record import Outcome
from chatops.domain.results import StageResult
from chatops.store import deployments, locks, page_keys, questions, results, stages
from chatops.store.table import Table
from lambdas.page import app
from local.http_api import http_api_event
from tests.unit import views

ID, API = "d-abcdefghijkl", "https://bot.example/prod"
ARN = f"arn:aws:states:us-east-1:123456789012:execution:platform-deploy-deploy:{ID}"
STARTED = 1_760_000_000.0
LEE, DANA = "U0LEE0001", "U0DANA001"
Json = dict[str, Any]


def planned(rows: Table, deployment_id: str = ID, **more: Any) -> Plan:
    """It has begun: it waits for the build."""
    plan = codec.read(Plan, {**views.PLAN, "started_at": STARTED, **more})
    holder = locks.Holder(deployment_id, ARN, "deploy", plan.version, DANA, "")
    return deployments.begin(rows, deployment_id, ARN, plan, locks.taking(plan.target, holder))


def built(rows: Table) -> None:
    stages.prepare(rows, ID, "build", "prod", 60)
    assert stages.claim(rows, ID, "build", 30433642) == ""
    stages.finish(rows, ID, "build", 30433642, "success", {})
    results.keep(rows, ID, "build", codec.read(StageResult, views.BUILT))


def asked(rows: Table) -> None:
    questions.ask(rows, ID, Question(STARTED + 100, STARTED + 3700, (LEE, "U0KIM0001")))


def ended(rows: Table, end: str, at: str, **more: Any) -> None:
    record = deployments.get(rows, ID)
    assert record is not None
    assert deployments.settle(rows, record, Outcome(end, at=at, seconds=362.0, **more)) == ""


def rejected(rows: Table, reason: str) -> None:
    questions.record(rows, ID, Answer.REJECTED, LEE, reason)


def link(rows: Table, deployment_id: str = ID, started_at: float = STARTED) -> str:
    """As the card has it."""
    return page_keys.address(rows, API, deployment_id, started_at)


def signature(rows: Table, deployment_id: str = ID, started_at: float = STARTED) -> str:
    return urlsplit(link(rows, deployment_id, started_at)).fragment


def request(deployment_id: str, signed: str | None, method: str = "GET", **headers: str) -> Json:
    """For what the page shows."""
    given = {"authorization": f"Bearer {signed}"} if signed is not None else {}
    path = page_link.address("", deployment_id, "").removesuffix("#") + "/state"
    return http_api_event(method, path, headers={**given, **headers}, route="/d/{id}/state")


def ask(deployment_id: str, signed: str | None, **headers: str) -> Json:
    return dict(app.handler(request(deployment_id, signed, **headers), None))


def shown(rows: Table) -> Json:
    answer = ask(ID, signature(rows))
    assert answer["statusCode"] == 200, answer
    return dict(json.loads(answer["body"]))
