"""What claim and finish answer, word for word, and the edges of what they read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from chatops.domain.errors import UnknownSchema
from chatops.steps import stage
from chatops.store import stages, wakeups
from chatops.store.table import Table

RUN = 9001
TOKEN = f"d-abcdefghijkl.build.{'A' * 43}"
CLAIM: dict[str, Any] = {"ticket": "A" * 43, "run_id": RUN, "run_attempt": 1}
FINISH: dict[str, Any] = {"finish_token": TOKEN, "run_id": RUN, "outcome": "success"}
NEEDS_CLAIM = (403, {"message": "A claim needs ticket, run_id and run_attempt."})
NEEDS_FINISH = (403, {"message": "A finish needs finish_token, run_id, and outcome success, failure or cancelled."})
NO_OBJECT = (400, {"message": "The body should be a JSON object."})


class Store:
    """The store of tickets as far as the step goes: what it was asked, and what it says."""

    def __init__(self) -> None:
        self.claims: list[tuple[Any, ...]] = []
        self.finishes: list[tuple[Any, ...]] = []
        self.woken: list[str] = []
        self.says: Any = ("token", "")
        self.records = True

    def claim(self, *given: Any) -> Any:
        self.claims.append(given[1:])
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def finish(self, *given: Any) -> bool:
        self.finishes.append(given[1:])
        return self.records


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    fake, table = Store(), Table("chatops", None)
    monkeypatch.setattr(stage, "table", lambda: table)
    monkeypatch.setattr(stages, "claim", lambda *given: fake.claim(*_of(table, given)))
    monkeypatch.setattr(stages, "finish", lambda *given: fake.finish(*_of(table, given)))
    monkeypatch.setattr(wakeups, "wake", lambda rows, name: fake.woken.append(_of(table, (rows, name))[1]))
    return fake


def _of(table: Table, given: tuple[Any, ...]) -> tuple[Any, ...]:
    assert given[0] is table
    return given


def post(route: str, body: object, **more: Any) -> tuple[int, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = stage.run({"routeKey": f"POST /stages/{route}", "body": text, **more})
    return answer["statusCode"], json.loads(answer["body"])


# -- claim -----------------------------------------------------------------------------------------------------


def test_a_claim_is_handed_on_and_its_token_handed_back(store: Store) -> None:
    assert post("claim", CLAIM) == (200, {"finish_token": "token"})
    assert store.claims == [("A" * 43, RUN, 1)]


def test_a_refusal_says_why_to_the_run_that_stops_there(store: Store) -> None:
    store.says = ("", "the deployment was cancelled")
    assert post("claim", CLAIM) == (403, {"message": "This run may not go on: the deployment was cancelled."})


@pytest.mark.parametrize("length", [20, 300])
def test_a_ticket_may_have_any_length_that_one_ever_had(store: Store, length: int) -> None:
    ticket = ("aZ09_-" * 60)[:length]
    assert post("claim", {**CLAIM, "ticket": ticket})[0] == 200
    assert store.claims == [(ticket, RUN, 1)]


@pytest.mark.parametrize("ticket", ["A" * 19, "A" * 301, "A" * 43 + "\n", "A" * 42 + "+", None, 1])
def test_what_is_no_ticket_never_reaches_the_table(store: Store, ticket: object) -> None:
    assert post("claim", {**CLAIM, "ticket": ticket}) == NEEDS_CLAIM
    assert store.claims == []


@pytest.mark.parametrize("field", ["run_id", "run_attempt"])
@pytest.mark.parametrize(
    ("given", "read"), [(1, 1), (2**63 - 1, 2**63 - 1), ("1", 1), ("9" * 19, None), (str(2**63 - 1), 2**63 - 1)]
)
def test_a_number_is_one_of_githubs_as_number_or_text(store: Store, field: str, given: object, read: int) -> None:
    answer = post("claim", {**CLAIM, field: given})
    if read is None:
        assert answer == NEEDS_CLAIM, "more than the table's numbers are read exactly"
    else:
        assert answer[0] == 200
        assert dict(zip(("ticket", "run_id", "run_attempt"), store.claims[0], strict=True))[field] == read


@pytest.mark.parametrize("field", ["run_id", "run_attempt"])
@pytest.mark.parametrize("given", [0, -1, 2**63, True, 1.0, "0", "1" * 20, "0" * 19 + "1", "\u0661", "1 ", None])
def test_what_is_no_number_never_reaches_the_table(store: Store, field: str, given: object) -> None:
    assert post("claim", {**CLAIM, field: given}) == NEEDS_CLAIM
    assert store.claims == []


# -- finish ----------------------------------------------------------------------------------------------------


def test_a_finish_is_handed_on_and_wakes_the_execution(store: Store) -> None:
    outputs = {"image": "repo@sha256:1", "task_definition": "td:1", "codedeploy_deployment_id": "d-ABC"}
    assert post("finish", {**FINISH, "outputs": outputs}) == (200, {"message": "Recorded."})
    assert store.finishes == [("d-abcdefghijkl", "build", TOKEN, RUN, "success", outputs)]
    assert store.woken == ["d-abcdefghijkl"]


def test_a_finish_that_is_not_recorded_is_refused_and_wakes_nobody(store: Store) -> None:
    store.records = False
    assert post("finish", FINISH) == (403, {"message": "This run has no unfinished stage of that token."})
    assert store.woken == []


@pytest.mark.parametrize("outcome", ["success", "failure", "cancelled"])
@pytest.mark.parametrize("name", ["build", "deploy", "rollback"])
def test_every_stage_may_end_in_three_ways(store: Store, name: str, outcome: str) -> None:
    token = f"d-x.{name}.{'aZ09_-' * 4}"
    assert post("finish", {**FINISH, "finish_token": token, "outcome": outcome})[0] == 200
    assert store.finishes == [("d-x", name, token, RUN, outcome, {})]


@pytest.mark.parametrize("secret", ["A" * 20, "A" * 100])
def test_a_tokens_secret_may_have_any_length_that_one_ever_had(store: Store, secret: str) -> None:
    assert post("finish", {**FINISH, "finish_token": f"d-x.build.{secret}"})[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        *({"finish_token": f"d-x.build.{'A' * length}"} for length in (19, 101)),
        {"finish_token": f"d-x.other.{'A' * 43}"},
        {"finish_token": f"d x.build.{'A' * 43}"},
        {"finish_token": f"d-x.BUILD.{'A' * 43}"},
        {"finish_token": TOKEN + "\n"},
        {"finish_token": None},
        {"run_id": 0},
        {"run_id": None},
        {"outcome": "skipped"},
        {"outcome": None},
        {"outcome": ["success"]},
    ],
)
def test_what_is_no_finish_never_reaches_the_table(store: Store, change: dict[str, Any]) -> None:
    assert post("finish", {**FINISH, **change}) == NEEDS_FINISH
    assert (store.finishes, store.woken) == ([], [])


LIMITS = {"image": 512, "task_definition": 512, "codedeploy_deployment_id": 64, "failed_job": 100, "failed_step": 100}


@pytest.mark.parametrize("name", LIMITS)
def test_an_output_is_kept_up_to_its_limit(store: Store, name: str) -> None:
    post("finish", {**FINISH, "outputs": {name: "x" * 600, "other": "x"}})
    assert store.finishes[0][5] == {name: "x" * LIMITS[name]}


def test_half_of_a_surrogate_pair_in_an_output_is_kept_as_a_question_mark(store: Store) -> None:
    """It is JSON, and no text that the table could hold."""
    post("finish", {**FINISH, "outputs": {"failed_job": "build \ud800"}})
    assert store.finishes[0][5] == {"failed_job": "build ?"}


@pytest.mark.parametrize("outputs", [None, [], "image", {"image": 7}, {"image": ""}, {"image": None}])
def test_what_are_no_outputs_are_none(store: Store, outputs: object) -> None:
    assert post("finish", {**FINISH, "outputs": outputs})[0] == 200
    assert store.finishes[0][5] == {}


# -- what is neither, and trouble ------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["", "[]", "null", "{", "[" * 100_000])
def test_what_is_no_json_object_is_malformed(store: Store, body: str) -> None:
    assert post("claim", body) == post("finish", body) == NO_OBJECT


@pytest.mark.parametrize("event", [None, {}, {"routeKey": "POST /stages/finish", "body": 1}])
def test_an_event_without_a_body_is_malformed(store: Store, event: Any) -> None:
    answer = stage.run(event)
    assert (answer["statusCode"], json.loads(answer["body"])) == NO_OBJECT


def test_whatever_is_no_finish_is_held_to_what_a_claim_needs(store: Store) -> None:
    assert post("claimed", FINISH) == NEEDS_CLAIM
    answer = stage.run({"body": json.dumps(FINISH)})
    assert (answer["statusCode"], json.loads(answer["body"])) == NEEDS_CLAIM


def test_a_table_that_does_not_answer_is_503_to_try_again(store: Store) -> None:
    store.says = ConnectTimeoutError(endpoint_url="https://dynamodb.example")
    assert post("claim", CLAIM) == (503, {"message": "Try again."})


def test_a_row_of_a_newer_version_is_503_in_words(store: Store) -> None:
    error = UnknownSchema("STAGE#build", "9", "1 and 2")
    store.says = error
    assert post("claim", CLAIM) == (503, {"message": error.args[0]})
    assert "\n" not in error.args[0]
