"""settle: write the outcome to the ledger and free the lock, in one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatops import clock, ending, measures
from chatops.domain.release import Release
from chatops.errors import CancelRecorded
from chatops.observability import count, emit
from chatops.platforms.registry import platform
from chatops.store import cancels, deployments, messages, releases, results, stages
from chatops.store.table import Item, table
from chatops.targets import targets

_METRICS = {
    "Deployed": "DeploymentsSucceeded",
    "Rolled Back": "DeploymentsRolledBack",
    "Restored": "DeploymentsRolledBack",
}


def run(event: dict[str, Any]) -> dict[str, Any]:
    """The outcome; the recorded one if the deployment was settled before. Raises CancelRecorded for a success that
    somebody cancelled."""
    return settle(str(event["deployment_id"]), event.get("state") or {})


def settle(deployment_id: str, state: dict[str, Any], forced: dict[str, Any] | None = None) -> dict[str, Any]:
    """Settle by the facts, or as `forced` says (`sweep`, for what ended from outside; it keeps the lock).

    The facts are the execution's state with what the phases have kept beside it, which a failed box does not lose.
    """
    rows = table()
    record = deployments.get(rows, deployment_id)
    if record is None:
        return ending.outcome(state, None)  # nothing was taken, nothing to free
    if known := deployments.outcome(record):
        return known
    plan = record["plan"]
    facts = {**results.joined(state, results.kept(rows, deployment_id)), "plan": plan}
    cancel = cancels.get(rows, deployment_id)
    made = forced or ending.outcome(facts, cancel)
    success = made["end"] == "Deployed"
    if success and cancel:
        raise CancelRecorded("Somebody cancelled before the success was recorded.")
    now = clock.now()
    target = targets().get(plan["target"])
    made = {
        **made,
        "at": clock.iso(now),
        "seconds": round(now - float(plan["started_at"]), 1),
        "place": dict(platform(target).names()) if target else {},
    }
    unconfirmed = _broke_off(facts) or any(_may_go_on(facts.get(stage) or {}) for stage in ("deploy", "rollback"))
    written = deployments.settle(
        rows,
        record,
        made,
        *_ledger(deployment_id, facts, made["end"], clock.iso(now)),
        messages.owing(deployment_id, _final(record, facts, made)),
        unless_cancelled=success,
        keep_lock=unconfirmed or forced is not None,
    )
    if written == "cancelled":
        raise CancelRecorded("Somebody cancelled before the success was recorded.")
    if written == "settled":
        return deployments.outcome(deployments.get(rows, deployment_id) or {}) or made
    count("DeploymentsFinished", plan["target"], seconds=made["seconds"])
    if name := _METRICS.get(made["end"], "DeploymentsFailed" if "Failed" in made["end"] else ""):
        count(name, plan["target"])
    emit(measures.of(made["end"], facts, _touched_at(deployment_id, made["end"]), now), plan["target"])
    return made


def _may_go_on(stage: dict[str, Any]) -> bool:
    """True if nobody has seen this stage's run end: given up, or its looks broke off. (`restore` leaves no stage.)"""
    return bool(stage.get("unconfirmed") or (stage.get("stage") and not stage.get("done")))


def _broke_off(facts: dict[str, Any]) -> bool:
    """True if the rollback ended in an error that is no answer: what it has begun may still be under way."""
    error = facts.get("rollback_error") or {}
    return bool(error) and error.get("Error") not in ("AlreadySettled", "CancelRecorded", "TargetHeld")


def _touched_at(deployment_id: str, end: str) -> float:
    """When the deploy stage began to change the service: its claim, or its dispatch where nothing claims."""
    row = (stages.get(table(), deployment_id, "deploy") or {}) if end == "Rolled Back" else {}
    return float(row.get("claimed_at") or row.get("created_at") or 0)


def _final(record: Item, facts: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """What `notify` needs to say how it ended."""
    state = {k: v for k, v in facts.items() if k not in ("message", "outcome")}
    return {
        "deployment_id": record["deployment_id"],
        "execution_arn": record["execution_arn"],
        "state": {**state, "outcome": made},
    }


def _ledger(deployment_id: str, facts: dict[str, Any], end: str, now: str) -> list[Item]:
    """What the ledger learns from this end: which release is verified healthy and live, which was rolled back from."""
    plan = facts["plan"]
    target, back = str(plan["target"]), releases.release(plan.get("previous"))
    known = releases.newest_first(table(), target) if end in ("Deployed", "Restored", "Rolled Back") else []
    members: list[Item] = []
    if end == "Deployed":
        if back and not known and back.version != plan["version"]:
            # what ran before we came is the way back from our first deployment
            members.append(
                releases.adding(
                    target, replace(back, verified_at=clock.iso(plan["started_at"]), deployment_id="before")
                )
            )
        members.append(releases.adding(target, _deployed(deployment_id, facts, now)))
        members.append(releases.clearing(target, str(plan["version"])))
    elif end in ("Restored", "Rolled Back") and back:
        if not known or known[0].version != back.version or known[0].task_definition != back.task_definition:
            restored = facts.get("rollback") or {}
            codedeploy = str(restored.get("codedeploy_deployment_id") or back.codedeploy_deployment_id)
            members.append(
                releases.adding(
                    target,
                    replace(
                        back,
                        verified_at=now,
                        deployment_id=deployment_id,
                        codedeploy_deployment_id=codedeploy,
                    ),
                )
            )
        left = (
            str((plan.get("live") or {}).get("version") or "")
            if plan["command"] == "rollback"
            else str(plan["version"])
        )
        breakage = end == "Rolled Back" or plan["command"] == "rollback"
        if breakage and left and left != back.version:
            members.append(releases.marking_bad(target, left))
    return members


def _deployed(deployment_id: str, facts: dict[str, Any], now: str) -> Release:
    plan = facts["plan"]
    built = (facts.get("build") or {}).get("outputs") or {}
    # where the pipeline says nothing, what was found to have come
    out = (facts.get("deploy") or {}).get("outputs") or (facts.get("rollout") or {}).get("brought") or {}
    running = str((facts.get("rollout") or {}).get("task_definition") or "")
    return Release(
        version=str(plan["version"]),
        sha=str(plan["sha"]),
        image=str(out.get("image") or built.get("image") or ""),
        task_definition=running or str(out.get("task_definition") or ""),
        codedeploy_deployment_id=str(out.get("codedeploy_deployment_id") or ""),
        deployment_id=deployment_id,
        verified_at=now,
    )
