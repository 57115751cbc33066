"""Deployments that schema 1 left under way come to their right end under this code, step for step."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from chatops import SCHEMA
from chatops.ecs import verdict
from chatops.ecs.service import Service
from chatops.ecs.verdict import Rollout, RolloutState
from chatops.edge import cancelling, deciding
from chatops.errors import TargetHeld
from chatops.store import deployments, messages, releases
from chatops.store.releases import Release
from chatops.store.table import Table
from tests.faults.races.far import DANA, LEE, Far, far_ends
from tests.faults.upgrades.samples import MOMENTS, Sample, sample, targets_file
from tests.unit.conftest import TABLE, Time

TD = "arn:aws:ecs:us-east-1:123456789012:task-definition/checkout-api:{}"


class Going:
    """A sample that goes on: its state, and the step Lambdas as the state machine calls them."""

    def __init__(self, far: Far, found: Sample) -> None:
        self.far, self.sample, self.state = far, found, found.state
        self.id = found.deployment_id

    def call(self, name: str, key: str = "", **more: Any) -> Any:
        app = importlib.import_module(f"lambdas.{name}.app")
        event = {"deployment_id": self.id, "execution_arn": self.sample.execution_arn, "state": self.state, **more}
        fact = json.loads(json.dumps(app.handler(event, None)))
        if key:
            self.state = {**self.state, key: fact}
        return fact

    def stage_runs(self, stage: str, outcome: str = "success", **outputs: str) -> None:
        """The stage's run claims its ticket (unless it has) and reports; the state machine looks."""
        row = self.far.rows.get(f"DEPLOYMENT#{self.id}", f"STAGE#{stage}") or {}
        run, token = int(row.get("run_id") or 9001), row.get("finish_token")
        if not token:
            asked = {"ticket": row["ticket"], "run_id": run, "run_attempt": 1}
            token = self._pipeline("claim", asked)["finish_token"]
        self._pipeline("finish", {"finish_token": token, "run_id": run, "outcome": outcome, "outputs": outputs})
        self.call("poll", stage, stage=stage)

    def _pipeline(self, route: str, body: dict[str, Any]) -> Any:
        from lambdas.stage import app

        answer = app.handler({"routeKey": f"POST /stages/{route}", "body": json.dumps(body)}, None)
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])

    def read(self) -> str:
        return str(self.call("approval", "approval", mode="read")["decision"])

    def settle(self) -> str:
        end = str(self.call("settle", "outcome")["end"])
        assert self.call("notify", event="outcome") == {"delivered": True}
        return end

    def deploys(self, state: RolloutState = RolloutState.HEALTHY) -> str:
        """The rest, from the dispatch of the deploy stage to the rollout's end."""
        self.call("dispatch", "deploy", stage="deploy")
        assert self.far.dispatched[-1]["schema"] == 1
        self.stage_runs("deploy", task_definition=TD.format(3))
        assert self.state["deploy"]["state"] == "succeeded"
        return self.rolls_out(state)

    def rolls_out(self, state: RolloutState = RolloutState.HEALTHY) -> str:
        self.far.patch.setattr(
            verdict, "rollout", lambda *_: Rollout(state, "SUCCESSFUL", task_definition=TD.format(3))
        )
        return str(self.call("ecs", "rollout", mode="rollout")["state"])

    def is_restored(self) -> str:
        self.far.patch.setattr(verdict, "restored", lambda *_: Rollout(RolloutState.HEALTHY, "SUCCESSFUL"))
        return str(self.call("ecs", "restored", mode="restored")["state"])

    def live(self) -> list[str]:
        return [release.version for release in releases.newest_first(self.far.rows, "dev")]

    def nothing_is_left(self) -> None:
        assert (self.far.holder(), self.far.open(), messages.outbox(self.far.rows)) == ("", [], [])


@pytest.fixture
def going(rows: Table, environment: pytest.MonkeyPatch, time: Time, request: pytest.FixtureRequest) -> Going:
    """The moment that the test's parameter names."""
    found = sample(1, request.param)
    for item in found.rows:
        rows._client.put_item(TableName=TABLE, Item=item)
    far = far_ends(rows, environment, time)
    environment.setenv("CHATOPS_TARGETS_FILE", str(targets_file(1)))
    time.at = found.at
    for name, answer in {
        "describe": {},
        "deployments": [],
        "usable": True,
        "live_task_definition": TD.format(2),
    }.items():
        environment.setattr(Service, name, lambda *_, answer=answer: answer)
    return Going(far, found)


def moment(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("going", [name], indirect=True)


def test_the_samples_are_of_schema_1_and_it_is_not_the_current_one() -> None:
    assert SCHEMA > 1
    for name in MOMENTS:
        found = sample(1, name)
        assert found.state["plan"]["schema"] == found.execution_input["schema"] == 1
        assert {row.get("schema", {"N": "1"})["N"] for row in found.rows} == {"1"}
        assert "ledger" not in found.state["plan"]


@moment("building")
def test_a_build_under_way_goes_on_to_live(going: Going) -> None:
    going.far.running.add(int(going.sample.row("STAGE#build", "run_id")))
    assert going.call("poll", "build", stage="build")["state"] == "running"
    going.far.running.clear()
    going.stage_runs("build", image="repo@sha256:3")
    assert going.state["build"]["state"] == "succeeded"
    assert going.read() == "pending"
    assert "approved" in deciding.approve(going.id, LEE, "C0DEPLOY1").lower()
    assert going.read() == "approved"
    assert going.deploys() == "healthy"
    assert going.settle() == "Deployed"
    assert going.live()[:2] == ["v1.2.3", "v1.1.0"]
    going.nothing_is_left()


@moment("building")
def test_a_build_under_way_that_breaks_ends_in_build_failed(going: Going) -> None:
    going.stage_runs("build", outcome="failure", failed_job="build", failed_step="Test")
    assert going.settle() == "Build Failed"
    assert going.live()[0] == "v1.1.0"
    going.nothing_is_left()


def wait(going: Going) -> None:
    """Request Approval, entered again."""
    assert going.call("approval", mode="request", token="new-token", wake=going.state["approval"]["wake"]) == {}


@moment("waiting-for-approval")
def test_an_approval_asked_for_before_is_given_and_goes_on_to_live(going: Going) -> None:
    wait(going)
    assert "approved" in deciding.approve(going.id, LEE, "C0DEPLOY1").lower()
    assert going.far.states.answered == ["new-token"]
    assert going.read() == "approved"
    assert going.deploys() == "healthy"
    assert going.settle() == "Deployed"
    assert going.live()[:2] == ["v1.2.3", "v1.1.0"]
    going.nothing_is_left()


@moment("waiting-for-approval")
@pytest.mark.parametrize("how", ["Rejected", "Expired", "Cancelled"])
def test_an_approval_asked_for_before_is_refused(going: Going, how: str) -> None:
    wait(going)
    if how == "Rejected":
        assert "⚠️" not in deciding.reject(going.id, LEE, "no")
    elif how == "Cancelled":
        assert "⚠️" not in cancelling.cancel(going.id, DANA)
    else:
        going.far.time.pass_by(60)
    assert going.read() == how.lower()
    assert going.settle() == how
    going.nothing_is_left()


@moment("waiting-for-approval")
def test_whoever_comes_while_an_older_deployment_waits_is_told_about_it(going: Going) -> None:
    refused = going.far.plan("d-new", version="v9")
    assert (refused["refusal"]["key"], refused["refusal"]["values"]["id"]) == ("busy", going.id)


@moment("waiting-for-approval")
def test_a_rollback_goes_ahead_of_an_older_deployment_that_waits(going: Going) -> None:
    assert going.far.plan("d-back", "rollback", "before")["verdict"] == "refused", "the ledger knows versions"
    assert going.far.plan("d-back2", "rollback", "")["verdict"] == "go"
    assert going.far.take("d-back2")["superseded"] == going.id
    assert going.read() == "cancelled"
    assert going.settle() == "Cancelled"
    assert going.far.holder() == "d-back2"


@moment("rolling-out")
def test_a_rollout_under_way_is_seen_to_its_end(going: Going) -> None:
    assert going.rolls_out(RolloutState.MOVING) == "moving"
    assert going.rolls_out() == "healthy"
    assert going.settle() == "Deployed"
    assert going.live()[:2] == ["v1.2.3", "v1.1.0"]
    going.nothing_is_left()


@moment("rolling-out")
def test_a_rollout_under_way_that_breaks_goes_back_to_what_was_live(going: Going) -> None:
    assert going.rolls_out(RolloutState.FAILED) == "failed"
    assert going.call("restore", "rollback")["task_definition"] == TD.format(2)
    assert going.is_restored() == "healthy"
    assert going.settle() == "Rolled Back"
    assert going.live()[0] == "v1.1.0"
    assert releases.bad_versions(going.far.rows, "dev") == {"v1.2.3"}
    going.nothing_is_left()


@moment("rolling-back")
def test_a_rollback_under_way_is_confirmed(going: Going) -> None:
    assert going.is_restored() == "healthy"
    assert going.settle() == "Restored"
    assert going.live()[0] == "v1.1.0"
    assert releases.bad_versions(going.far.rows, "dev") == {"v1.2.3"}
    going.nothing_is_left()


def not_yet_taken(going: Going) -> None:
    """The same rollback a state before: it has not taken the target."""
    going.far.rows.delete("TARGET#dev", "LOCK")
    going.state = {"plan": going.state["plan"]}


@moment("rolling-back")
def test_a_rollback_planned_before_takes_its_target(going: Going) -> None:
    not_yet_taken(going)
    assert going.call("plan", "taken", mode="take") == {"superseded": ""}
    assert going.far.holder() == going.id


@moment("rolling-back")
def test_a_rollback_planned_before_is_refused_where_something_else_is_live_by_now(going: Going) -> None:
    not_yet_taken(going)
    going.far.time.pass_by(60)
    newer = Release("v9", verified_at="2027-01-01T00:00:00.000Z", deployment_id="d-newer")
    going.far.rows.transact(releases.adding("dev", newer))
    with pytest.raises(TargetHeld):
        going.call("plan", "taken", mode="take")


@moment("rolling-back")
def test_a_rollback_planned_before_from_what_the_ledger_did_not_know_takes_its_target(going: Going) -> None:
    """The ledger's newest release is older than the plan, whatever ran beside it."""
    not_yet_taken(going)
    going.state["plan"] = {**going.state["plan"], "live": {"version": "by-hand"}}
    assert going.call("plan", "taken", mode="take") == {"superseded": ""}


@pytest.mark.parametrize("going", MOMENTS, indirect=True)
def test_one_that_was_stopped_is_settled_and_told_by_sweep(going: Going) -> None:
    going.far.states.ended[going.sample.execution_arn] = "ABORTED"
    done = going.far.sweep()
    assert (done["settled"], done["freed"]) == ([going.id], ["dev"])
    assert (deployments.outcome(going.far.record(going.id)) or {})["end"] == "Stopped"
    going.nothing_is_left()


@pytest.mark.parametrize("going", MOMENTS, indirect=True)
def test_the_lists_of_before_are_read(going: Going) -> None:
    assert going.far.open() == [going.id]
    past = deployments.history(going.far.rows, "dev")
    assert past[0]["deployment_id"] == going.id
    assert {row["outcome"]["end"] for row in past[1:]} == {"Deployed"}
