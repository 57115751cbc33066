"""Deployments in every phase and at every end, as the state machine's facts tell them; for tests of messages."""

from __future__ import annotations

from typing import Any

from chatops.domain import codec
from chatops.domain.deployment import Deployment
from chatops.domain.plan import Plan
from chatops.domain.status import Status
from chatops.messages.view import View

ID = "d-abc234def567"
NOW = 1_760_000_362.0
CONSOLE = "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/arn:aws:d"
GIFS = {kind: f"https://gifs.example/{kind}.gif" for kind in ("deploying", "success", "failure")}
State = dict[str, Any]

PLAN: State = {
    "schema": 1,
    "verdict": "go",
    "command": "deploy",
    "target": "prod",
    "kind": "ecs",
    "repository": "acme/checkout-api",
    "version": "v1.2.3",
    "sha": "4f0c1aa9d2b34c55a1f1c5d7b8e9f00112233445",
    "title": "Round prices half up",
    "url": "https://github.com/acme/checkout-api/commit/4f0c1aa9d2b34c55a1f1c5d7b8e9f00112233445",
    "reason": "",
    "requester": {"id": "U0DANA001", "name": "dana"},
    "channel": "C0DEPLOY1",
    "live": {"version": "v1.2.2"},
    "previous": {"present": True, "version": "v1.2.2", "task_definition": "arn:aws:ecs:x:1:task-definition/api:7"},
    "changes": {
        "url": "https://github.com/acme/checkout-api/compare/a...b",
        "commits": 3,
        "behind": 0,
        "authors": ["kim", "Lee"],
        "pulls": [41, 42],
    },
    "approval": {"required": True, "eligible": ["U0LEE0001", "U0KIM0001"], "groups": [], "quorum": 1, "seconds": 3600},
    "timing": {"approval": 3600},
    "started_at": 1_760_000_000.0,
}
BACK: State = {
    **PLAN,
    "command": "rollback",
    "version": "v1.2.1",
    "previous": {"present": True, "version": "v1.2.1", "task_definition": "arn:aws:ecs:x:1:task-definition/api:6"},
    "reason": "prices are wrong",
    "changes": {},
}
RUN: State = {
    "claimed": True,
    "run_id": 30433642,
    "run_number": 4411,
    "run_url": "https://github.com/acme/checkout-api/actions/runs/30433642",
    "conclusion": "",
}
BUILT: State = {**RUN, "stage": "build", "state": "succeeded", "done": True, "seconds": 65.2, "conclusion": "success"}
BROKE: State = {
    **RUN,
    "stage": "build",
    "state": "failed",
    "done": True,
    "conclusion": "failure",
    "job": "test",
    "step": "Run the tests",
    "why": {"key": "why_run_failed"},
}
RUNNING: State = {**RUN, "stage": "build", "state": "running", "done": False, "job": "build", "step": "docker build"}
PENDING: State = {
    "decision": "pending",
    "by": "",
    "reason": "",
    "votes": {},
    "eligible": ["U0LEE0001", "U0KIM0001"],
    "quorum": 1,
    "deadline": "2025-10-09T09:53:20.000Z",
    "seconds": 12.0,
}
APPROVED: State = {**PENDING, "decision": "approved", "by": "U0LEE0001", "votes": {"U0LEE0001": 1.0}, "seconds": 130.0}
DEPLOYED: State = {**BUILT, "stage": "deploy", "run_number": 4412}
ROLLOUT: State = {
    "state": "moving",
    "done": False,
    "status": "IN_PROGRESS",
    "restoring": False,
    "running": 2,
    "desired": 4,
    "pending": 2,
    "lifecycle_stage": "",
    "reason": "",
    "events": [
        "(service checkout-api) has started 2 tasks: (task 1a).",
        "(service checkout-api) registered 2 targets.",
    ],
}
PAUSE: State = {
    "id": "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw",
    "of": "arn:aws:ecs:x:1:service-deployment/checkout/checkout-api/x1",
    "mark": "0a1b2c3d4e5f",
    "stage": "PRODUCTION_TRAFFIC_SHIFT",
    "strategy": "CANARY",
    "traffic": 10.0,
    "eligible": ["U0LEE0001", "U0KIM0001"],
    "deadline": "2025-10-09T09:53:20.000Z",
    "decision": "pending",
    "by": "",
    "seconds": 130.0,
}
CANARY: State = {
    **ROLLOUT,
    "lifecycle_stage": "PRODUCTION_TRAFFIC_SHIFT",
    "strategy": "CANARY",
    "traffic": 10.0,
    "pause": {},
}
PAUSED: State = {**CANARY, "state": "paused", "pause": PAUSE, "wait_seconds": 10, "wake": 0}
PROMOTED: State = {**PAUSE, "decision": "promoted", "by": "U0LEE0001"}
BREAKER: State = {
    **ROLLOUT,
    "state": "failed",
    "done": True,
    "status": "ROLLBACK_IN_PROGRESS",
    "restoring": True,
    "why": {
        "key": "why_rollout_failed",
        "values": {
            "status": "ROLLBACK_IN_PROGRESS",
            "said": ": ECS deployment circuit breaker: tasks failed to start.",
        },
    },
}
HEALTHY: State = {**ROLLOUT, "state": "healthy", "done": True, "status": "SUCCESSFUL", "running": 4, "pending": 0}
UP: State = {"plan": PLAN, "build": BUILT, "approval": APPROVED, "deploy": DEPLOYED}


def _outcome(end: str, why: State | None = None, **more: Any) -> State:
    place = {"cluster": "checkout", "service": "checkout-api"}
    return {"end": end, "why": why or {}, "by": "", "superseded": False, "place": place, "seconds": 362.0, **more}


def _cause(key: str, stage: str = "", **values: Any) -> State:
    return {"key": key, "values": values, **({"stage": stage} if stage else {})}


REVIEW: State = {"environment": "prod-build", "run_state": "in_review"}

PHASES: dict[str, State] = {
    "planned": {"plan": PLAN},
    "rollback planned": {"plan": BACK},
    "build waits": {"plan": PLAN, "build": {"stage": "build", "state": "waiting", "done": False}},
    "build queued": {"plan": PLAN, "build": {**RUN, "stage": "build", "state": "queued", "done": False}},
    "build in review": {
        "plan": PLAN,
        "build": {**RUN, **REVIEW, "stage": "build", "state": "in_review", "done": False, "reviewers": "kim, platform"},
    },
    "build under rules": {
        "plan": PLAN,
        "build": {**RUN, **REVIEW, "stage": "build", "state": "in_review", "done": False, "reviewers": ""},
    },
    "build waits its turn": {"plan": PLAN, "build": {**RUN, "stage": "build", "state": "pending", "done": False}},
    "build runs": {"plan": PLAN, "build": RUNNING},
    "build runs, job unknown": {"plan": PLAN, "build": {**RUNNING, "job": "", "step": ""}},
    "build finishes": {"plan": PLAN, "build": {**RUNNING, "state": "finishing"}},
    "approval": {
        "plan": PLAN,
        "build": {**BUILT, "outputs": {"image": f"registry/checkout-api@sha256:{'ab12' * 16}"}},
        "approval": PENDING,
    },
    "approval by a group, one of two": {
        "plan": {**PLAN, "approval": {**PLAN["approval"], "groups": ["S0PLATF01"], "quorum": 2}},
        "build": BUILT,
        "approval": {**PENDING, "quorum": 2, "votes": {"U0KIM0001": 1.0}},
    },
    "approval of a rollback": {"plan": BACK, "approval": PENDING},
    "approved": {"plan": PLAN, "build": BUILT, "approval": APPROVED},
    "deploy runs": {**UP, "deploy": {**RUNNING, "stage": "deploy"}},
    "rollout": {**UP, "rollout": ROLLOUT},
    "rollout, blue/green": {**UP, "rollout": {**ROLLOUT, "lifecycle_stage": "PRODUCTION_TRAFFIC_SHIFT"}},
    "rollout, canary": {**UP, "rollout": CANARY},
    "paused": {**UP, "rollout": PAUSED},
    "paused, no traffic told": {
        **UP,
        "rollout": {**PAUSED, "traffic": None, "pause": {**PAUSE, "traffic": None, "eligible": []}},
    },
    "promoted": {**UP, "rollout": {**CANARY, "state": "promoted", "pause": PROMOTED}},
    "promoted, and on": {**UP, "rollout": {**CANARY, "last_pause": PROMOTED}},
    "continued elsewhere": {**UP, "rollout": {**CANARY, "last_pause": {**PAUSE, "decision": "passed"}}},
    "nobody promoted it": {
        **UP,
        "rollout": {**CANARY, "state": "expired", "done": True, "pause": {**PAUSE, "decision": "expired"}},
        "rollback": {"how": "stop_service_deployment"},
    },
    "CodeDeploy waits": {
        **UP,
        "plan": {**PLAN, "kind": "codedeploy"},
        "rollout": {"state": "paused", "status": "Ready", "pause": {**PAUSE, "stage": "Ready", "traffic": None}},
    },
    "breaker restores": {**UP, "rollout": BREAKER},
    "restoring": {**UP, "rollout": BREAKER, "rollback": {"how": "update_service"}},
    "rollback stage": {"plan": {**BACK, "kind": "none"}, "rollback": {**RUNNING, "stage": "rollback"}},
}
ENDS: dict[str, State] = {
    "Deployed": {**UP, "rollout": HEALTHY, "outcome": _outcome("Deployed")},
    "Deployed without approval": {"plan": PLAN, "build": BUILT, "deploy": DEPLOYED, "outcome": _outcome("Deployed")},
    "Deployed, first": {**UP, "plan": {**PLAN, "live": {}, "previous": {}}, "outcome": _outcome("Deployed")},
    "Restored": {"plan": BACK, "restored": HEALTHY, "rollback": {"how": "x"}, "outcome": _outcome("Restored")},
    "Restored without a reason": {"plan": {**BACK, "reason": ""}, "outcome": _outcome("Restored")},
    "Restored by a cancel": {**UP, "restored": HEALTHY, "outcome": _outcome("Restored", by="U0KIM0001")},
    "Restored at a pause": {
        **UP,
        "rollout": {**CANARY, "state": "cancelled", "done": True, "pause": {**PAUSE, "decision": "rolled_back"}},
        "restored": HEALTHY,
        "outcome": _outcome("Restored", by="U0KIM0001"),
    },
    "Restored, not promoted": {
        **UP,
        "rollout": {**CANARY, "state": "expired", "done": True, "pause": {**PAUSE, "decision": "expired"}},
        "restored": HEALTHY,
        "outcome": _outcome("Restored"),
    },
    "Rolled Back": {**UP, "rollout": BREAKER, "outcome": _outcome("Rolled Back", BREAKER["why"])},
    "Rolled Back by an alarm": {
        **UP,
        "rollout": BREAKER,
        "outcome": _outcome(
            "Rolled Back", _cause("why_rollout_failed", status="ROLLBACK_SUCCESSFUL", said=": CloudWatch alarm p99")
        ),
    },
    "Rolled Back, unknown status": {
        **UP,
        "rollout": {**BREAKER, "status": "HALF_BAKED"},
        "outcome": _outcome("Rolled Back", _cause("why_rollout_failed", status="HALF_BAKED", said="")),
    },
    "Rolled Back, stopped in ECS": {
        **UP,
        "rollout": {**BREAKER, "status": "STOPPED"},
        "outcome": _outcome("Rolled Back", _cause("why_rollout_failed", status="STOPPED", said="")),
    },
    "Rolled Back, late": {
        **UP,
        "rollout": ROLLOUT,
        "outcome": _outcome("Rolled Back", _cause("why_rollout_late", seconds=900)),
    },
    "Rolled Back, bare": {**UP, "outcome": _outcome("Rolled Back", {"key": "why_deploy_broke"})},
    "Build Failed": {
        "plan": PLAN,
        "build": BROKE,
        "outcome": _outcome("Build Failed", _cause("why_run_failed", "build")),
    },
    "Build Failed, bare": {
        "plan": PLAN,
        "build": {**BROKE, "job": "", "step": ""},
        "outcome": _outcome("Build Failed", _cause("why_run_failed_bare", "build")),
    },
    "Build Failed, startup failure": {
        "plan": PLAN,
        "build": {**BROKE, "job": "", "step": "", "conclusion": "startup_failure"},
        "outcome": _outcome("Build Failed", _cause("why_run_failed_bare", "build")),
    },
    "Build Failed, unknown conclusion": {
        "plan": PLAN,
        "build": {**BROKE, "job": "", "step": "", "conclusion": "evaporated"},
        "outcome": _outcome("Build Failed", _cause("why_run_failed_bare", "build")),
    },
    "Build Failed, no run": {
        "plan": PLAN,
        "build": {"stage": "build", "state": "never_appeared", "done": True},
        "outcome": _outcome(
            "Build Failed", _cause("why_never_appeared", "build", seconds=180, event_type="prod_deploy")
        ),
    },
    "Build Failed, late": {
        "plan": PLAN,
        "build": {**BROKE, "state": "timed_out"},
        "outcome": _outcome("Build Failed", _cause("why_timed_out", "build", seconds=3600)),
    },
    "Build Failed, not reviewed": {
        "plan": PLAN,
        "build": {**BROKE, **REVIEW, "state": "timed_out"},
        "outcome": _outcome(
            "Build Failed",
            _cause("why_not_reviewed", "build", seconds=3600, environment="prod-build", reviewers="kim, platform"),
        ),
    },
    "Build Failed, workflow disabled": {
        "plan": PLAN,
        "build": {"stage": "build", "state": "never_appeared", "done": True},
        "outcome": _outcome(
            "Build Failed",
            _cause(
                "why_workflow_idle",
                "build",
                file=".github/workflows/prod_deploy.yml",
                repository="acme/checkout-api",
            ),
        ),
    },
    "Build Failed, refused": {
        "plan": PLAN,
        "outcome": _outcome("Build Failed", _cause("why_error", said="GitHubRefused")),
    },
    "Build Failed, no cause": {"plan": PLAN, "outcome": _outcome("Build Failed")},
    "Deploy Failed": {
        "plan": PLAN,
        "build": BUILT,
        "deploy": {**BROKE, "stage": "deploy", "claimed": False},
        "outcome": _outcome("Deploy Failed", _cause("why_unclaimed", "deploy")),
    },
    "Deploy Failed, untouched": {
        **UP,
        "deploy": {**BROKE, "stage": "deploy", "step": "Update service"},
        "restore": {"how": "untouched"},
        "restored": {"state": "overtaken", "done": True},
        "outcome": _outcome("Deploy Failed", _cause("why_run_failed", "deploy")),
    },
    "Deploy Failed, Plan died": {
        "plan": PLAN,
        "outcome": _outcome("Deploy Failed", _cause("why_step", step="Plan", error="Sandbox.Timedout")),
    },
    "Deploy Failed, Plan died and said why": {
        "plan": {**PLAN, "live": {}},
        "outcome": _outcome("Deploy Failed", _cause("why_step_said", step="Plan", error="SlackRefused", said="no")),
    },
    "Deploy Failed, overtaken": {**UP, "outcome": _outcome("Deploy Failed", _cause("why_overtaken"))},
    "Deploy Failed, nothing before": {
        "plan": {**PLAN, "live": {}, "previous": {}},
        "outcome": _outcome("Deploy Failed", _cause("why_nothing_before")),
    },
    "Rollback Failed": {
        **UP,
        "restored": {**ROLLOUT, "status": "ROLLBACK_FAILED"},
        "outcome": _outcome("Rollback Failed", _cause("why_restore_failed", status="ROLLBACK_FAILED", said=": why")),
    },
    "Rollback Failed, no ECS": {
        "plan": {**BACK, "kind": "none"},
        "rollback": {**BROKE, "stage": "rollback"},
        "outcome": _outcome("Rollback Failed", _cause("why_run_failed", "rollback")),
    },
    "Rejected": {
        "plan": PLAN,
        "build": BUILT,
        "approval": {**PENDING, "decision": "rejected", "by": "U0KIM0001", "reason": "not on a Friday"},
        "outcome": _outcome("Rejected", by="U0KIM0001"),
    },
    "Expired": {
        "plan": PLAN,
        "build": BUILT,
        "approval": {**PENDING, "decision": "expired", "seconds": 3600.0},
        "outcome": _outcome("Expired"),
    },
    "Cancelled": {"plan": PLAN, "build": BUILT, "outcome": _outcome("Cancelled", by="U0DANA001")},
    "Superseded": {"plan": PLAN, "build": BUILT, "outcome": _outcome("Cancelled", by="U0KIM0001", superseded=True)},
    "Refused": {
        "plan": BACK,
        "outcome": _outcome("Refused", _cause("held_busy", version="v1.2.1", target="prod")),
    },
    "Frozen meanwhile": {
        "plan": PLAN,
        "build": BUILT,
        "outcome": _outcome(
            "Refused", _cause("why_frozen", version="v1.2.3", target="prod", until="2026-12-27", note="")
        ),
    },
    "Stopped": {**UP, "outcome": _outcome("Stopped", execution_status="ABORTED")},
    "Gone": {**UP, "outcome": _outcome("Stopped", execution_status="GONE")},
}
STATES: dict[str, State] = {**PHASES, **ENDS}


def seen(state: State, gifs: dict[str, str] | None = None) -> View:
    """The view of such a state."""
    deployment = Deployment.of({"deployment_id": ID, "state": state})
    return View(deployment, CONSOLE, NOW, GIFS if gifs is None else gifs)


def plan_of(found: State) -> Plan:
    """The plan of such JSON."""
    return codec.read(Plan, found)


def status_of(found: State) -> Status:
    """What is reported by such JSON."""
    return codec.read(Status, found)
