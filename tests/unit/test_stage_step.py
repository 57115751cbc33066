"""claim and finish, for a run that has proven who it is: what is asked, recorded and answered. (Who isn't that run:
test_job_identity.py.)"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatops import aws, clock
from chatops.domain.errors import UnknownSchema
from chatops.domain.freeze import Lock, Once
from chatops.domain.stage import Outputs
from chatops.domain.target import Target
from chatops.steps import stage
from chatops.store import cancels, locks, stages, wakeups
from chatops.store.locks import Holder
from chatops.store.table import Table
from tests.faults.races.fakes import States, _Gone
from tests.unit import stored
from tests.unit.conftest import Time
from tests.unit.job_tokens import EXPECTED, RUN, Jobs, a_run, jobs, post
from tests.unit.stored import lock, stage_of

ID = "d-abcdefghijkl"
PLAN: dict[str, Any] = {"target": "dev", "command": "deploy", "version": "v1", "requester": {"id": "U0DANA001"}}
NO_OBJECT = (400, {"message": "The body should be a JSON object."})


class Steps(States):
    """Step Functions. `gone`: executions that it doesn't know; `trouble`: what it answers instead."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[str] = set()
        self.trouble: Exception | None = None

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - botocore's name
        if self.trouble:
            raise self.trouble
        if executionArn in self.gone:
            raise _Gone({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        return super().describe_execution(executionArn)


class Bot:
    """One deployment that holds its target; what the step has woken and counted."""

    def __init__(self, rows: Table, patch: pytest.MonkeyPatch) -> None:
        self.rows, self.states = rows, Steps()
        self.woken: list[str] = []
        self.counted: list[dict[str, float]] = []
        self.jobs: Jobs = jobs(patch)
        self.target = Target("dev", "acme/checkout-api", "dev_deploy")
        patch.setattr(stage, "table", lambda: rows)
        patch.setattr(stage, "targets", lambda: {"dev": self.target})
        patch.setattr(stage, "emit", self.counted.append)
        patch.setattr(wakeups, "wake", lambda _rows, name, **_how: self.woken.append(name))
        patch.setattr(aws, "client", lambda *_, **_how: self.states)
        self.begin(ID)

    def begin(self, name: str, **plan: Any) -> None:
        holder = Holder(name, f"arn:{name}", "deploy", "v1", "U0DANA001", "")
        self.rows.transact(locks.taking("dev", holder, locks.holder(self.rows, "dev")))
        stored.begin(self.rows, name, f"arn:{name}", PLAN | {"started_at": clock.now()} | plan)

    def ticket(self, name: str = ID, kind: str = "build") -> dict[str, Any]:
        """The body of a claim of that stage, which has been dispatched."""
        made = stages.prepare(self.rows, name, kind, "dev", 600)
        expected = replace(EXPECTED, environment=self.target.environment(kind))
        assert stages.trying(self.rows, name, kind, "dev", expected)
        return {"ticket": made.ticket}

    def token(self, kind: str = "build", **changes: Any) -> str:
        return self.jobs.token(a_run(kind), **changes)


@pytest.fixture
def bot(rows: Table, time: Time, environment: pytest.MonkeyPatch) -> Bot:
    return Bot(rows, environment)


def test_a_ticket_is_claimed_reported_on_and_wakes_the_execution(rows: Table, bot: Bot) -> None:
    paper = bot.ticket()
    assert post("claim", paper, bot.token()) == (200, {})
    assert post("claim", paper, bot.token()) == (200, {})
    assert bot.woken == [ID], "by the first claim of its jobs"
    report = {**paper, "outcome": "success", "outputs": {"image": "i@s"}}
    assert post("finish", report, bot.token()) == (200, {"message": "Recorded."})
    assert bot.woken == [ID, ID]
    row = stage_of(rows, ID, "build")
    assert (row.state, row.run_id, row.outcome, row.outputs) == ("finished", RUN, "success", Outputs(image="i@s"))


def test_every_job_of_the_run_claims_until_the_stage_is_reported(rows: Table, bot: Bot) -> None:
    """Also after a cancel: what has begun is ended by the bot, not by a second claim."""
    paper = bot.ticket()
    assert post("claim", paper, bot.token()) == (200, {})
    cancels.record(rows, ID, "U0DANA001")
    bot.states.ended[f"arn:{ID}"] = "ABORTED"
    assert post("claim", paper, bot.token()) == (200, {})
    post("finish", {**paper, "outcome": "failure"}, bot.token())
    message = "This run may not go on: this build stage's ticket is used."
    assert post("claim", paper, bot.token()) == (403, {"message": message})


def test_the_same_report_again_is_recorded_and_another_one_rings(rows: Table, bot: Bot) -> None:
    paper = bot.ticket()
    post("claim", paper, bot.token())
    report = {**paper, "outcome": "success", "outputs": {"image": "repo@sha256:1"}}
    assert [post("finish", report, bot.token())[0] for _ in range(3)] == [200, 200, 200]
    assert bot.counted == []
    others: list[dict[str, Any]] = [{"outputs": {"image": "s@sha256:2"}}, {"outputs": {}}, {"outcome": "failure"}]
    for other in others:
        status, answer = post("finish", {**report, **other}, bot.token())
        assert status == 403
        assert "The first report stands" in answer["message"]
    assert bot.counted == [{"FinishConflict": 1}] * 3
    assert stage_of(rows, ID, "build").outputs.image == "repo@sha256:1"


def test_a_report_without_a_claim_is_refused_and_rings_nothing(bot: Bot) -> None:
    status, answer = post("finish", {**bot.ticket(), "outcome": "success"}, bot.token())
    assert (status, bot.woken, bot.counted) == (403, [], [])
    assert "has not claimed" in answer["message"]


def test_a_body_in_base64_is_read(bot: Bot) -> None:
    body = base64.b64encode(json.dumps(bot.ticket()).encode()).decode()
    assert post("claim", body, bot.token(), isBase64Encoded=True) == (200, {})


def test_an_execution_with_a_name_from_the_console_can_finish_its_stages(bot: Bot) -> None:
    name = "hot.fix_2026@1"
    bot.begin(name)
    paper = bot.ticket(name)
    post("claim", paper, bot.token())
    assert post("finish", {**paper, "outcome": "success"}, bot.token())[0] == 200
    assert bot.woken == [name, name]


def test_a_claim_stands_where_nobody_could_be_woken(bot: Bot, monkeypatch: pytest.MonkeyPatch, rows: Table) -> None:
    """The execution looks again by itself."""

    def broken(*_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "SendTaskSuccess")

    monkeypatch.setattr(wakeups, "wake", broken)
    assert post("claim", bot.ticket(), bot.token()) == (200, {})
    assert stage_of(rows, ID, "build").state == "claimed"


# -- what stands in the way of a claim ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["build", "deploy", "rollback"])
@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE", "RUNNING"])
def test_a_claim_asks_whether_the_execution_still_runs(bot: Bot, kind: str, status: str) -> None:
    """C9b: it was stopped in the console, and sweep has not come yet."""
    paper = bot.ticket(kind=kind)
    bot.states.ended[f"arn:{ID}"] = status
    found, answer = post("claim", paper, bot.token(kind))
    assert found == (200 if status == "RUNNING" else 403)
    assert answer == {} or "no longer runs" in answer["message"]


@pytest.mark.parametrize(("age", "status"), [(0, 200), (119, 200), (120, 403), (900, 403)])
def test_an_execution_that_is_not_known_yet_may_have_just_begun(bot: Bot, time: Time, age: int, status: int) -> None:
    """C8."""
    time.pass_by(age)
    paper = bot.ticket()
    bot.states.gone.add(f"arn:{ID}")
    assert post("claim", paper, bot.token())[0] == status


def test_where_the_execution_cannot_be_looked_at_the_run_tries_again(rows: Table, bot: Bot) -> None:
    paper = bot.ticket()
    bot.states.trouble = ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeExecution")
    assert post("claim", paper, bot.token()) == (503, {"message": "Try again."})
    bot.states.trouble = None
    assert post("claim", paper, bot.token()) == (200, {})


FROZEN: dict[str, tuple[str, dict[str, Any], bool]] = {
    "the build": ("build", {}, True),
    "the deploy": ("deploy", {}, True),
    "its rollback": ("rollback", {}, False),
    "a rollback by command": ("rollback", {"command": "rollback"}, False),
    "a deploy that breaks the glass": ("deploy", {"break_glass": {"by": "U0LEE0001", "reason": "fire"}}, False),
}


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("name", FROZEN)
def test_a_freeze_that_has_begun_stops_the_claim_of_a_deployment(
    bot: Bot, time: Time, name: str, by_hand: bool
) -> None:
    kind, plan, stops = FROZEN[name]
    bot.begin("d-frozen", **plan)
    paper = bot.ticket("d-frozen", kind)
    if by_hand:
        lock(bot.rows, "dev", Lock("U0LEE0001", "migration", time(), time() + 3600))
    else:
        bot.target = replace(bot.target, freeze=(frozen(time),))
    status, answer = post("claim", paper, bot.token(kind))
    assert status == (403 if stops else 200)
    said = "dev was locked until 20" if by_hand else "a freeze of dev has begun until 20"
    assert answer == {} or said in answer["message"]


def frozen(time: Time) -> Once:
    """From an hour ago to an hour from now."""
    begin, end = (clock.at(time() + seconds).replace(tzinfo=None) for seconds in (-3600, 3600))
    return Once(begin, end, "UTC")


def test_what_the_table_refuses_is_said(rows: Table, bot: Bot) -> None:
    paper = bot.ticket()
    cancels.record(rows, ID, "U0DANA001")
    message = "This run may not go on: the deployment was cancelled."
    assert post("claim", paper, bot.token()) == (403, {"message": message})


# -- what is sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [None, "", "x", 1, ["x"], {}, "A" * 19, "A" * 43, "A" * 301, "../" * 20, "A" * 10_000, "é" * 43, "A" * 43 + "\n"],
)
def test_a_ticket_that_is_wrong_or_missing_is_refused(bot: Bot, wrong: object) -> None:
    bot.ticket()
    assert post("claim", {"ticket": wrong}, bot.token())[0] == 403
    assert post("finish", {"ticket": wrong, "outcome": "success"}, bot.token())[0] == 403
    assert post("claim", {}, bot.token())[0] == post("finish", {}, bot.token())[0] == 403
    assert bot.woken == []


@pytest.mark.parametrize("outcome", [None, "", "skipped", "SUCCESS", 1, ["success"], {"a": 1}, True])
def test_an_outcome_that_is_none_of_the_three_is_refused(rows: Table, bot: Bot, outcome: object) -> None:
    paper = bot.ticket()
    post("claim", paper, bot.token())
    status, answer = post("finish", {**paper, "outcome": outcome}, bot.token())
    assert status == 403
    assert "success, failure or cancelled" in answer["message"]
    assert stage_of(rows, ID, "build").state == "claimed"


@pytest.mark.parametrize("body", ["", "null", "[]", "1", '"x"', "{", "[" * 50_000, '{"a":' * 20_000, "\ud800", "NaN"])
@pytest.mark.parametrize("route", ["claim", "finish"])
def test_what_is_no_json_object_is_malformed(bot: Bot, route: str, body: str) -> None:
    assert post(route, body, bot.token()) == NO_OBJECT


@pytest.mark.parametrize("event", [None, [], "x", {}, {"body": 1}, {"routeKey": [], "body": "{}"}])
def test_an_event_of_another_shape_is_refused(bot: Bot, event: Any) -> None:
    assert stage.run(event)["statusCode"] in (400, 403)


LIMITS = {"image": 512, "task_definition": 512, "codedeploy_deployment_id": 64, "failed_job": 100, "failed_step": 100}
OUTPUTS: list[tuple[Any, dict[str, str]]] = [
    *(({name: "x" * 600, "other": "x"}, {name: "x" * limit}) for name, limit in LIMITS.items()),
    ({"failed_job": "build \ud800"}, {"failed_job": "build ?"}),  # JSON, and no text that the table could hold
    *((nothing, {}) for nothing in (None, [], "image", {"image": 7}, {"image": ""}, {"image": None})),
]


@pytest.mark.parametrize(("outputs", "kept"), OUTPUTS)
def test_only_outputs_that_are_known_are_kept_and_cut(
    rows: Table, bot: Bot, outputs: Any, kept: dict[str, str]
) -> None:
    paper = bot.ticket()
    post("claim", paper, bot.token())
    assert post("finish", {**paper, "outcome": "failure", "outputs": outputs}, bot.token())[0] == 200
    assert stage_of(rows, ID, "build").outputs == Outputs(**kept)


# -- trouble -----------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(environment: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes the look for the ticket fail."""

    def fail(error: Exception) -> None:
        def raises(*_: Any) -> None:
            raise error

        environment.setattr(stages, "of_ticket", raises)

    return fail


def test_a_table_that_does_not_answer_is_503_and_says_nothing_more(bot: Bot, broken: Any) -> None:
    for error in (
        ClientError({"Error": {"Code": "InternalServerError", "Message": "row ticket=s3cret"}}, "GetItem"),
        ConnectTimeoutError(endpoint_url="https://dynamodb.example"),
    ):
        broken(error)
        assert post("claim", {"ticket": "A" * 43}, bot.token()) == (503, {"message": "Try again."})


def test_a_row_of_a_newer_version_is_503_in_words(bot: Bot, broken: Any) -> None:
    error = UnknownSchema("STAGE#build", "9", "1 and 2")
    broken(error)
    assert post("claim", {"ticket": "A" * 43}, bot.token()) == (503, {"message": error.args[0]})


def test_while_githubs_keys_cannot_be_read_the_run_tries_again(rows: Table, bot: Bot) -> None:
    paper = bot.ticket()
    bot.jobs.away = ("jwks",)
    status, answer = post("claim", paper, bot.token())
    assert status == 503
    assert answer["message"].startswith("Try again: the keys of https://token.actions.test can't be read")
    assert stage_of(rows, ID, "build").state == "ready"


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
near = st.sampled_from([1, "success", "A" * 43])
nearly = st.dictionaries(st.sampled_from(["ticket", "run_id", "outcome", "outputs"]), json_like | near, max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["claim", "finish", "x"]), json_like | nearly)
def test_whatever_is_sent_without_a_ticket_is_400_or_403_and_changes_nothing(
    rows: Table, bot: Bot, route: str, body: Any
) -> None:
    before = rows.query(f"DEPLOYMENT#{ID}")
    assert post(route, json.dumps(body), bot.token())[0] in (400, 403)
    assert (rows.query(f"DEPLOYMENT#{ID}"), bot.woken) == (before, [])
