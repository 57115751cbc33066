"""Events to EventBridge: what they say, that none is lost, and that none holds a deployment up."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from moto.events.models import EventPattern

from chatops import aws
from chatops.domain import codec
from chatops.domain.errors import ServiceUnavailable
from chatops.domain.outcome import running
from chatops.domain.plan import Plan
from chatops.domain.question import Answer, Question
from chatops.domain.record import EventKind, Outcome
from chatops.steps import policy, publish
from chatops.store import deployments, news, questions
from chatops.store.table import Table
from fakes.event_bus import BYTES, EventBus
from tests.unit import stored
from tests.unit.conftest import Time

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "events.md").read_text("utf-8")
EXAMPLES = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
SCHEMA = Draft202012Validator(json.loads((DOCS / "events.schema.json").read_text("utf-8")))
ARN = "arn:aws:states:us-east-1:123456789012:execution:platform-deploy-deploy:d-1"
PLAN = {
    "target": "prod",
    "kind": "ecs",
    "repository": "acme/shop",
    "version": "v2",
    "sha": "a" * 40,
    "requester": {"id": "U0DANA001"},
    "live": {"version": "v1"},
    "previous": {"present": True, "version": "v1"},
    "started_at": 1_760_000_000.0,
}


class Client:
    """boto3's, of the fake."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def put_events(self, **asked: Any) -> Any:
        return json.loads(self._bus.perform("PutEvents", asked))


@pytest.fixture
def bus(rows: Table, environment: pytest.MonkeyPatch, time: Time) -> EventBus:
    made, real = EventBus(), aws.client
    environment.setattr(aws, "client", lambda name, **more: Client(made) if name == "events" else real(name, **more))
    return made


def sent(bus: EventBus) -> list[str]:
    return [json.loads(entry["Detail"])["id"] for entry in bus.taken]


def begun(rows: Table, *names: str, **plan: Any) -> list[news.Unsent]:
    """The events that wait when these deployments have begun."""
    for name in names:
        stored.begin(rows, name, ARN, {**PLAN, **plan})
    return news.waiting(rows)


def test_the_examples_are_as_the_schema_says_and_the_rule_takes_what_it_should() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)
    rule, started, decided, ended = EXAMPLES
    for detail in (started["detail"], decided, ended):
        SCHEMA.validate(detail)
    assert not SCHEMA.is_valid({**decided, "id": "d-1/ended"}), "an end without an end"
    assert not SCHEMA.is_valid({**started["detail"], "ticket": "x"}), "a field that nobody has written down"
    pattern, event = EventPattern.load(json.dumps(rule)), {**started, "detail-type": "Deployment Ended"}
    results = {
        result: pattern.matches_event({**event, "detail": {**ended, "end": {**ended["end"], "result": result}}})
        for result in ("Rolled Back", "Deploy Failed", "Deployed", "Rejected")
    }
    assert results == {"Rolled Back": True, "Deploy Failed": True, "Deployed": False, "Rejected": False}


def test_botocore_takes_the_request(rows: Table, time: Time) -> None:
    """It checks it against AWS's own description; moto answers."""
    publish.send(begun(rows, "d-1"))
    assert news.waiting(rows) == []


def test_a_deployment_tells_its_beginning_its_decision_and_its_end(rows: Table, bus: EventBus, time: Time) -> None:
    begun(rows, "d-1", approval={"eligible": ["U0LEE0001", "U0KIM0001"], "quorum": 2})
    questions.ask(rows, "d-1", Question(time(), time() + 600, ("U0LEE0001", "U0KIM0001"), 2))
    for user in ("U0KIM0001", "U0LEE0001"):
        time.pass_by(1)
        questions.record(rows, "d-1", Answer.APPROVED, user)
    record = stored.record_of(rows, "d-1")
    deployments.settle(rows, record, Outcome("Deployed", at="2026-01-01T00:00:00.000Z", seconds=9.0, superseded=False))
    publish.soon("d-1")
    assert sorted(sent(bus)) == ["d-1/decided", "d-1/ended", "d-1/started"]
    said = {entry["DetailType"]: json.loads(entry["Detail"]) for entry in bus.taken}
    for each in said.values():
        SCHEMA.validate(each)
    assert "decision" not in said["Deployment Started"]
    assert said["Deployment Decided"]["decision"]["approvers"] == ["U0KIM0001", "U0LEE0001"]
    assert said["Deployment Ended"]["decision"] == said["Deployment Decided"]["decision"]
    assert said["Deployment Ended"]["end"]["running"] == "v2"
    assert news.waiting(rows) == []


def test_an_event_that_is_refused_in_an_answer_of_200_waits_and_the_others_do_not(
    rows: Table, bus: EventBus, time: Time
) -> None:
    waiting = begun(rows, "d-1", "d-2", "d-3")
    bus.refusals.extend(["", "ThrottlingException", ""])
    with pytest.raises(ServiceUnavailable):
        publish.send(waiting)
    assert sent(bus) == ["d-1/started", "d-3/started"]
    assert [each.deployment_id for each in news.waiting(rows)] == ["d-2"]
    time.pass_by(publish.LONGEST + 1)
    bus.refusals.append("InternalFailure")
    with pytest.raises(ServiceUnavailable):
        publish.send(news.waiting(rows))
    assert news.waiting(rows) == [], "after a day nobody waits for it any more"


def test_a_crash_before_it_is_taken_out_sends_the_same_once_more(
    rows: Table, bus: EventBus, environment: pytest.MonkeyPatch
) -> None:
    begun(rows, "d-1")

    def die(*_: object) -> None:
        raise MemoryError

    with environment.context() as dying:
        dying.setattr(news, "sent", die)
        publish.soon("d-1")
    publish.soon("d-1")
    first, second = bus.taken
    assert first == second
    assert news.waiting(rows) == []


def test_a_service_that_hangs_fails_nothing_and_is_asked_for_five_minutes_only(
    rows: Table, bus: EventBus, time: Time, environment: pytest.MonkeyPatch
) -> None:
    begun(rows, "d-1")
    asked: list[object] = []

    def hang(*given: object) -> str:
        asked.append(given)
        raise TimeoutError("no answer")

    environment.setattr(bus, "perform", hang)
    publish.soon("d-1")
    time.pass_by(publish.FRESH)
    publish.soon("d-1")
    assert len(asked) == 1
    assert len(news.waiting(rows)) == 1


def test_an_event_that_cannot_be_made_keeps_none_of_the_others(rows: Table, bus: EventBus) -> None:
    begun(rows, "d-1")
    rows.transact(news.owing("d-1", "Deployment Forgotten"))
    begun(rows, "d-2")
    with pytest.raises(ValueError, match="Forgotten"):
        publish.send(news.waiting(rows))
    assert sent(bus) == ["d-1/started", "d-2/started"]


def test_ten_of_the_longest_fit_into_one_request(rows: Table, bus: EventBus) -> None:
    people = [f"U{n:020}" for n in range(policy.MOST_ASKED)]
    longest = {
        "reason": "\N{ROCKET}" * 500,
        "approval": {"eligible": people, "outside": people, "quorum": len(people)},
        "break_glass": {"by": "U1", "reason": "\N{ROCKET}" * 500},
        "url": "https://github.com/" + "x" * 2000,
        "changes": {"url": "https://github.com/" + "x" * 2000},
    }
    publish.send(begun(rows, *(f"d-{n}" for n in range(10)), **longest))
    assert len(bus.taken) == publish.BATCH
    assert sum(len(entry["Detail"].encode()) for entry in bus.taken) < BYTES


RUNNING = {"Deployed": "v2", "Rolled Back": "v0", "Restored": "v0", "Rejected": "v1", "Build Failed": "v1"}


@pytest.mark.parametrize(("end", "version"), [*RUNNING.items(), ("Deploy Failed", ""), ("Stopped", "")])
def test_what_runs_after_an_end(end: str, version: str) -> None:
    plan = codec.read(Plan, {**PLAN, "previous": {"present": True, "version": "v0"}})
    assert running(plan, end) == version
    assert running(Plan(version="v2"), end) == ("v2" if end == "Deployed" else ""), "nothing known of before"


def test_every_kind_has_its_line_on_the_page() -> None:
    assert [kind for kind in EventKind if f"| `{kind}` |" not in PAGE] == []
