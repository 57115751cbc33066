"""Which end a deployment comes to: facts in, end out; for every end and every reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatops.domain import codec
from chatops.domain import outcome as rules
from chatops.domain.deployment import Deployment
from chatops.domain.errors import TargetHeld
from chatops.domain.record import Cancel

DANA, LEE, KIM = "U0DANA001", "U0LEE0001", "U0KIM0001"
GO = {"verdict": "go", "command": "deploy", "kind": "ecs", "version": "v3", "requester": {"id": DANA}}
PLAIN = {**GO, "kind": "none"}
BACK = {**GO, "command": "rollback", "version": "v2", "target": "prod"}
BUILT = {"stage": "build", "state": "succeeded", "done": True, "claimed": True}
SHIPPED = {"stage": "deploy", "state": "succeeded", "done": True, "claimed": True, "why": {}}
HEALTHY = {"state": "healthy", "done": True, "why": {}}
CANCEL = Cancel(LEE)
SUPERSEDED = Cancel(KIM, "superseded", "d-back")
UNCLAIMED = {"stage": "deploy", "state": "never_appeared", "done": True, "claimed": False}


def outcome(state: dict[str, Any], cancel: Cancel | None) -> dict[str, Any]:
    return codec.as_json(rules.outcome(Deployment.of({"state": state}), cancel))


def why(key: str, stage: str = "", **values: Any) -> dict[str, Any]:
    return {"key": key, "values": values, **({"stage": stage} if stage else {})}


def broke(stage: str, key: str, state: str = "failed", *, claimed: bool = True) -> dict[str, Any]:
    return {"stage": stage, "state": state, "done": True, "claimed": claimed, "why": {"key": key}}


def error(name: str, said: str = "") -> dict[str, Any]:
    return {"Error": name, "Cause": json.dumps({"errorMessage": said}) if said else "not JSON"}


LATE = {"state": "timed_out", "done": True, "why": {"key": "why_rollout_late"}}
BREAKER = {"state": "failed", "done": True, "restoring": True, "why": {"key": "why_rollout_failed"}}
UNPROMOTED = {"state": "expired", "done": True, "why": {}}
STOPPED = {"state": "cancelled", "done": True, "why": {}}
OVERTAKEN = {"state": "overtaken", "done": True, "why": {"key": "why_overtaken"}}
RUN = {"plan": GO, "build": BUILT}
ROLLED_OUT = {**RUN, "deploy": SHIPPED}
RESTORED = {"rollback": {"how": "update_service"}, "restored": HEALTHY}
BECAUSE = {"said": "AccessDenied"}

TABLE: dict[str, tuple[dict[str, Any], Any, str, Any, str]] = {
    # name: facts, the cancel, end, why, by
    "all went well": ({**ROLLED_OUT, "rollout": HEALTHY}, None, "Deployed", {}, ""),
    "all went well without a service to ask": ({**ROLLED_OUT, "plan": PLAIN}, None, "Deployed", {}, ""),
    "a dispatch's trouble that the run overcame": (
        {**ROLLED_OUT, "rollout": HEALTHY, "dispatch_error": error("GitHubUnavailable")},
        None,
        "Deployed",
        {},
        "",
    ),
    "nobody promoted it, and it was taken back": (
        {**ROLLED_OUT, "rollout": UNPROMOTED, **RESTORED},
        None,
        "Restored",
        {},
        "",
    ),
    "nobody promoted it, and a cancel came too": (
        {**ROLLED_OUT, "rollout": UNPROMOTED, **RESTORED},
        CANCEL,
        "Restored",
        {},
        LEE,
    ),
    "nobody promoted it, and it could not be taken back": (
        {**ROLLED_OUT, "rollout": UNPROMOTED, "rollback": {"how": "x"}, "restored": LATE},
        None,
        "Rollback Failed",
        {**why("why_rollout_late"), "stage": ""},
        "",
    ),
    "nobody promoted it, and there was nothing before": (
        {**ROLLED_OUT, "rollout": UNPROMOTED},
        None,
        "Deploy Failed",
        why("why_nothing_before"),
        "",
    ),
    "promoted, and the service did not let us": (
        {**ROLLED_OUT, "rollout": {"state": "promoted", "done": False, "why": {}}, **RESTORED}
        | {"rollout_error": error("ServiceRefused", "no")},
        None,
        "Rolled Back",
        why("why_error", said="no"),
        "",
    ),
    "a green workflow alone is not live": (ROLLED_OUT, None, "Deploy Failed", why("why_nothing_before"), ""),
    # the build
    "the build failed": (
        {"plan": GO, "build": broke("build", "why_run_failed")},
        None,
        "Build Failed",
        why("why_run_failed", "build"),
        "",
    ),
    "the build was late": (
        {"plan": GO, "build": broke("build", "why_timed_out", "timed_out")},
        None,
        "Build Failed",
        why("why_timed_out", "build"),
        "",
    ),
    "the build never appeared": (
        {"plan": GO, "build": broke("build", "why_never_appeared", "never_appeared", claimed=False)},
        None,
        "Build Failed",
        why("why_never_appeared", "build"),
        "",
    ),
    "the build was refused": (
        {"plan": GO, "build_error": error("GitHubRefused")},
        None,
        "Build Failed",
        {"key": "why_error", "values": {"said": "GitHubRefused"}},
        "",
    ),
    "the build was cancelled by a person": (
        {"plan": GO, "build": broke("build", "", "cancelled") | {"why": {}}},
        CANCEL,
        "Cancelled",
        {},
        LEE,
    ),
    "cancelled while the build could not even be asked for": (
        {"plan": GO, "build_error": error("GitHubUnavailable")},
        CANCEL,
        "Cancelled",
        {},
        LEE,
    ),
    "the target was lost before the build": (
        {"plan": GO, "build_error": error("AlreadySettled")},
        None,
        "Deploy Failed",
        {"key": "why_error", "values": {"said": "AlreadySettled"}},
        "",
    ),
    # people
    "rejected": ({**RUN, "approval": {"decision": "rejected", "by": KIM}}, None, "Rejected", {}, KIM),
    "rejected and cancelled: what was decided first": (
        {**RUN, "approval": {"decision": "rejected", "by": KIM}},
        CANCEL,
        "Rejected",
        {},
        KIM,
    ),
    "expired": ({**RUN, "approval": {"decision": "expired"}}, None, "Expired", {}, ""),
    "cancelled while it waited for approval": (
        {**RUN, "approval": {"decision": "cancelled", "by": LEE}},
        CANCEL,
        "Cancelled",
        {},
        LEE,
    ),
    "cancelled before the deploy stage was claimed": (
        {**RUN, "deploy": {**UNCLAIMED, "state": "cancelled"}},
        CANCEL,
        "Cancelled",
        {},
        LEE,
    ),
    # the deploy stage, not claimed: the service is untouched
    "the deploy stage never appeared": (
        {**RUN, "deploy": {**UNCLAIMED, "why": {"key": "why_never_appeared"}}},
        None,
        "Deploy Failed",
        why("why_never_appeared", "deploy"),
        "",
    ),
    "the deploy stage could not be asked for": (
        {**RUN, "dispatch_error": error("GitHubRefused")},
        None,
        "Deploy Failed",
        {"key": "why_error", "values": {"said": "GitHubRefused"}},
        "",
    ),
    "the approval could not be asked for": (
        {**RUN, "approval": {"decision": "pending"}, "approval_error": error("SlackRefused")},
        None,
        "Deploy Failed",
        {"key": "why_error", "values": {"said": "SlackRefused"}},
        "",
    ),
    "another deployment overtook it": (
        {**ROLLED_OUT, "rollout": OVERTAKEN},
        None,
        "Deploy Failed",
        {"key": "why_overtaken"},
        "",
    ),
    "the rollout was late and there is nothing to go back to": (
        {**ROLLED_OUT, "rollout": LATE},
        None,
        "Deploy Failed",
        {"key": "why_rollout_late", "stage": ""},
        "",
    ),
    "cancelled with nothing to go back to": (
        {**ROLLED_OUT, "rollout": HEALTHY, "settle_error": error("CancelRecorded")},
        CANCEL,
        "Deploy Failed",
        why("why_nothing_before"),
        LEE,
    ),
    # broken, and put back
    "the deploy stage failed and was put back": (
        {**RUN, "deploy": broke("deploy", "why_run_failed"), **RESTORED},
        None,
        "Rolled Back",
        why("why_run_failed", "deploy"),
        "",
    ),
    "the rollout was late and was put back": (
        {**ROLLED_OUT, "rollout": LATE, **RESTORED},
        None,
        "Rolled Back",
        {"key": "why_rollout_late", "stage": ""},
        "",
    ),
    "the circuit breaker put it back": (
        {**ROLLED_OUT, "rollout": BREAKER, "restored": HEALTHY},
        None,
        "Rolled Back",
        {"key": "why_rollout_failed", "stage": ""},
        "",
    ),
    "ECS could not be asked and it was put back": (
        {**ROLLED_OUT, "rollout_error": error("ServiceRefused"), **RESTORED},
        None,
        "Rolled Back",
        {"key": "why_error", "values": {"said": "ServiceRefused"}},
        "",
    ),
    "ECS could not be asked any more and it was put back": (
        {
            **ROLLED_OUT,
            "rollout": {"state": "moving", "done": False},
            "rollout_error": error("ServiceRefused"),
            **RESTORED,
        },
        None,
        "Rolled Back",
        {"key": "why_error", "values": {"said": "ServiceRefused"}},
        "",
    ),
    "it broke although somebody cancelled, too": (
        {**ROLLED_OUT, "rollout": BREAKER, "restored": HEALTHY},
        CANCEL,
        "Rolled Back",
        {"key": "why_rollout_failed", "stage": ""},
        LEE,
    ),
    "put back for no reason that anybody wrote down": (
        {**ROLLED_OUT, **RESTORED},
        None,
        "Rolled Back",
        {"key": "why_deploy_broke"},
        "",
    ),
    # a person's wish, and put back
    "cancelled during the rollout": ({**ROLLED_OUT, "rollout": STOPPED, **RESTORED}, CANCEL, "Restored", {}, LEE),
    "cancelled during the deploy stage": (
        {**RUN, "deploy": {**SHIPPED, "state": "cancelled"}, **RESTORED},
        CANCEL,
        "Restored",
        {},
        LEE,
    ),
    "cancelled at the moment of settling": (
        {**ROLLED_OUT, "rollout": HEALTHY, "settle_error": error("CancelRecorded"), **RESTORED},
        CANCEL,
        "Restored",
        {},
        LEE,
    ),
    "cancelled during the rollout, after a dispatch whose trouble was overcome": (
        {**ROLLED_OUT, "rollout": STOPPED, "dispatch_error": error("GitHubUnavailable"), **RESTORED},
        CANCEL,
        "Restored",
        {},
        LEE,
    ),
    "asked for by the command": ({"plan": BACK, **RESTORED}, None, "Restored", {}, DANA),
    "asked for by the command, by a stage": (
        {
            "plan": {**BACK, "kind": "none"},
            "rollback": {"stage": "rollback", "state": "succeeded"},
            "restored": HEALTHY,
        },
        None,
        "Restored",
        {},
        DANA,
    ),
    # not put back
    "the restore could not be begun": (
        {**ROLLED_OUT, "rollout": LATE, "rollback_error": error("ServiceRefused")},
        None,
        "Rollback Failed",
        {"key": "why_error", "values": {"said": "ServiceRefused"}},
        "",
    ),
    "the restore was not this deployment's to do any more": (
        {**ROLLED_OUT, "rollout": LATE, "rollback_error": error("AlreadySettled")},
        None,
        "Deploy Failed",
        {"key": "why_error", "values": {"said": "AlreadySettled"}},
        "",
    ),
    "the rollback stage failed": (
        {
            "plan": PLAIN,
            "build": BUILT,
            "deploy": broke("deploy", "x"),
            "rollback": broke("rollback", "why_run_failed"),
        },
        None,
        "Rollback Failed",
        why("why_run_failed", "rollback"),
        "",
    ),
    "the release before was not confirmed in time": (
        {**ROLLED_OUT, **RESTORED, "restored": {"state": "timed_out", "why": {"key": "why_restore_late"}}},
        None,
        "Rollback Failed",
        {"key": "why_restore_late", "stage": ""},
        "",
    ),
    "the restore was being watched when ECS could not be asked any more": (
        {
            **ROLLED_OUT,
            **RESTORED,
            "restored": {"state": "moving", "why": {}},
            "rollback_error": error("ServiceRefused"),
        },
        None,
        "Rollback Failed",
        {"key": "why_error", "values": {"said": "ServiceRefused"}},
        "",
    ),
    "a rollback by command that ECS did not confirm": (
        {"plan": BACK, **RESTORED, "restored": {"state": "overtaken", "why": {"key": "why_restore_overtaken"}}},
        None,
        "Rollback Failed",
        {"key": "why_restore_overtaken", "stage": ""},
        "",
    ),
    # a rollback before it began
    "a rollback was rejected": (
        {"plan": BACK, "approval": {"decision": "rejected", "by": KIM}},
        None,
        "Rejected",
        {},
        KIM,
    ),
    "a rollback expired": ({"plan": BACK, "approval": {"decision": "expired"}}, None, "Expired", {}, ""),
    "a rollback was cancelled before it began": ({"plan": BACK}, CANCEL, "Cancelled", {}, LEE),
    "a rollback could not have the target": (
        {
            "plan": BACK,
            "rollback_error": error("TargetHeld", str(TargetHeld("held_busy", target="prod", version="v2"))),
        },
        None,
        "Refused",
        {"key": "held_busy", "values": {"target": "prod", "version": "v2"}},
        "",
    ),
    "a rollback could not have the target, in words that nobody can read": (
        {"plan": BACK, "rollback_error": error("TargetHeld")},
        None,
        "Refused",
        why("why_error", said="TargetHeld"),
        "",
    ),
    "a freeze began while the deployment waited": (
        {
            **RUN,
            "deploy": {**UNCLAIMED, "state": "refused", "why": {"key": "why_frozen"}},
            "dispatch_error": error("Frozen"),
        },
        None,
        "Refused",
        why("why_frozen", "deploy"),
        "",
    ),
    "a rollback could not begin": (
        {"plan": BACK, "rollback_error": error("ServiceUnavailable")},
        None,
        "Rollback Failed",
        {"key": "why_error", "values": {"said": "ServiceUnavailable"}},
        "",
    ),
    "a rollback was cancelled as it began": (
        {"plan": BACK, "rollback_error": error("CancelRecorded")},
        CANCEL,
        "Cancelled",
        {},
        LEE,
    ),
    "the approval of a rollback could not be asked for": (
        {"plan": BACK, "approval_error": error("SlackRefused")},
        None,
        "Rollback Failed",
        why("why_error", said="SlackRefused"),
        "",
    ),
    # the plan itself
    "the plan broke": (
        {"Error": "Sandbox.Timedout", "Cause": "{}"},
        None,
        "Refused",
        why("why_step", step="Plan", error="Sandbox.Timedout"),
        "",
    ),
    "the plan broke after it had written its record": (
        {**RUN, "Error": "Runtime.OutOfMemory", "Cause": "{}"},
        None,
        "Refused",
        why("why_step", step="Plan", error="Runtime.OutOfMemory"),
        "",
    ),
    "there is nothing at all": ({}, None, "Refused", {}, ""),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_end_follows_from_the_facts(name: str) -> None:
    state, cancel, end, reason, by = TABLE[name]
    found = outcome(state, cancel)
    given = {"values": {}, **reason} if reason else {}
    assert (found["end"], found["why"], found["by"]) == (end, {k: v for k, v in given.items() if v or k != "stage"}, by)
    json.dumps(found)


def test_every_end_of_a_deployment_stands_in_the_table() -> None:
    """`Reported` and a refused plan never come this far; `Stopped` is `sweep`'s to say."""
    assert {end for _, _, end, _, _ in TABLE.values()} == {
        "Deployed",
        "Restored",
        "Rejected",
        "Expired",
        "Cancelled",
        "Refused",
        "Build Failed",
        "Rolled Back",
        "Deploy Failed",
        "Rollback Failed",
    }


def test_a_rollback_that_went_ahead_is_named_as_what_it_is() -> None:
    found = outcome({"plan": GO, "build": {**BUILT, "state": "cancelled"}}, SUPERSEDED)
    assert (found["end"], found["superseded"], found["by"]) == ("Cancelled", True, KIM)
    assert outcome({"plan": GO, "build": {**BUILT, "state": "cancelled"}}, CANCEL)["superseded"] is False
