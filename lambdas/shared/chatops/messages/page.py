"""A deployment's page as JSON: docs/page.md describes it. Pure; people write as much of it as of the message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from chatops import clock
from chatops.domain.codec import Json
from chatops.domain.deployment import Deployment
from chatops.domain.page_facts import Facts
from chatops.domain.question import Answer, Question
from chatops.domain.results import Decision, PauseResult, StageResult
from chatops.messages import outcome as ending
from chatops.messages.catalogue import Markup, duration, escape, language, link, plain, say
from chatops.messages.lines import fields, headline, lines, sign, stage_line
from chatops.messages.page_phases import Phase, phases, took
from chatops.messages.paused import LINES, where
from chatops.messages.view import View
from chatops.messages.who import asked_of

if TYPE_CHECKING:
    from chatops.domain.text_keys import TextKey
    from chatops.messages.lines import StageLine

VERSION = 1
POLL = 3
"""Seconds between two looks of a page while the deployment goes on."""
LABELS: tuple[TextKey, ...] = (
    "page_title",
    "page_progress",
    "page_timeline",
    "page_details",
    "page_runs",
    "page_console",
    "page_loading",
    "page_gone",
    "page_lost",
    "page_script",
)
"""The texts that stand in the page itself, whatever deployment it shows."""
_STAGES: dict[str, tuple[StageLine, TextKey]] = {
    "build": ("line_build", "page_build"),
    "deploy": ("line_deploy", "page_deploy"),
    "rollback": ("line_rollback_stage", "page_rollback"),
}
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})>")
_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")
_MOST_NAMED = 30


def seen(facts: Facts, execution_url: str) -> View:
    """The view of what the table knows. What stands in it depends on no clock, so that the same is the same."""
    of = facts.deployment
    if facts.approval:
        of = replace(of, approval=_decision(facts.approval, cancelled=bool(facts.cancel)))
    if facts.pauses:
        of = _at_pause(of, facts.pauses[-1])
    if not of.rollout.done:  # what was kept of its counts is old
        of = replace(of, rollout=replace(of.rollout, running=0, desired=None, pending=0))
    return View(of, execution_url, of.plan.started_at)


def _decision(question: Question, *, cancelled: bool) -> Decision:
    open_or_cancelled = "cancelled" if cancelled else "pending"
    return Decision(
        str(question.decision or open_or_cancelled),
        question.by,
        question.reason,
        question.votes,
        question.eligible,
        question.quorum,
        clock.iso(question.deadline_at),
        question.took(question.asked_at),
    )


def _at_pause(of: Deployment, question: Question) -> Deployment:
    """With what people have decided since the rollout was looked at."""
    if of.rollout.state != "paused":
        return of
    known = PauseResult(mark=question.mark, on_timeout=question.on_timeout)
    pause = known.answered(question, question.asked_at)
    if question.decision:
        return replace(of, rollout=replace(of.rollout, state="promoted", pause=None, last_pause=pause))
    return replace(of, rollout=replace(of.rollout, pause=pause))


def shown(facts: Facts, execution_url: str) -> Json:
    """The page, without the names of people."""
    view = seen(facts, execution_url)
    ended = clock.seconds(view.deployment.outcome.at or "")
    return {
        "version": VERSION,
        "language": language(),
        "id": view.id,
        "target": view.target,
        "release": view.version,
        "sign": sign(view),
        "title": headline(view),
        "summary": ending.sentence(view) if view.end else "",
        "end": view.end,
        "started_at": view.plan.started_at,
        "ended_at": ended or None,
        "poll_seconds": None if view.end else POLL,
        "phases": [_phase(one) for one in phases(view)],
        "fields": fields(view),
        "lines": lines(view),
        "timeline": [{"at": at, "text": text} for at, text in sorted(_timeline(facts, view), key=lambda one: one[0])],
        "runs": list(_runs(view.deployment)),
        "console": _url(execution_url),
    }


def mentioned(page: Json) -> list[str]:
    """The users whom the page mentions, at most as many as a page names."""
    texts = [page["summary"], *page["fields"], *page["lines"]]
    texts += [one["text"] for one in page["timeline"]] + [one["detail"] for one in page["phases"]]
    return list(dict.fromkeys(user for text in texts for user in _MENTION.findall(text)))[:_MOST_NAMED]


def _phase(one: Phase) -> Json:
    return {
        "key": one.key,
        "name": one.name,
        "state": one.state,
        "said": one.said,
        "detail": one.detail,
        "took": took(one),
    }


def _url(address: str | None) -> str:
    """The address, or nothing where it is none that a page may link."""
    return address if address and _ADDRESS.fullmatch(address) else ""


def _runs(of: Deployment) -> Iterator[Json]:
    for name, (_, key) in _STAGES.items():
        stage = of.stage(name)
        if stage.run_number:
            yield {"stage": name, "name": plain(key), "number": stage.run_number, "url": _url(stage.run_url)}


def _timeline(facts: Facts, view: View) -> Iterator[tuple[float, str]]:
    """When what happened, in epoch seconds, and mrkdwn."""
    key: TextKey = "page_asked_rollback" if view.command == "rollback" else "page_asked"
    yield view.plan.started_at, say(key, user=view.requester, version=view.version, target=view.target)
    yield from _of_stages(facts, view.deployment)
    if facts.approval:
        yield from _of_approval(facts.approval, view)
    for pause in facts.pauses:
        yield from _of_pause(pause)
    if began := view.deployment.rollout.began_at:
        yield began, f"🔄 {say('line_rollout')}"
    if (cancel := facts.cancel) and not cancel.at_a_pause:
        said: TextKey = "page_superseded" if cancel.superseded_by else "page_cancelled"
        yield cancel.at, f"⏹️ {say(said, by=cancel.by)}"
    if at := clock.seconds(view.deployment.outcome.at or ""):
        yield at, f"{sign(view)} {escape(headline(view))}"


def _of_stages(facts: Facts, of: Deployment) -> Iterator[tuple[float, str]]:
    for name, row in facts.stages.items():
        key, label = _STAGES[name]
        result: StageResult = of.stage(name)
        run = Markup(link(_url(result.run_url), f"#{result.run_number}") if result.run_number else "")
        began = row.claimed_at or row.tried_at
        if began:
            yield began, f"🔄 {say('page_began', phase=Markup(plain(label)), run=run)}".strip()
        ended = row.finished_at or (row.began_at + result.seconds if result.seconds else 0.0)
        if result.done and ended:
            yield max(began, ended), stage_line(result, key)


def _of_approval(question: Question, view: View) -> Iterator[tuple[float, str]]:
    waiting = replace(view, deployment=replace(view.deployment, approval=replace(view.deployment.approval, votes={})))
    yield question.asked_at, f"⏳ {say('line_approval', people=asked_of(waiting))}"
    for user, at in question.votes.items():
        yield at, f"✅ {say('page_vote', by=user)}"
    spent = duration(question.took(question.asked_at))
    if question.decision is Answer.REJECTED:
        said = f": “{escape(question.reason)}”" if question.reason else ""
        yield question.decided_at, f"⏹️ {say('page_rejected', by=question.by, took=spent, reason=Markup(said))}"
    elif question.decision is Answer.EXPIRED:
        yield question.decided_at, f"⌛ {say('page_expired', took=spent)}"


def _of_pause(question: Question) -> Iterator[tuple[float, str]]:
    place = where(question.stage, question.traffic)
    yield question.asked_at, f"⏸️ {say('page_paused', where=place)}"
    if question.decision:
        icon, key = LINES[str(question.decision)]
        spent = duration(question.took(question.asked_at))
        yield question.decided_at, f"{icon} {say(key, where=place, by=question.by, took=spent)}"
