"""GitHub's webhook: which deliveries are believed to be GitHub's, whom they wake, and that they do nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from chatops import aws
from chatops.domain.results import StageResult
from chatops.github import webhook as deliveries
from chatops.steps import webhook
from chatops.store import locks, results, stages, wakeups
from chatops.store.table import Table
from fakes.github.hook import Webhook, completed
from fakes.github.listening import ANY, Event
from fakes.github.runs import Runs
from fakes.github.script import Script
from fakes.github.seed import checkout_api
from fakes.github.views import Urls
from lambdas.wake import app
from tests.unit.test_store_waits import States

ID, NOW = "d-abcdefghijkl", 1_760_000_000.0
SECRET = "the webhook's own secret"
HOOK = Webhook("http://bot.invalid/prod/github/events", SECRET)
Json = dict[str, Any]


def payload(**run: object) -> Json:
    """Of a run that a repository_dispatch has begun; some of it changed."""
    repository = checkout_api(NOW)
    made = Runs().dispatched(repository, ANY, Event("dev_deploy", {"stage": "build"}), Script(), NOW)
    found = completed(repository, made, Urls("https://api.github.com", "https://github.com"))
    return {**found, "workflow_run": {**found["workflow_run"], **run}}


RUN_ID = int(payload()["workflow_run"]["id"])


def request(
    body: Json | bytes, hook: Webhook = HOOK, *, kind: str = "workflow_run", encoded: bool = True, **headers: Any
) -> Json:
    """As API Gateway hands a delivery on."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "version": "2.0",
        "routeKey": "POST /github/events",
        "headers": {name.lower(): value for name, value in hook.headers(raw, kind).items()} | headers,
        "body": base64.b64encode(raw).decode() if encoded else raw.decode(),
        "isBase64Encoded": encoded,
    }


def status(event: Any) -> int:
    return int(app.handler(event, None)["statusCode"])


@pytest.fixture
def states(rows: Table, environment: pytest.MonkeyPatch) -> States:
    """`ID` has begun its build, whose run nobody knows yet, and waits."""
    environment.setenv("GITHUB_WEBHOOK_SECRET", SECRET)
    fake, dynamodb = States(), rows._client
    environment.setattr(aws, "client", lambda service, **_: dynamodb if service == "dynamodb" else fake)
    rows.transact(locks.taking("dev", locks.Holder(ID, "arn", "deploy", "v1", "U0DANA001", "")))
    stages.prepare(rows, ID, "build", "dev", 60)
    waits(rows, fake, "token-1")
    return fake


def waits(rows: Table, fake: States, token: str) -> None:
    assert wakeups.park(rows, ID, token, wakeups.counter(rows, ID))
    fake.waiting.add(token)


def known(rows: Table, stage: str, **facts: Any) -> None:
    results.keep(rows, ID, stage, StageResult(stage, "running", **facts))


# -- the signature ---------------------------------------------------------------------------------------------------


def test_the_signature_is_githubs() -> None:
    """GitHub's own test values:
    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    """
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": f"sha256={digest}"}
    assert deliveries.verified(headers, b"Hello, World!", "It's a Secret to Everybody")
    assert not deliveries.verified(headers, b"Hello, World?", "It's a Secret to Everybody")
    assert not deliveries.verified(headers, b"Hello, World!", "It's a secret to everybody")
    assert not deliveries.verified(headers, b"Hello, World!", "")


@pytest.mark.parametrize(
    "change",
    [
        lambda good: good.replace("sha256=", "sha1="),
        str.upper,
        lambda good: good[7:],
        lambda good: good + ", " + good,
        lambda good: good[:-1],
        lambda _: "sha256=" + "0" * 64,
        lambda _: None,
        lambda good: [good],
    ],
)
def test_no_other_signature_is_believed(states: States, change: Callable[[str], Any]) -> None:
    made = request(payload())
    made["headers"]["x-hub-signature-256"] = change(made["headers"]["x-hub-signature-256"])
    assert status(made) == 401
    assert states.answered == []


def test_what_has_no_signatures_form_asks_for_no_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(webhook.secrets, "optional", lambda *_, **__: pytest.fail("the secret is read"))
    assert status(request(payload(), **{"x-hub-signature-256": "sha256=1"})) == 401


def test_without_a_secret_nothing_is_believed(states: States, environment: pytest.MonkeyPatch) -> None:
    environment.delenv("GITHUB_WEBHOOK_SECRET")
    assert status(request(payload(), Webhook("", ""))) == 401
    assert states.answered == []


def test_a_body_that_is_unusable_or_too_large_is_refused(states: States) -> None:
    assert status({**request(payload()), "body": "!"}) == 400
    assert status(request(b'{"a":"' + b"x" * 262_144 + b'"}')) == 400
    assert status({**request(payload()), "isBase64Encoded": False}) == 401
    assert states.answered == []


# -- whom it wakes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoded", [True, False])
def test_the_end_of_a_run_wakes_who_waits_for_one_as_often_as_it_is_told(
    rows: Table, states: States, encoded: bool
) -> None:
    assert status(request(payload(), encoded=encoded)) == 200
    assert states.answered == ["token-1"]
    assert status(request(payload(), encoded=encoded)) == 200, "sent again: nobody waits any more"
    waits(rows, states, "token-2")
    known(rows, "build", run_id=RUN_ID)
    assert status(request(payload())) == 200
    assert states.answered == ["token-1", "token-2"]


def test_another_run_wakes_nobody_once_ours_is_known(rows: Table, states: States) -> None:
    known(rows, "build", run_id=RUN_ID + 1)
    assert app.handler(request(payload()), None)["body"] == '{"woken": 0}'
    known(rows, "build", run_id=RUN_ID, done=True)
    assert app.handler(request(payload()), None)["body"] == '{"woken": 0}', "its stage has ended"
    assert states.answered == []


def test_where_no_stage_is_open_nobody_is_woken(rows: Table, states: States) -> None:
    rows.delete(f"DEPLOYMENT#{ID}", "STAGE#build")
    assert app.handler(request(payload()), None)["body"] == '{"woken": 0}'


@pytest.mark.parametrize(
    "made",
    [
        payload(event="push"),
        payload(id=str(RUN_ID)),
        payload(id=True),
        {**payload(), "action": "requested"},
        {**payload(), "repository": {"full_name": "acme/other"}},
        {**payload(), "repository": None},
        {**payload(), "workflow_run": [1]},
        {"zen": "Approachable is better than simple.", "hook_id": 1},
        b"[]",
        b"",
        b"\xff",
        b"[" * 20_000,
        b'{"action":' + b"9" * 5000 + b"}",
    ],
)
def test_a_delivery_of_anything_else_is_taken_and_wakes_nobody(states: States, made: Json | bytes) -> None:
    answer = app.handler(request(made), None)
    assert (answer["statusCode"], answer["body"], states.answered) == (200, '{"woken": 0}', [])


def test_a_ping_is_answered(states: States) -> None:
    assert status(request(payload(), kind="ping")) == 200
    assert states.answered == []


def test_trouble_is_told_and_nothing_is_lost(states: States) -> None:
    states.down = True
    assert status(request(payload())) == 503


def test_a_table_that_hangs_is_given_up_within_githubs_ten_seconds(
    states: States, environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(webhook, "SECONDS", 0.0)
    assert status(request(payload())) == 503
    assert states.answered == []
