"""poll: find this stage's run, report its state once, say how long to wait. Never loops, never sleeps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatops import clock
from chatops.causes import reason_json
from chatops.errors import GitHubRateLimited, GitHubRefused, GitHubUnavailable
from chatops.github import runs
from chatops.github.client import GitHub, github
from chatops.github.runs import Run, RunState
from chatops.observability import logger
from chatops.steps import cancelling, stop
from chatops.steps.look import (
    Look,
    absent,
    ended,
    finishing,
    give_up,
    obeying,
    pace,
    stopping,
    trouble_of,
    undecided,
    waiting,
    widest,
)
from chatops.store import cancels, messages, results, stages, waits
from chatops.store.table import table
from chatops.targets import targets


def run(event: dict[str, Any]) -> dict[str, Any]:
    """The stage's fact: `state`, `done`, `claimed`, `outputs`, `why`, and for the wait `wake` and `wait_seconds`.

    With `mode` stop: see `steps.stop`.
    """
    if event.get("mode") == "stop":
        return stop.run(event)
    deployment_id, stage, state = str(event["deployment_id"]), str(event["stage"]), event["state"]
    rows, plan = table(), state["plan"]
    wake = waits.counter(rows, deployment_id)  # the counter first, then the truth
    row = stages.get(rows, deployment_id, stage)
    before = state.get(stage) or {}
    error = state.get("dispatch_error") or {} if stage == "deploy" and not before.get("dispatched") else {}
    refused = str(error.get("Error", ""))
    if row is None:
        fact = ended("cancelled" if not refused else "refused", why=reason_json(error))
        fact |= {"stage": stage, "claimed": False, "wake": wake}
        results.keep(rows, deployment_id, stage, fact, before)
        return fact
    cancel = cancels.get(rows, deployment_id) if stage in stages.CANCELLABLE else None
    cancelled_at = float(cancel["at"]) if cancel else 0.0
    look = Look(stage, row, targets()[plan["target"]], clock.now(), cancelled_at, refused, before)
    fact = {**obeying(_look(look, deployment_id, error), look), "stage": stage}
    results.keep(rows, deployment_id, stage, fact, before)
    shown = _shown(fact)
    news = not fact["done"] and shown != before.get("shown")
    # what is not due now is news still at the next look
    changed = news and messages.may_progress(rows, deployment_id, look.now, look.target.timing.progress)
    return {
        **fact,
        "wake": wake,
        "changed": changed,
        "shown": shown if changed else before.get("shown", ""),
        "seconds": round(look.now - look.began, 1),
    }


def _shown(fact: dict[str, Any]) -> str:
    return "/".join(str(fact.get(k) or "") for k in ("state", "run_number", "job", "step"))


def _look(look: Look, deployment_id: str, error: dict[str, Any]) -> dict[str, Any]:
    if look.unclaimed and look.target.claim:
        return _look_unclaimed(look, deployment_id, error)
    if look.paused:
        return undecided(look, look.paused, look.trouble)
    client = github(look.target.repository)
    try:
        found = _claimed_run(look, client) if not look.unclaimed else _named_run(look, client, deployment_id)
    except GitHubRateLimited as pause:
        return _paused(undecided(look, pause.wait_seconds, trouble_of(pause, look)), look, pause)
    except GitHubUnavailable as trouble:
        logger.warning("github did not answer", reason=str(trouble))
        return undecided(look, pace(look), trouble_of(trouble, look))
    except GitHubRefused as refusal:
        if refusal.status == 404 and runs.deleted(client):
            known = {**look.known, "conclusion": "deleted"}
            return ended("failed", claimed=True, why={"key": "why_run_failed_bare"}, **known)
        logger.warning("github refused", reason=str(refusal))
        return undecided(look, widest(look), trouble_of(refusal, look))
    if found is None:
        return _look_unclaimed(look, deployment_id, error)
    return _look_run(look, client, deployment_id, found)


def _look_unclaimed(look: Look, deployment_id: str, error: dict[str, Any]) -> dict[str, Any]:
    """Nobody has claimed the ticket. Its dispatch may be due, its run may be late or never come."""
    row, timing = look.row, look.target.timing
    if look.stop or row["state"] == "revoked":
        return _withdraw(look, deployment_id, error)
    if not row.get("dispatched_at"):
        left = max(float(row.get("not_before") or 0), float(row.get("again_at") or 0)) - look.now
        if left <= 0:
            return waiting("undispatched", 1, claimed=False)
        # what is due is not put off to the stage's limit, however seldom the target is looked at
        longest = min(pace(look), timing.appear)
        return waiting("waiting", min(max(left, longest), look.deadline - look.now), claimed=False)
    elapsed = look.now - look.began
    if elapsed < timing.appear:
        return waiting("waiting", min(pace(look), timing.appear - elapsed), claimed=False)
    # overdue: a run that waits for a runner is late, not lost
    if look.paused:
        return waiting("waiting", look.paused, claimed=False, trouble=look.trouble)
    try:
        found = _named_run(look, github(look.target.repository), deployment_id)
    except GitHubRateLimited as pause:
        seconds, why = max(pause.wait_seconds, pace(look)), trouble_of(pause, look)
        return _paused(waiting("waiting", seconds, claimed=False, trouble=why), look, pause)
    except (GitHubUnavailable, GitHubRefused) as trouble:
        return waiting("waiting", widest(look), claimed=False, trouble=trouble_of(trouble, look))
    if found is not None and not found.completed:
        return waiting("queued", pace(look), claimed=False, **_run_facts(found))
    return _withdraw(replace(look, before={}), deployment_id, error, found)  # what was known before is overcome


def _withdraw(look: Look, deployment_id: str, error: dict[str, Any], found: Run | None = None) -> dict[str, Any]:
    """Make the ticket worthless; whoever claims at this moment wins, and is followed to its end."""
    row = stages.revoke(table(), deployment_id, look.stage) or look.row
    if row["state"] in ("claimed", "finished"):
        return _look(replace(look, row=row), deployment_id, error)
    facts: dict[str, Any] = {"claimed": False, **(_run_facts(found) if found else {})}
    if look.cancelled:
        _cancel_unclaimed(look, deployment_id)
        return ended("cancelled", **facts)
    if look.refused:
        return ended("refused", why=reason_json(error), **facts)
    if found is not None:
        return ended("failed", why={"key": "why_unclaimed"}, **facts)
    return absent(look, facts)


def _cancel_unclaimed(look: Look, deployment_id: str) -> None:
    """Spare a runner: the run could not claim any more anyway, so trouble here does not matter."""
    if not look.row.get("dispatched_at") or look.paused:
        return
    client = github(look.target.repository)
    try:
        found = _named_run(look, client, deployment_id)
        if found is not None and not found.completed:
            runs.cancel(client, found.id)
    except (GitHubUnavailable, GitHubRateLimited, GitHubRefused) as trouble:
        logger.warning("the unclaimed run was not cancelled", reason=str(trouble))


def _paused(fact: dict[str, Any], look: Look, pause: GitHubRateLimited) -> dict[str, Any]:
    return {**fact, "pause_until": look.now + pause.wait_seconds}


def _named_run(look: Look, client: GitHub, deployment_id: str) -> Run | None:
    return runs.named(client, runs.run_name(deployment_id, look.stage), look.began)


def _claimed_run(look: Look, client: GitHub) -> Run:
    known = str(look.before.get("etag") or "") if look.before.get("run_id") == look.row["run_id"] else ""
    reply = runs.get(client, int(look.row["run_id"]), known)
    if reply.body is None:
        return Run(
            id=int(look.row["run_id"]),
            number=int(look.before["run_number"]),
            url=str(look.before["run_url"]),
            state=RunState(look.before["run_state"]),
            conclusion=str(look.before.get("conclusion") or ""),
            attempt=1,
            etag=known,
        )
    return runs.read(reply.body, reply.etag)


def _run_facts(found: Run) -> dict[str, Any]:
    return {
        "run_id": found.id,
        "run_number": found.number,
        "run_url": found.url,
        "run_state": str(found.state),
        "conclusion": found.conclusion,
        "etag": found.etag,
    }


def _look_run(look: Look, client: GitHub, deployment_id: str, found: Run) -> dict[str, Any]:
    facts = {"claimed": True, **_run_facts(found)}
    if found.completed:
        if look.row["state"] != "finished":
            # it may have finished after its row was read and before GitHub was asked
            look = replace(look, row=stages.get(table(), deployment_id, look.stage) or look.row)
        return _completed(look, client, found, facts)
    if look.stop:
        return _stop_run(look, client, deployment_id, found, facts)
    facts |= _progress(look, client, found)
    if look.row["state"] == "finished":
        return waiting("finishing", finishing(look), **facts)
    return waiting(str(found.state), pace(look), **facts)


def _progress(look: Look, client: GitHub, found: Run) -> dict[str, Any]:
    if found.state is RunState.QUEUED:
        return {}
    known = {"job": str(look.before.get("job") or ""), "step": str(look.before.get("step") or "")}
    try:
        listed = runs.jobs(client, found.id)
    except GitHubRateLimited as pause:
        return _paused(known, look, pause)
    except (GitHubUnavailable, GitHubRefused):
        return known
    job, step = runs.job_and_step(listed)
    return {"job": job, "step": step, **({"log_url": url} if (url := runs.log_url(listed)) else {})}


def _stop_run(look: Look, client: GitHub, deployment_id: str, found: Run, facts: dict[str, Any]) -> dict[str, Any]:
    """Ask GitHub to cancel, and report until the run has ended: nobody goes on beside a run that may deploy."""
    asked = look.asked_at
    try:
        cancelling.ask(table(), deployment_id, look.stage, look.row, client, found.id)
    except GitHubRateLimited as pause:
        facts = _paused(facts, look, pause)
    except (GitHubUnavailable, GitHubRefused) as trouble:
        logger.warning("the run was not cancelled", reason=str(trouble))
    if asked and look.now >= look.deadline:
        return give_up(look, facts)
    return waiting(str(found.state), stopping(look), **facts)


def _completed(look: Look, client: GitHub, found: Run, facts: dict[str, Any]) -> dict[str, Any]:
    """The run has ended: success is GitHub's conclusion and the run's own report, together."""
    row = look.row
    outputs = dict(row.get("outputs") or {})
    facts["outputs"] = outputs
    if look.cancelled and look.stage == "build":
        return ended("cancelled", **facts)
    if found.state is RunState.SUCCEEDED and not look.target.claim:
        return ended("succeeded", **facts)
    if found.state is RunState.SUCCEEDED:
        if row["state"] != "finished":
            return ended("failed", why={"key": "why_unfinished"}, **facts)
        if row.get("outcome") == "success":
            return ended("succeeded", **facts)
        return ended("failed", why={"key": "why_mismatch"}, **facts)
    facts |= _progress(look, client, found)  # also for the failed job's log, which the run's own report cannot know
    if outputs.get("failed_job"):
        facts |= {"job": outputs["failed_job"], "step": outputs.get("failed_step", "")}
    if look.cancelled:
        return ended("cancelled", **facts)
    if look.late:
        return ended("timed_out", why={"key": "why_timed_out", "values": {"seconds": look.limit}}, **facts)
    named = facts.get("job") and facts.get("step")
    return ended("failed", why={"key": "why_run_failed" if named else "why_run_failed_bare"}, **facts)
