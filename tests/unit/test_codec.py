"""Data of another version: brought up if a step leads from its number, else refused, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatops.domain import codec, request
from chatops.domain.codec import SCHEMA
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Refusal, UnknownSchema
from chatops.domain.record import Outcome
from chatops.domain.target import Target
from chatops.edge import handler
from chatops.messages.catalogue import plain
from chatops.settings import targets
from chatops.steps import dispatch, sweep
from chatops.steps.handler import step
from chatops.store import cancels, deployments, locks, messages, outbox, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Conflict, Table
from tests.unit import stored
from tests.unit.job_tokens import jobs, post
from tests.unit.steps import call
from tests.unit.stored import stage_of

ID = "d-abcdefghijkl"
PLAN: dict[str, Any] = {
    "schema": SCHEMA,
    "target": "dev",
    "command": "deploy",
    "version": "v1.2.3",
    "requester": {"id": "U0DANA001"},
}
HOLDER = Holder(ID, "arn:x", "deploy", "v1.2.3", "U0DANA001", "2026-01-01T00:00:00.000Z")


def begin(rows: Table, plan: dict[str, Any] | None = None) -> None:
    stored.begin(rows, ID, HOLDER.execution_arn, plan or PLAN, locks.taking("dev", HOLDER))


def foreign(rows: Table, pk: str, sk: str, number: Any = SCHEMA + 1) -> None:
    """The row as another version would have left it."""
    found = rows.get(pk, sk)
    assert found
    rows.put({**found, "schema": number})


def everything(rows: Table) -> list[Any]:
    found = rows._client.scan(TableName=rows.name)["Items"]
    return sorted(found, key=lambda row: (row["pk"]["S"], row["sk"]["S"]))


# -- numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [codec.row, codec.plan, codec.request])
def test_what_is_current_passes_as_it_is_and_other_numbers_are_refused_by_place_and_number(read: Any) -> None:
    """No step leads from them."""
    current = {"pk": "p", "sk": "s", "schema": SCHEMA, "anything": [1]}
    assert read(current) == current
    for number in (SCHEMA + 1, 0, -1, 10**30, "1", 1.0, True, None):
        found = {"pk": f"DEPLOYMENT#{ID}", "sk": "RECORD", "schema": number}
        before = dict(found)
        with pytest.raises(UnknownSchema) as caught:
            read(found)
        assert caught.value.values["known"] == str(SCHEMA)
        assert caught.value.values["place"] in (f"{ID} RECORD", "plan", "input")
        assert "Nothing was changed" in plain(caught.value.key, caught.value.values)
        assert found == before


def _named(found: codec.Json) -> codec.Json:
    return {**found, "name": found["title"]}


STEPS: codec.Steps = {1: _named, 2: lambda found: {**found, "size": len(found["name"])}}
"""Made up: this version has no number before its own."""


@pytest.mark.parametrize(
    "found",
    [
        {"schema": 1, "title": "ab"},
        {"schema": 2, "title": "ab", "name": "ab"},
        {"schema": 3, "title": "ab", "name": "ab", "size": 2},
    ],
)
def test_an_older_number_is_brought_up_step_by_step_and_keeps_its_data(found: codec.Json) -> None:
    before = dict(found)
    assert codec.upgraded(found, "row", STEPS, 3) == {"schema": 3, "title": "ab", "name": "ab", "size": 2}
    assert found == before, "the steps are pure"


@pytest.mark.parametrize(("number", "steps"), [(0, STEPS), (4, STEPS), (1, {2: _named})])
def test_a_number_that_the_steps_do_not_lead_from_is_refused(number: int, steps: codec.Steps) -> None:
    with pytest.raises(UnknownSchema) as caught:
        codec.upgraded({"schema": number}, "row", steps, 3)
    assert caught.value.values == {"place": "row", "found": str(number), "known": f"{min(steps)}-3"}


def test_a_ticket_and_its_hash_are_not_told() -> None:
    with pytest.raises(UnknownSchema) as caught:
        codec.row({"pk": "TICKET#abcdef", "sk": "TICKET", "schema": 99})
    assert "abcdef" not in str(caught.value)


# -- rows ----------------------------------------------------------------------------------------------------


def test_every_row_says_who_wrote_it_also_one_that_an_update_made(rows: Table) -> None:
    begin(rows)
    stages.prepare(rows, ID, "deploy", "dev", 60)
    wakeups.park(rows, ID, "token", 0)
    messages.posted(rows, ID, "C1", "1.1")
    messages.noted(rows, ID, "final")
    deployments.settle(rows, stored.record_of(rows, ID), Outcome("Deployed"), outbox.owing(Deployment(ID)))
    written = everything(rows)
    assert len(written) == 10
    assert {row["schema"]["N"] for row in written} == {str(SCHEMA)}


def test_an_update_leaves_the_number_of_a_row_alone(rows: Table, environment: pytest.MonkeyPatch) -> None:
    """The rest of the row is still of that number."""
    rows.put({"pk": f"DEPLOYMENT#{ID}", "sk": "WAIT", "n": 3})
    environment.setattr("chatops.store.table.SCHEMA", SCHEMA + 1)
    assert rows.update(f"DEPLOYMENT#{ID}", "WAIT", "ADD #n :one", values={"one": 1})["n"] == 4
    ((kept),) = everything(rows)
    assert (kept["schema"], kept["n"]) == ({"N": str(SCHEMA)}, {"N": "4"})


def test_every_way_of_reading_meets_the_number(rows: Table) -> None:
    begin(rows)
    foreign(rows, f"DEPLOYMENT#{ID}", "RECORD")
    place = (f"DEPLOYMENT#{ID}", "RECORD")
    reads: list[Callable[[], Any]] = [
        lambda: rows.get(*place),
        lambda: rows.query(place[0]),
        lambda: rows.update(*place, "SET #version = :v", values={"v": "v1"}),
        lambda: rows.put({"pk": place[0], "sk": place[1]}, "attribute_not_exists(#pk)"),
    ]
    for read in reads:
        with pytest.raises(UnknownSchema) as caught:
            read()
        assert not isinstance(caught.value, Conflict)


def test_a_record_of_a_known_schema_with_an_unknown_plan_is_refused(rows: Table) -> None:
    begin(rows, {**PLAN, "schema": SCHEMA + 1})  # the class keeps the number
    with pytest.raises(UnknownSchema, match="plan"):
        deployments.get(rows, ID)


# -- the steps -----------------------------------------------------------------------------------------------


def stepped(event: dict[str, Any], given: list[Any]) -> Any:
    """What a step returns; `given`: gets the event as the step does."""

    def note(event: Any) -> None:
        given.append(event)

    return step(note)(event, None)


def test_a_step_is_given_the_plan_brought_up(environment: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    with pytest.raises(UnknownSchema):
        stepped({"state": {"plan": {**PLAN, "schema": SCHEMA + 1}}}, given)
    assert given == [], "it does nothing with a plan that it cannot read"
    environment.setattr(codec, "plan", lambda found: {**found, "title": "brought up"})
    stepped({"deployment_id": ID, "state": {"plan": PLAN, "build": {"state": "running"}}}, given)
    assert (given[0].deployment.plan.title, given[0].deployment.build.state) == ("brought up", "running")


@pytest.mark.parametrize("state", [{}, {"plan": {}}, {"plan": None}, None, "text", {"Error": "x"}])
def test_a_step_is_called_without_a_plan(state: Any) -> None:
    given: list[Any] = []
    assert stepped({"deployment_id": ID, "state": state}, given) == {}
    assert not given[0].deployment.planned


def test_an_input_of_another_version_is_refused_in_words_and_one_by_hand_is_read(rows: Table) -> None:
    known = targets.targets()
    assert request.read({"command": "deploy", "version": "v1"}, known).version == "v1"
    assert request.read({"command": "deploy", "schema": 1}, known).command == "deploy"
    with pytest.raises(Refusal) as caught:
        request.read({"command": "deploy", "schema": SCHEMA + 1}, known)
    assert caught.value.key == "unknown_schema"


def test_the_pipeline_is_sent_a_number_of_its_own(rows: Table) -> None:
    """Pipelines are copied into repositories: they change when their owners change them."""
    found = Deployment.of({"state": {"plan": {**PLAN, "sha": "e3c8241a", "image": ""}}})
    sent = dispatch.payload(found, "build", Target("dev", "acme/checkout-api", "dev_deploy"), "t")["schema"]
    assert sent == dispatch.PIPELINE_SCHEMA == 1


# -- nothing is lost -----------------------------------------------------------------------------------------


@pytest.fixture
def running(rows: Table, environment: pytest.MonkeyPatch) -> Table:
    """Two deployments that ended from outside; the first was written by a newer version."""
    from tests.faults.races.fakes import arn, far_ends
    from tests.unit.conftest import Time

    standing = Time()
    environment.setattr("chatops.clock.now", standing)
    fake = far_ends(rows, environment, standing)
    stored.begin(rows, ID, arn(ID), PLAN, locks.taking("dev", HOLDER))
    stored.begin(rows, "d-other", arn("d-other"), {**PLAN, "started_at": 1.0})
    stages.prepare(rows, ID, "deploy", "dev", 60)
    fake.end(ID)
    fake.end("d-other")
    return fake.rows


def left(rows: Table) -> list[dict[str, Any]]:
    """What is about the deployment, but for events, and the lock."""
    found = [row for row in everything(rows) if row["pk"]["S"] != "NEWS"]
    return [row for row in found if ID in str(row) or "LOCK" in str(row)]


@pytest.mark.parametrize("sk", ["RECORD", "OPEN"])
def test_sweep_leaves_what_it_cannot_read_and_sees_to_the_others(running: Table, sk: str) -> None:
    pk, key = ("OPEN", ID) if sk == "OPEN" else (f"DEPLOYMENT#{ID}", sk)
    foreign(running, pk, key)
    before = left(running)
    with pytest.raises(UnknownSchema):  # it reaches the dead-letter queue and its alarm
        call(sweep.run, {})
    assert left(running) == before
    assert stored.record_of(running, "d-other").outcome


def test_a_run_is_told_to_try_again_where_its_stage_cannot_be_read(
    running: Table, environment: pytest.MonkeyPatch
) -> None:
    ticket = str(stage_of(running, ID, "deploy").ticket)
    foreign(running, f"DEPLOYMENT#{ID}", "STAGE#deploy")
    status, answer = post("claim", {"ticket": ticket}, jobs(environment).token())
    assert status == 503
    assert "schema" in answer["message"]
    assert ticket not in answer["message"]


def test_a_click_on_what_cannot_be_read_is_told_why(running: Table, environment: pytest.MonkeyPatch) -> None:
    foreign(running, f"DEPLOYMENT#{ID}", "RECORD")
    payload = {
        "type": "block_actions",
        "user": {"id": "U0LEE0001"},
        "actions": [{"action_id": "cancel", "value": ID}],
    }
    answer = handler.deliver({"payload": json.dumps(payload)})
    assert answer["statusCode"] == 200
    assert "Nothing was changed" in answer["body"]
    assert cancels.get(running, ID) is None
