"""dispatch: the stage's one-use ticket, then repository_dispatch; once per deployment and stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatops import clock, freeze
from chatops.config import settings
from chatops.errors import AlreadySettled, Frozen, GitHubRateLimited
from chatops.github import runs
from chatops.github.client import github
from chatops.store import cancels, deployments, locks, stages
from chatops.store.table import Item, Table, table
from chatops.targets import Target, targets

PIPELINE_SCHEMA = 1
"""The version of `client_payload`. A pipeline is a copy in its own repository and changes when its owners change it, so
this number changes only with what pipelines read."""


def run(event: dict[str, Any]) -> dict[str, Any]:
    """The stage as it begins; `poll` reports the rest.

    Raises AlreadySettled where this deployment must not have an effect any more, GitHubRefused, GitHubUnavailable.
    """
    deployment_id, stage, plan = str(event["deployment_id"]), str(event["stage"]), event["state"]["plan"]
    target, rows = targets()[plan["target"]], table()
    assert_ours(rows, deployment_id, target.name)
    begun = {"stage": stage, "state": "waiting", "done": False, "claimed": False}
    if stage in stages.CANCELLABLE and cancels.get(rows, deployment_id):
        return begun
    if stage == "deploy":
        _assert_no_freeze(target, plan)
    if stage == "rollback":
        stages.revoke(rows, deployment_id, "deploy")  # no late run of it may come after what is put back
    row = stages.prepare(rows, deployment_id, stage, target.name, _valid_seconds(target, stage))
    if row["state"] != "ready" or row.get("dispatched_at"):
        return begun
    client = github(target.repository)
    tried_at = float(row.get("tried_at") or 0)
    try:
        if tried_at and runs.named(client, runs.run_name(deployment_id, stage), tried_at):
            # the reply to an earlier attempt was lost, not the event
            stages.note(rows, deployment_id, stage, dispatched_at=tried_at)
            return begun
        if tried_at > float(row.get("not_before") or 0) and clock.now() < (shown_at := tried_at + _shows(target)):
            # GitHub may have taken it and shown no run yet; `poll` sends us here again
            stages.note(rows, deployment_id, stage, again_at=shown_at)
            return begun
        if not stages.trying(rows, deployment_id, stage, target.name):
            assert_ours(rows, deployment_id, target.name)
            return begun  # cancelled or revoked at this moment: `poll` tells
        runs.dispatch(
            client,
            target.event_type,
            payload(deployment_id, stage, event["state"], target, str(row["ticket"])),
        )
    except GitHubRateLimited as pause:
        stages.note(rows, deployment_id, stage, not_before=clock.now() + pause.wait_seconds)
        return begun
    stages.note(rows, deployment_id, stage, dispatched_at=clock.now())
    return begun


def _shows(target: Target) -> float:
    """Seconds after which an event whose reply nobody has seen counts as lost, if it shows no run. Where runs claim
    their stage a second event costs a refused run, and waiting costs time that a rollback may not have; where they do
    not, both would do their work."""
    return target.timing.appear / (12 if target.claim else 1)


def _assert_no_freeze(target: Target, plan: Mapping[str, Any]) -> None:
    """`plan` looked when it was asked for; the build and its approval may have taken until now. Raises Frozen."""
    found = None if plan.get("break_glass") else freeze.holding(target.freeze, clock.now())
    if found is None:
        return
    raise Frozen(
        "why_frozen" if found.end else "why_frozen_open",
        target=target.name,
        version=str(plan["version"]),
        until=clock.iso(found.end or 0),
        note=f" ({found.reason})" if found.reason else "",
    )


def _valid_seconds(target: Target, stage: str) -> int:
    timing = target.timing
    return timing.appear + {"build": timing.build, "deploy": timing.deploy, "rollback": timing.restore}[stage]


def assert_ours(rows: Table, deployment_id: str, target: str) -> Item:
    """The record of a deployment that may still have an effect. Raises AlreadySettled otherwise."""
    record = deployments.get(rows, deployment_id)
    if record is None or record.get("outcome"):
        raise AlreadySettled("why_ended")
    if not locks.holds(rows, target, deployment_id):
        raise AlreadySettled("why_lost")
    return record


def payload(deployment_id: str, stage: str, state: dict[str, Any], target: Target, ticket: str) -> dict[str, Any]:
    """`client_payload`: at most 10 keys, GitHub's limit."""
    plan = state["plan"]
    if stage == "rollback":
        back = plan["previous"]
        version, sha, image = back["version"], back["sha"], back["image"]
    else:
        built = (state.get("build") or {}).get("outputs") or {}
        version, sha, image = plan["version"], plan["sha"], built.get("image", "")
    return {
        "schema": PIPELINE_SCHEMA,
        "deployment_id": deployment_id,
        "stage": stage,
        "version": version,
        "sha": sha,
        "image": image,
        "target": target.name,
        "ticket": ticket,
        "claim_url": f"{settings().api_url}/stages/claim",
        # GitHub allows ten keys, and these are ten: where it pauses travels with the strategy
        "strategy": "+".join([target.strategy, *([",".join(target.pause_at)] if target.pause_at else [])]),
    }
