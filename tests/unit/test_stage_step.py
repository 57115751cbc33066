"""The pipeline's side of the wire: claim and finish, and whatever else somebody may send there."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatops.domain.results import Outputs
from chatops.steps import stage
from chatops.store import locks, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.unit import stored
from tests.unit.stored import stage_of

ID, RUN = "d-abcdefghijkl", 9001
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": "U0DANA001"}}


@pytest.fixture
def woken(rows: Table, environment: pytest.MonkeyPatch) -> list[str]:
    """One deployment that holds its target, the step's table being this one; whom the step has woken."""
    made: list[str] = []
    environment.setattr(stage, "table", lambda: rows)
    environment.setattr(wakeups, "wake", lambda _rows, name, **_how: made.append(name))
    begin(rows, ID)
    return made


def begin(rows: Table, name: str) -> None:
    holder = Holder(name, "arn", "deploy", "v1", "U0DANA001", "")
    rows.transact(locks.taking("dev", holder, locks.holder(rows, "dev")))
    stored.begin(rows, name, "arn", PLAN)


def post(route: str, body: object) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = stage.run({"routeKey": f"POST /stages/{route}", "body": text, "requestContext": {}})
    assert answer["headers"] == {"content-type": "application/json"}
    return answer["statusCode"], json.loads(answer["body"])


def ticket(rows: Table, name: str = ID, kind: str = "build") -> str:
    return str(stages.prepare(rows, name, kind, "dev", 600).ticket)


def test_a_ticket_is_exchanged_for_a_finish_token_and_that_for_an_end(rows: Table, woken: list[str]) -> None:
    paper = ticket(rows)
    status, answer = post("claim", {"ticket": paper, "run_id": RUN, "run_attempt": 1})
    assert (status, list(answer)) == (200, ["finish_token"])
    report = {"finish_token": answer["finish_token"], "run_id": RUN, "outcome": "success", "outputs": {"image": "i@s"}}
    assert post("finish", report)[0] == 200
    assert woken == [ID]
    row = rows.get(f"DEPLOYMENT#{ID}", "STAGE#build") or {}
    assert (row["state"], row["outcome"], row["outputs"]) == ("finished", "success", {"image": "i@s"})
    assert post("finish", report)[0] == 200, "the same report again: its reply was lost"
    assert post("finish", {**report, "outcome": "failure"})[0] == 403


def test_what_a_shell_sends_as_text_is_a_number_all_the_same(rows: Table, woken: list[str]) -> None:
    assert post("claim", {"ticket": ticket(rows), "run_id": str(RUN), "run_attempt": "1"})[0] == 200
    assert stage_of(rows, ID, "build").run_id == RUN


def test_a_body_in_base64_is_read(rows: Table, woken: list[str]) -> None:
    body = json.dumps({"ticket": ticket(rows), "run_id": RUN, "run_attempt": 1}).encode()
    event = {"routeKey": "POST /stages/claim", "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    assert stage.run(event)["statusCode"] == 200


def test_an_execution_with_a_name_from_the_console_can_finish_its_stages(rows: Table, woken: list[str]) -> None:
    name = "hot.fix_2026@1"
    begin(rows, name)
    _, answer = post("claim", {"ticket": ticket(rows, name), "run_id": RUN, "run_attempt": 1})
    assert post("finish", {"finish_token": answer["finish_token"], "run_id": RUN, "outcome": "success"})[0] == 200
    assert woken == [name]


@pytest.mark.parametrize(
    "run_id", [None, 0, -1, 1.5, True, [], {}, "", "1.0", " 1", "-1", "²", "9" * 25, 2**63, 10**400]
)
@pytest.mark.parametrize("field", ["run_id", "run_attempt"])
def test_a_number_that_is_none_is_refused_and_claims_nothing(
    rows: Table, woken: list[str], field: str, run_id: object
) -> None:
    status, answer = post("claim", {"ticket": ticket(rows), "run_id": RUN, "run_attempt": 1, field: run_id})
    assert (status, list(answer)) == (403, ["message"])
    assert stage_of(rows, ID, "build").state == "ready"


@pytest.mark.parametrize(
    "wrong", [None, "", "x", 1, ["x"], {}, "A" * 43, "../" * 20, "A" * 10_000, "é" * 43, "a\nb" * 20]
)
def test_a_ticket_or_a_token_that_is_wrong_or_missing_is_refused(rows: Table, woken: list[str], wrong: object) -> None:
    assert post("claim", {"ticket": wrong, "run_id": RUN, "run_attempt": 1})[0] == 403
    assert post("finish", {"finish_token": wrong, "run_id": RUN, "outcome": "success"})[0] == 403
    assert post("claim", {})[0] == post("finish", {})[0] == 403
    assert woken == []


@pytest.mark.parametrize("outcome", [None, "", "skipped", "SUCCESS", 1, ["success"], {"a": 1}, True])
def test_an_outcome_that_is_none_of_the_three_is_refused(rows: Table, woken: list[str], outcome: object) -> None:
    _, answer = post("claim", {"ticket": ticket(rows), "run_id": RUN, "run_attempt": 1})
    assert post("finish", {**answer, "run_id": RUN, "outcome": outcome})[0] == 403
    assert stage_of(rows, ID, "build").state == "claimed"


@pytest.mark.parametrize("body", ["", "null", "[]", "1", '"x"', "{", "[" * 50_000, '{"a":' * 20_000, "\ud800", "NaN"])
@pytest.mark.parametrize("route", ["claim", "finish"])
def test_what_is_no_json_object_is_malformed(rows: Table, woken: list[str], route: str, body: str) -> None:
    assert post(route, body)[0] == 400


def test_only_outputs_that_are_known_are_kept_and_cut(rows: Table, woken: list[str]) -> None:
    _, answer = post("claim", {"ticket": ticket(rows), "run_id": RUN, "run_attempt": 1})
    outputs = {
        "image": "i" * 9999,
        "failed_job": "build \ud800",
        "failed_step": 7,
        "secret": "s",
        "task_definition": "",
    }
    assert post("finish", {**answer, "run_id": RUN, "outcome": "failure", "outputs": outputs})[0] == 200
    assert stage_of(rows, ID, "build").outputs == Outputs(image="i" * 512, failed_job="build ?")


def test_a_table_that_does_not_answer_is_503_and_says_nothing_more(
    woken: list[str], environment: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalServerError", "Message": "row ticket=s3cret"}}, "GetItem")

    environment.setattr(stages, "claim", broken)
    assert post("claim", {"ticket": "A" * 43, "run_id": RUN, "run_attempt": 1}) == (503, {"message": "Try again."})


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["ticket", "run_id", "run_attempt", "finish_token", "outcome", "outputs"]
near = st.sampled_from([1, "success", "A" * 43, f"{ID}.build.{'A' * 43}", f"{ID}.other.{'A' * 43}"])
nearly = st.dictionaries(st.sampled_from(FIELDS), json_like | near, max_size=6)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["POST /stages/claim", "POST /stages/finish", "$default", None]), json_like | nearly)
def test_whatever_is_sent_is_400_or_403_and_changes_nothing(
    rows: Table, woken: list[str], route: str | None, body: Any
) -> None:
    before = rows.query(f"DEPLOYMENT#{ID}")
    assert stage.run({"routeKey": route, "body": json.dumps(body)})["statusCode"] in (400, 403)
    assert (rows.query(f"DEPLOYMENT#{ID}"), woken) == (before, [])


@pytest.mark.parametrize("event", [None, [], "x", {}, {"body": 1}, {"routeKey": [], "body": "{}"}])
def test_an_event_of_another_shape_is_refused(woken: list[str], event: Any) -> None:
    assert stage.run(event)["statusCode"] in (400, 403)
