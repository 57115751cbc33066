"""dispatch: the stage's one-use ticket, then repository_dispatch; once per deployment and stage."""

from __future__ import annotations

from chatops import clock
from chatops.domain.codec import Json
from chatops.domain.deployment import Deployment
from chatops.domain.errors import Frozen, GitHubRateLimited
from chatops.domain.event import StepEvent
from chatops.domain.github_budget import Need
from chatops.domain.release import Release
from chatops.domain.results import StageResult
from chatops.domain.run_token import ExpectedRun
from chatops.domain.stage import Outputs, Stage
from chatops.domain.target import Target
from chatops.github import runs
from chatops.github.client import GitHub, github
from chatops.settings.config import settings
from chatops.settings.targets import targets
from chatops.steps import freezes
from chatops.steps.effects import assert_ours, leave
from chatops.store import cancels, stages
from chatops.store.table import Table, table

PIPELINE_SCHEMA = 1
"""The version of `client_payload`. A pipeline is a copy in its own repository and changes when its owners change it, so
this number changes only with what pipelines read."""


def run(event: StepEvent) -> StageResult:
    """The stage as it begins; `poll` reports the rest.

    Raises AlreadySettled where this deployment must not have an effect any more, Frozen, GitHubRefused,
    GitHubUnavailable.
    """
    _dispatch(event.deployment, event.stage)
    return StageResult(stage=event.stage, state="waiting")


def _dispatch(deployment: Deployment, stage: str) -> None:
    target, rows = targets()[deployment.plan.target], table()
    assert_ours(rows, deployment.id, target.name)
    if stage in stages.CANCELLABLE and cancels.get(rows, deployment.id):
        return
    if stage == "deploy" and (found := freezes.stopping(rows, deployment.id, deployment.plan, target, stage)):
        why = freezes.reason(found, deployment.plan, target)
        raise Frozen(why.key, **why.values)
    if stage == "rollback":
        stages.revoke(rows, deployment.id, "deploy")  # no late run of it may come after what is put back
    row = stages.prepare(rows, deployment.id, stage, target.name, _valid_seconds(target, stage))
    if row.state != "ready" or row.dispatched_at:
        return
    try:
        client = _client(target, stage, row)
        if row.tried_at and runs.named(client, runs.run_name(deployment.id, stage), row.tried_at):
            # the reply to an earlier attempt was lost, not the event
            _sent(rows, deployment, stage, row.tried_at)
            return
        if row.tried_at > row.not_before and clock.now() < (shown_at := row.tried_at + _shows(target)):
            # GitHub may have taken it and shown no run yet; `poll` sends us here again
            stages.note(rows, deployment.id, stage, again_at=shown_at)
            return
        expected, etag = row.expected, ""
        if not expected.repository_id:
            before = stages.get(rows, deployment.id, "build") if stage != "build" else None
            expected, etag = _expected(client, target, stage, before or Stage())
        if not stages.trying(rows, deployment.id, stage, target.name, expected, etag):
            assert_ours(rows, deployment.id, target.name)
            return  # cancelled or revoked at this moment: `poll` reports it
        shown = settings().github_deployments
        runs.dispatch(client, target.event_type, payload(deployment, stage, target, row.ticket, shown=shown))
    except GitHubRateLimited as pause:
        stages.note(rows, deployment.id, stage, not_before=clock.now() + pause.again_seconds)
        return
    _sent(rows, deployment, stage, clock.now())


def _client(target: Target, stage: str, row: Stage) -> GitHub:
    """Raises GitHubRateLimited for a build that begins when a pause has just ended, once: others are being tried again,
    and among them commands that would be refused."""
    client = github(target.repository, Need.BUILD if stage == "build" else Need.NOW)
    if stage == "build" and not row.not_before:
        client.give_way()
    return client


def _sent(rows: Table, deployment: Deployment, stage: str, at: float) -> None:
    """GitHub has taken the event."""
    if stage == "rollback":
        leave(rows, deployment)
    stages.note(rows, deployment.id, stage, dispatched_at=at)


def _expected(client: GitHub, target: Target, stage: str, before: Stage) -> tuple[ExpectedRun, str]:
    """Which run may claim the stage (none where the target's runs don't claim), and the ETag of what GitHub said of the
    repository. Where it is as at the stage before, the question costs nothing of the rate limit."""
    if not target.claim:
        return ExpectedRun(), ""
    found, etag = runs.origin(client, before.origin_etag)
    number, branch = found or (before.expected.repository_id, before.expected.branch)
    return ExpectedRun(number, branch, target.workflow_file, target.pipeline, target.environment(stage)), etag


def _shows(target: Target) -> float:
    """Seconds after which an event whose reply nobody has seen counts as lost, if it shows no run. Where runs claim
    their stage a second event costs a refused run, and waiting costs time that a rollback may not have; where they do
    not, both would do their work."""
    return target.timing.appear / (12 if target.claim else 1)


def _valid_seconds(target: Target, stage: str) -> int:
    timing = target.timing
    return timing.appear + {"build": timing.build, "deploy": timing.deploy, "rollback": timing.restore}[stage]


def payload(deployment: Deployment, stage: str, target: Target, ticket: str, *, shown: bool = False) -> Json:
    """`client_payload`: at most 10 keys, GitHub's limit. It doesn't say where to claim: whoever may send an event could
    name another judge. `shown`: the bot writes a GitHub Deployment, so the job must not make another one."""
    plan = deployment.plan
    back = plan.previous or Release()
    release = back if stage == "rollback" else plan
    built = deployment.build.outputs or Outputs()
    return {
        "schema": PIPELINE_SCHEMA,
        "deployment_id": deployment.id,
        "stage": stage,
        "version": release.version,
        "sha": release.sha,
        "image": back.image if stage == "rollback" else built.image or "",
        "target": target.name,
        "ticket": ticket,
        # where it pauses travels with the strategy: GitHub allows ten keys
        "strategy": "+".join([target.strategy, *([",".join(target.pause_at)] if target.pause_at else [])]),
        **({"github_deployment": True} if shown else {}),
    }
