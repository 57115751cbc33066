"""A deployment's JSON as classes and back: nothing is added, nothing is lost."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain.codec import SCHEMA
from chatops.domain.deployment import PHASES, Deployment, Errors
from chatops.domain.plan import Plan
from chatops.domain.record import Outcome
from chatops.domain.release import Release
from chatops.domain.results import Decision, Restore, RolloutResult, StageResult
from chatops.domain.stage import Outputs
from chatops.domain.target import Timing

RELEASE = codec.as_json(Release("v1", "e3c8241a", task_definition="app:1", deployment_id="d-1", verified_at="2026"))
PLAN: dict[str, Any] = {
    "schema": SCHEMA,
    "verdict": "go",
    "command": "deploy",
    "target": "dev",
    "kind": "ecs",
    "repository": "acme/checkout-api",
    "version": "v2",
    "sha": "f00dfeed",
    "image": "",
    "architecture": "arm64",
    "title": "Fix login",
    "url": "https://github.example/commit/f00dfeed",
    "committed_at": "2026-01-01T00:00:00Z",
    "reason": "",
    "card": "",
    "break_glass": {},
    "requester": {"id": "U0DANA001", "name": "dana"},
    "channel": "C0DEPLOY1",
    "live": RELEASE,
    "previous": {"present": True, **RELEASE},
    "ledger": "2026#d-1",
    "changes": {"url": "https://x", "commits": 2, "behind": 0, "authors": ["lee"], "pulls": [7]},
    "approval": {
        "required": True,
        "eligible": ["U0LEE0001"],
        "groups": [],
        "quorum": 1,
        "seconds": 3600,
        "outside": [],
    },
    "timing": codec.as_json(Timing()),
    "started_at": 1700000000.5,
    "command_prefix": "/acme-",
}
NOTHING_BEFORE = {
    **PLAN,
    "break_glass": {"by": "U0DANA001", "reason": "fire"},
    "live": {},
    "previous": {"present": False},
    "changes": {},
    "approval": {"required": False},
}


@pytest.mark.parametrize("plan", [PLAN, NOTHING_BEFORE])
def test_a_plan_is_the_same_json_again_and_what_is_absent_is_none(plan: dict[str, Any]) -> None:
    found = codec.read(Plan, plan)
    assert codec.as_json(found) == plan
    if plan is PLAN:
        assert (found.back, bool(found.approval)) == ("v1", True)
    else:
        assert (found.live, found.previous, found.changes, found.approval) == (None, None, None, None)
        assert (found.before, found.back) == ("", "")


def test_missing_null_and_unknown_members_are_no_trouble() -> None:
    assert codec.read(Plan, {"version": None, "later": 1, "requester": {}}) == Plan()
    assert codec.read(StageResult, None) == codec.read(StageResult, "text") == StageResult()


RESULTS = [
    (StageResult, {"stage": "build", "state": "waiting", "done": False, "claimed": False, "why": {}}),
    (
        StageResult,
        {
            "stage": "deploy",
            "state": "succeeded",
            "done": True,
            "claimed": True,
            "why": {},
            "wait_seconds": 1,
            "outputs": {"image": "a@sha256:1"},
            "run_id": 9001,
            "run_url": "https://x",
            "job": "",
            "seconds": 1.5,
        },
    ),
    (Restore, {"how": "waiting", "at": 12.5, "behind": "d-X"}),
    (Decision, {"decision": "not_needed"}),
    (Decision, {"decision": "approved", "by": "U1", "votes": {"U1": 1.5}, "eligible": ["U1"], "quorum": 1, "wake": 3}),
    (Outcome, {"end": "Stopped", "execution_status": "TIMED_OUT", "why": {}, "by": ""}),
]


@pytest.mark.parametrize(("kind", "found"), RESULTS)
def test_a_result_is_the_same_json_again(kind: Any, found: dict[str, Any]) -> None:
    made = codec.read(kind, found)
    assert codec.as_json(made) == found


def test_a_deployment_is_read_from_a_steps_event() -> None:
    state = {
        "plan": PLAN,
        "build": {"stage": "build", "state": "succeeded", "outputs": {"image": "i"}},
        "rollback": {"how": "update_service", "task_definition": "app:1"},
        "rollout": {"state": "paused", "pause": {"mark": "0123456789ab", "id": "hook"}, "desired": 2},
        "dispatch_error": {"Error": "Frozen", "Cause": "{}"},
    }
    found = Deployment.of({"deployment_id": "d-2", "execution_arn": "arn", "state": state})
    assert (found.id, found.execution_arn, found.planned, found.plan.version) == ("d-2", "arn", True, "v2")
    assert found.stage("build").outputs == Outputs(image="i")
    assert (found.restore.how, bool(found.rollback)) == ("update_service", False)
    assert found.rollout.pause is not None
    assert found.rollout.pause.mark == "0123456789ab"
    assert found.errors.dispatch.name == "Frozen"
    assert not found.errors.deploy


@pytest.mark.parametrize("event", [{}, {"state": None}, {"state": "text"}, {"state": {"plan": {}}}])
def test_without_a_plan_nothing_has_begun(event: dict[str, Any]) -> None:
    found = Deployment.of(event)
    assert not found.planned
    assert not any(getattr(found, phase) for phase in (*PHASES, "outcome", "restore"))
    assert not any(getattr(found.errors, one.name) for one in fields(Errors))
    # an error of Plan is all there is
    error = {"Error": "Lambda.Unknown", "Cause": "text"}
    assert Deployment.of({"deployment_id": "d-2", "state": error}).errors.plan.as_json() == error


def test_kept_results_take_the_place_of_its_own() -> None:
    found = Deployment.of({"state": {"plan": PLAN, "build": {"stage": "build", "state": "running"}}})
    made = found.having({"build": {"stage": "build", "state": "failed"}, "restored": {"state": "healthy"}})
    assert (made.build.state, made.restored.state, made.plan) == ("failed", "healthy", found.plan)
    assert found.build.state == "running"
    assert codec.read(RolloutResult, {}).desired is None
